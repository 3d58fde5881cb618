import pytest
import torch

from devices.crossbars.native.drift import Drift, decayed, draw_exponents


def test_conductance_follows_the_power_law():
    drift = Drift(nu=0.05, t_0=20.0)
    pair, nu = torch.tensor([[[10e-6]], [[2e-6]]]), torch.tensor([[[0.05]], [[0.1]]])
    expected = torch.tensor([[[10e-6 * 1000**-0.05]], [[2e-6 * 1000**-0.1]]])
    torch.testing.assert_close(decayed(drift, pair, nu, 20_000.0), expected, atol=0, rtol=1e-5)


def test_nothing_drifts_before_t_0():
    pair = torch.rand(2, 3, 4)
    assert torch.equal(decayed(Drift(nu=0.1), pair, torch.rand(2, 3, 4), 19.9), pair)


def test_exponents_spread_from_cell_to_cell():
    pair = torch.empty(2, 200, 250)
    nu = draw_exponents(Drift(nu=0.05, nu_spread=0.2), pair, torch.Generator().manual_seed(0))
    n = nu.numel()
    assert nu.mean().item() == pytest.approx(0.05, abs=6 * 0.01 / n**0.5)
    assert nu.std().item() == pytest.approx(0.01, rel=6 / (2 * n) ** 0.5)
    assert nu.min() >= 0
