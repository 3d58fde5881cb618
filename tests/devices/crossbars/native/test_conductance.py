import pytest
import torch
from pydantic import ValidationError

from devices.crossbars.native.conductance import (
    Conductance,
    program_pair,
    read_variance,
    to_pair,
    to_weights,
)

EXACT = Conductance(g_min=1e-6, g_max=21e-6, w_max=0.5, w_min=-0.5, programming_error=(0.0,))


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_pair_is_one_sided_and_fills_the_window():
    pair = to_pair(EXACT, torch.tensor([[0.5, -0.5, 0.0, 0.25]]))
    expected = torch.tensor([[[21e-6, 1e-6, 1e-6, 11e-6]], [[1e-6, 21e-6, 1e-6, 1e-6]]])
    torch.testing.assert_close(pair, expected, atol=1e-12, rtol=1e-5)


def test_weights_come_back_from_their_pair():
    weights = torch.rand(7, 9) - 0.5
    torch.testing.assert_close(to_weights(EXACT, to_pair(EXACT, weights)), weights)


def test_levels_are_spaced_evenly_over_the_window():
    window = EXACT.model_copy(update={"levels": 5})  # 1, 6, 11, 16, 21 µS
    target = torch.tensor([[[1e-6, 3e-6, 4e-6, 13e-6, 21e-6]], [[8e-6, 9e-6, 19e-6, 0.0, 14e-6]]])
    expected = torch.tensor(
        [[[1e-6, 1e-6, 6e-6, 11e-6, 21e-6]], [[6e-6, 11e-6, 21e-6, 1e-6, 16e-6]]]
    )
    torch.testing.assert_close(
        program_pair(window, target, stream()), expected, atol=1e-12, rtol=1e-4
    )


def test_there_are_no_levels_above_the_highest():
    """Which a device whose own bound is higher might ask for."""
    window = EXACT.model_copy(update={"levels": 5})
    programmed = program_pair(window, torch.full((2, 1, 1), 30e-6), stream())
    torch.testing.assert_close(programmed, torch.full((2, 1, 1), 21e-6))


@pytest.mark.parametrize("coefficients", [(0.02,), (0.01, 0.08, -0.05)])
@pytest.mark.parametrize("g", [8e-6, 20e-6])
def test_programming_error_has_the_stated_standard_deviation(coefficients, g):
    window = EXACT.model_copy(update={"programming_error": coefficients})
    programmed = program_pair(window, torch.full((2, 200, 200), g), stream())
    relative = g / 21e-6
    std = 21e-6 * sum(c * relative**power for power, c in enumerate(coefficients))
    n = 2 * 200 * 200
    assert programmed.mean().item() == pytest.approx(g, abs=6 * std / n**0.5)
    assert programmed.std().item() == pytest.approx(std, rel=6 / (2 * n) ** 0.5)


def test_no_conductance_is_negative():
    window = EXACT.model_copy(update={"programming_error": (1.0,)})
    assert program_pair(window, torch.full((2, 50, 50), 1e-6), stream()).min() >= 0


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_read_variance_is_that_of_independent_cells(exponent):
    window = EXACT.model_copy(update={"read_noise": 0.03, "read_noise_exponent": exponent})
    pair = torch.tensor([[[5e-6]], [[12e-6]]])
    per_cell = [0.03 * 21e-6 * (g / 21e-6) ** exponent for g in (5e-6, 12e-6)]
    expected = sum(s**2 for s in per_cell) * (0.5 / 20e-6) ** 2
    assert read_variance(window, pair).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "bad", [{"g_min": 1e-4}, {"w_max": -1.0}, {"levels": 1}, {"programming_error": []}]
)
def test_impossible_windows_are_refused(bad):
    with pytest.raises(ValidationError):
        Conductance(**bad)
