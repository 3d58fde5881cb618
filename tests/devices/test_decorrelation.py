import pytest
import torch

from devices.decorrelation import DigitalDecorrelation, gram
from devices.interface import DecorrelationUpdate
from tests.chips import CPU


def test_reads_both_ways_and_starts_as_the_identity():
    decorrelation = DigitalDecorrelation(4, CPU)
    x = torch.randn(5, 4)
    torch.testing.assert_close(decorrelation.read(x), x)
    decorrelation.matrix.copy_(torch.randn(4, 4))
    torch.testing.assert_close(decorrelation.read(x), x @ decorrelation.matrix.T)
    torch.testing.assert_close(decorrelation.read_transposed(x), x @ decorrelation.matrix)


@pytest.mark.parametrize(("samples", "n"), [(6, 3), (6, 8), (6, 9), (6, 20), (40, 300)])
def test_the_update_is_the_papers_in_either_form(samples, n):
    decorrelation = DigitalDecorrelation(n, CPU)
    decorrelation.matrix = torch.randn(n, n, dtype=torch.float64)
    start = decorrelation.matrix.clone()
    x_star = torch.randn(samples, n, dtype=torch.float64)
    decorrelation.update(DecorrelationUpdate(x_star, 0.2))
    products = sum(torch.outer(each, each) for each in x_star)
    expected = start - 0.2 * (products - torch.diag(products.diagonal())) @ start
    torch.testing.assert_close(decorrelation.matrix, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [1, 127, 128, 129, 300])
def test_a_gram_matrix_is_symmetric_to_the_last_bit(n):
    x = torch.randn(50, n)
    product = gram(x)
    torch.testing.assert_close(product, x.T @ x)
    assert torch.equal(product.triu(128), product.tril(-128).T)
