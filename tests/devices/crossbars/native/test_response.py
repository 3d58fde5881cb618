"""The response to many pulses at once, against pulses applied one after another."""

import math

import pytest
import torch
from scipy import stats

from devices.crossbars.native.cells import Devices
from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.response import PulseResponse, draw_devices, pulse_

WINDOW = Conductance(w_max=0.8, w_min=-0.5, w_max_spread=0.0, w_min_spread=0.0)
EXACT = {"dw_min_spread": 0.0, "up_down_spread": 0.0, "cycle_spread": 0.0}
CPU = torch.device("cpu")


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_by_one(weights, directions, devices, response, generator):
    """Apply single pulses in order; `directions` is (pulses, n_out, n_in) of ±1 and 0."""
    weights = weights.double().clone()
    high = torch.maximum(devices.w_max, weights)  # programming may leave a weight beyond
    low = torch.minimum(devices.w_min, weights)
    spread = response.cycle_spread
    multiplicative = response.cycle_spread_is == "multiplicative"
    for direction in directions:
        rise = 1 - devices.slope_up * weights
        fall = 1 + devices.slope_down * weights
        xi = spread * torch.randn(weights.shape, generator=generator)
        up = devices.up * (rise * (1 + xi) if multiplicative else rise + xi)
        down = devices.down * (fall * (1 + xi) if multiplicative else fall + xi)
        weights += torch.where(direction > 0, up, 0) - torch.where(direction < 0, down, 0)
        weights = torch.maximum(torch.minimum(weights, high), low)
    return weights


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("direction", [1, -1])
def test_pulses_of_one_direction_are_exact(gamma, direction):
    response = PulseResponse(dw_min=0.01, gamma_up=gamma, gamma_down=gamma, up_down=0.2, **EXACT)
    devices = draw_devices(WINDOW, response, (3, 4), stream(), CPU)
    weights = torch.rand(3, 4, generator=stream(1)) - 0.4
    count = torch.arange(12.0).view(3, 4) * 10
    directions = torch.stack([direction * (count > k) for k in range(int(count.max()))])
    expected = one_by_one(weights, directions, devices, response, stream())
    none = torch.zeros_like(count)
    up, down = (count, none) if direction > 0 else (none, count)
    pulse_(weights, up, down, devices, response, stream())
    torch.testing.assert_close(weights.double(), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("gamma", [0.3, 1.0])
def test_mixed_pulses_are_the_mean_over_orders_within_a_step(gamma):
    response = PulseResponse(dw_min=0.01, gamma_up=gamma, gamma_down=gamma, **EXACT)
    orders = 3000
    devices = draw_devices(WINDOW, response, (orders, 1), stream(), CPU)
    weights = torch.full((orders, 1), 0.1)
    signs = torch.cat([torch.ones(30), -torch.ones(20)])
    shuffled = torch.stack([signs[torch.randperm(50, generator=stream(k))] for k in range(orders)])
    expected = one_by_one(weights, shuffled.T[..., None], devices, response, stream())
    pulse_(
        weights,
        torch.full_like(weights, 30),
        torch.full_like(weights, 20),
        devices,
        response,
        stream(),
    )
    mean, error = expected.mean().item(), expected.std().item() / orders**0.5
    # orders differ among each other by about a step
    assert expected.std() < 0.015
    assert weights[0, 0].item() == pytest.approx(mean, abs=6 * error + 0.0005)


@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
def test_cycle_spread_has_the_variance_of_single_pulses(kind):
    response = PulseResponse(
        dw_min=0.01,
        gamma_up=1.0,
        gamma_down=1.0,
        **EXACT | {"cycle_spread": 0.5},
        cycle_spread_is=kind,
    )
    cells = 20_000
    devices = draw_devices(WINDOW, response, (cells, 1), stream(), CPU)
    weights = torch.full((cells, 1), 0.05)
    signs = torch.tensor([1.0, -1.0, 1.0] * 10)
    directions = signs[:, None, None].expand(-1, cells, 1)
    expected = one_by_one(weights, directions, devices, response, stream(1))
    pulse_(
        weights,
        torch.full_like(weights, 20),
        torch.full_like(weights, 10),
        devices,
        response,
        stream(),
    )
    error = (expected.var() * 2 / cells).sqrt().item()
    assert weights.mean().item() == pytest.approx(expected.mean().item(), abs=6 * error + 0.0005)
    # relative standard error √(2 / n) = 1 %; 3 % is what the middle of the way costs
    assert weights.var().item() == pytest.approx(expected.var().item(), rel=0.06 + 0.03)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gamma_up": 1.0, "gamma_down": 1.0},
        {"gamma_up": 0.5, "gamma_down": 0.0, "gamma_spread": 0.2},
        {"dw_min": 0.9, "gamma_up": 1.0, "gamma_down": 1.0},
    ],
)
@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (3, 2049)])
def test_the_compiled_loops_follow_the_formula(settings, shape):
    """In double precision torch's own operations do: 0 to 1000 pulses, from all weights."""
    response = PulseResponse(**{"dw_min": 0.01, "cycle_spread": 0.0} | settings)
    devices = draw_devices(Conductance(), response, shape, stream(), CPU)
    counts = torch.logspace(0, 3, shape[0] * shape[1]).view(shape).floor()
    for up, down in (
        (counts, counts.flip(1)),
        (counts, 0 * counts),
        (0 * counts, counts),
        (0 * counts, 0 * counts),
    ):
        weights = torch.rand(shape, generator=stream(1)) - 0.5
        exact = weights.double()
        pulse_(weights, up, down, devices, response, stream())
        doubles = Devices(*(each.double() for each in devices))
        pulse_(exact, up.double(), down.double(), doubles, response, stream())
        torch.testing.assert_close(weights.double(), exact, atol=2e-6, rtol=2e-5)


