import pytest
import torch
from pydantic import ValidationError

from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.faults import Faults, draw_faults, with_faults
from tests.devices.crossbars.native.arrays import STILL, crossbar

WINDOW = Conductance(g_min=1e-6, g_max=20e-6)


def test_stated_fractions_of_cells_are_stuck():
    faults = Faults(stuck_low=0.02, stuck_high=0.05, open=0.1)
    shape = (2, 300, 300)
    generator = torch.Generator().manual_seed(0)
    stuck = draw_faults(faults, WINDOW, shape, generator, torch.device("cpu"))
    n = stuck.numel()
    for fraction, at in ((0.02, 1e-6), (0.05, 20e-6), (0.1, 0.0)):
        seen = torch.isclose(stuck, torch.tensor(at), atol=1e-12, rtol=1e-6).double().mean().item()
        assert seen == pytest.approx(fraction, abs=6 * (fraction / n) ** 0.5)
    # the two cells of a weight fail on their own
    both = (~stuck.isnan()).all(0).double().mean().item()
    assert both == pytest.approx(0.17**2, abs=6 * (0.17**2 / (n / 2)) ** 0.5)


def test_working_cells_keep_their_conductance():
    pair = torch.full((2, 1, 2), 5e-6)
    stuck = torch.tensor([[[float("nan"), 0.0]], [[20e-6, float("nan")]]])
    expected = torch.tensor([[[5e-6, 0.0]], [[20e-6, 5e-6]]])
    assert torch.equal(with_faults(pair, stuck), expected)


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_a_cell_that_is_open_has_no_read_noise(exponent):
    """However noise goes with the conductance: here the stated one of cells that work."""
    noisy = Conductance(**STILL | {"read_noise": 0.1, "read_noise_exponent": exponent})
    dead = crossbar(30, 40, conductance=noisy, faults=Faults(open=1.0))
    dead.program(torch.ones(30, 40))
    assert not dead.read(torch.eye(40)).any()
    half = crossbar(30, 40, conductance=noisy, faults=Faults(open=0.5))
    half.program(torch.ones(30, 40))
    reads = half.read(torch.eye(40), repeats=2000).view(2000, 40, 30)
    # of two cells with noise of 0.1 g_max, or less by the ratio of g_min to g_max, some are open
    window = noisy.g_max - noisy.g_min
    high, low = (0.1 * noisy.g_max * r**exponent / window for r in (1, noisy.g_min / noisy.g_max))
    stuck = half.state()["stuck"].isnan().double()
    expected = (stuck[0] * high**2 + stuck[1] * low**2).T
    torch.testing.assert_close(reads.double().var(0), expected, rtol=0.2, atol=1e-9)


def test_more_faults_than_cells_are_refused():
    with pytest.raises(ValidationError, match="more than all"):
        Faults(stuck_low=0.6, open=0.5)
