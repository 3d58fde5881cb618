import torch

from devices.decorrelation import DigitalDecorrelation
from devices.interface import DecorrelationUpdate, Outer
from tests.chips import CPU


def test_reads_both_ways_and_starts_as_the_identity():
    decorrelation = DigitalDecorrelation(4, CPU)
    x = torch.randn(5, 4)
    torch.testing.assert_close(decorrelation.read(x), x)
    decorrelation.matrix.copy_(torch.randn(4, 4))
    torch.testing.assert_close(decorrelation.read(x), x @ decorrelation.matrix.T)
    torch.testing.assert_close(decorrelation.read_transposed(x), x @ decorrelation.matrix)


def test_update_scales_rows_and_subtracts_outer_products():
    decorrelation = DigitalDecorrelation(3, CPU)
    start = torch.randn(3, 3)
    decorrelation.matrix.copy_(start)
    gain, x, d = torch.rand(3), torch.randn(6, 3), torch.randn(6, 3)
    decorrelation.update(DecorrelationUpdate(gain, Outer(x, d, 0.2)))
    expected = torch.diag(gain) @ start - 0.2 * sum(torch.outer(d[s], x[s]) for s in range(6))
    torch.testing.assert_close(decorrelation.matrix, expected)
