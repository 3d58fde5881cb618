import pytest
import torch

from devices.crossbars.ideal import IdealCrossbar
from devices.interface import Dense, Outer
from tests.chips import CPU


@pytest.fixture
def weights() -> torch.Tensor:
    return torch.randn(4, 3)


@pytest.fixture
def crossbar(weights) -> IdealCrossbar:
    crossbar = IdealCrossbar(4, 3, CPU)
    crossbar.program(weights)
    return crossbar


def test_reads_both_ways(crossbar, weights):
    x, y = torch.randn(5, 3), torch.randn(5, 4)
    torch.testing.assert_close(crossbar.read(x), torch.einsum("oi,bi->bo", weights, x))
    torch.testing.assert_close(crossbar.read_transposed(y), torch.einsum("oi,bo->bi", weights, y))


def test_reads_positions_and_repeats(crossbar, weights):
    x = torch.randn(5, 2, 3)
    a = crossbar.read(x, repeats=2)
    assert a.shape == (10, 2, 4)
    torch.testing.assert_close(a[:5], torch.einsum("oi,bpi->bpo", weights, x))
    torch.testing.assert_close(a[5:], a[:5])


def test_both_forms_of_an_update_agree(crossbar, weights):
    x, d = torch.randn(6, 3), torch.randn(6, 4)
    other = IdealCrossbar(4, 3, CPU)
    other.program(weights)
    crossbar.update(Outer(x, d, 0.3))
    other.update(Dense(-0.3 * torch.einsum("so,si->oi", d, x)))
    eye = torch.eye(3)
    torch.testing.assert_close(crossbar.read(eye), other.read(eye))