@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_the_compiled_loops_have_the_formulas_cycle_spread(gamma, kind):
    response = PulseResponse(
        dw_min=0.01, gamma_up=gamma, gamma_down=gamma, cycle_spread=0.5, cycle_spread_is=kind
    )
    cells = 40_000
    one = draw_devices(WINDOW, response, (1, 1), stream(), CPU)
    devices = Devices(*(each.expand(cells, 1).contiguous() for each in one))
    changed = []
    for precision in (torch.float32, torch.float64):
        weights = torch.full((cells, 1), 0.1, dtype=precision)
        up, down = torch.full_like(weights, 9), torch.full_like(weights, 4)
        same = Devices(*(each.to(precision) for each in devices))
        pulse_(weights, up, down, same, response, stream(1))
        changed.append(weights.double().flatten().numpy())
    ours, formula = changed
    # both are normal samples; false alarm 1e-6
    assert stats.ks_2samp(ours, formula).pvalue > 1e-6
    assert stats.kstest((ours - ours.mean()) / ours.std(), "norm").pvalue > 1e-6


def test_counts_that_are_not_finite_do_not_pass_for_weights():
    response = PulseResponse()
    devices = draw_devices(WINDOW, response, (2, 3), stream(), CPU)
    weights = torch.zeros(2, 3)
    up = torch.zeros(2, 3)
    up[1, 1] = torch.nan
    pulse_(weights, up, torch.zeros(2, 3), devices, response, stream())
    assert torch.equal(weights.isnan(), up.isnan())


def test_weights_stay_within_each_devices_own_bounds():
    window = Conductance(w_max_spread=0.3, w_min_spread=0.3)
    response = PulseResponse(dw_min=0.01, dw_min_spread=0.1)
    devices = draw_devices(window, response, (50, 60), stream(), CPU)
    weights = torch.zeros(50, 60)
    many, none = torch.full((50, 60), 1000.0), torch.zeros(50, 60)
    pulse_(weights, many, none, devices, response, stream())
    torch.testing.assert_close(weights, devices.w_max.expand(50, 60))
    pulse_(weights, none, many * 3, devices, response, stream())
    torch.testing.assert_close(weights, devices.w_min.expand(50, 60))


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
@pytest.mark.parametrize("gamma", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("direction", [1, -1])
def test_what_lies_beyond_a_bound_goes_no_further_and_comes_back(gamma, direction, precision):
    """As programming may leave it; the window is -0.5 to 0.8, and some get no pulse at all."""
    response = PulseResponse(dw_min=0.01, gamma_up=gamma, gamma_down=gamma, **EXACT)
    devices = draw_devices(WINDOW, response, (2, 5), stream(), CPU)
    devices = Devices(*(each.to(precision) for each in devices))
    weights = torch.tensor([[0.9], [-0.6]], dtype=precision).expand(2, 5).contiguous()
    count = torch.tensor([[0, 1, 5, 30, 200]], dtype=precision).expand(2, 5).contiguous()
    directions = torch.stack([direction * (count > k) for k in range(200)])
    expected = one_by_one(weights, directions, devices, response, stream())
    none = torch.zeros_like(count)
    up, down = (count, none) if direction > 0 else (none, count)
    before = weights.clone()
    pulse_(weights, up, down, devices, response, stream())
    torch.testing.assert_close(weights.double(), expected, atol=2e-6, rtol=1e-5)
    assert torch.equal(weights[:, 0], before[:, 0])


@pytest.mark.parametrize("m", [15, 30])
def test_bounds_are_met_once_a_block_and_what_that_costs(m):
    """Steps inwards that are missed by a block: the mean largest height of a random bridge."""
    response = PulseResponse(dw_min=0.01, **EXACT)
    orders = 20_000
    devices = draw_devices(WINDOW, response, (orders, 1), stream(), CPU)
    weights = torch.full((orders, 1), 0.8)
    signs = torch.cat([torch.ones(m), -torch.ones(m)])
    shuffled = signs[torch.rand(orders, 2 * m, generator=stream(1)).argsort(1)]
    singly = one_by_one(weights, shuffled.T[..., None], devices, response, stream())
    inwards = (0.8 - singly).mean().item() / 0.01
    # the bridge's height has a standard deviation of √((1 - π/4) m): six errors, and the formula's
    # own is near 0.05
    allowed = 6 * ((1 - math.pi / 4) * m / orders) ** 0.5 + 0.05
    assert inwards == pytest.approx(math.sqrt(math.pi * m / 4) - 0.5, abs=allowed)
    counts = torch.full_like(weights, m)
    pulse_(weights, counts, counts, devices, response, stream())
    torch.testing.assert_close(weights, torch.full_like(weights, 0.8))


def test_devices_spread_as_stated():
    window = Conductance(w_max=2.0, w_max_spread=0.1, w_min_spread=0.05)
    response = PulseResponse(dw_min=0.01, dw_min_spread=0.2, up_down=-0.3, up_down_spread=0.05)
    devices = draw_devices(window, response, (300, 300), stream(), CPU)
    n = 300 * 300
    for values, mean, std in (
        (devices.w_max, 2.0, 0.2),
        (devices.w_min, -1.0, 0.05),
        (devices.up, 0.007, 0.01 * (0.2**2 + 0.05**2) ** 0.5),
        (devices.down, 0.01, 0.01 * (0.2**2 + 0.05**2) ** 0.5),
        ((devices.up - devices.down) / 2, -0.0015, 0.0005),
    ):
        assert values.mean().item() == pytest.approx(mean, abs=6 * std / n**0.5)
        assert values.std().item() == pytest.approx(std, rel=6 / (2 * n) ** 0.5)
