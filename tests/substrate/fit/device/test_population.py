"""What short logs of few cells say of spreads, over a hundred made-up labs of known figures."""

from functools import cache

import numpy as np
import pytest

from substrate.fit.device.closed_form import fit_one
from substrate.fit.device.curves import Device
from substrate.fit.device.population import Estimate
from substrate.fit.device.response import _in_common

CELLS, PULSES, LABS = 6, 60, 100
STEP, CYCLE_SPREAD, READING = 0.06, 0.3, 0.04
SIGNS = np.array([1] * PULSES + [-1] * PULSES)


def lab(rng: np.random.Generator, gains: float, bounds: float) -> list[Device]:
    """Cells of soft bounds, up and down once; a reading scatters by two thirds of a step."""
    gain = STEP * (1 + gains * rng.standard_normal(CELLS))
    high, low = np.array([[1], [-1]]) * (1 + bounds * rng.standard_normal((2, CELLS)))
    w, rows = low, []
    for sign in SIGNS:
        step = gain * (1 - w / (high if sign > 0 else low))
        step *= 1 + CYCLE_SPREAD * rng.standard_normal(CELLS)
        w = np.clip(w + sign * step, low, high)
        rows.append(w + READING * rng.standard_normal(CELLS))
    readings = np.array(rows).T
    return [Device(f"D{k}", each.copy(), SIGNS, np.array([0])) for k, each in enumerate(readings)]


@cache
def estimates(gains: float, bounds: float) -> list[dict[str, Estimate]]:
    rng, found = np.random.default_rng(11), []
    for _ in range(LABS):
        fitted = [fit_one(each, additive=False, clipped=False) for each in lab(rng, gains, bounds)]
        whole = [each for each in fitted if each is not None]
        assert len(whole) == CELLS
        found.append(_in_common(whole, [], False, False, True, 0.0, 1.0).parameters)
    return found


@pytest.mark.parametrize(("gains", "bounds"), [(0.0, 0.0), (0.15, 0.05)])
def test_spreads_of_cells_have_no_errors_of_their_fits_in_them(gains, bounds):
    true = {
        "dw_min_spread": gains,
        "up_down_spread": 0.0,
        "w_max_spread": bounds,
        "w_min_spread": bounds,
    }
    for name, value in true.items():
        found, errors = np.array([each[name] for each in estimates(gains, bounds)]).T
        # of a hundred intervals of 95 %; fewer than 88 come up once in two hundred times
        assert (np.abs(found - value) < 1.96 * errors).sum() >= 88, name
        # a spread of six cells is known to a third, of a hundred labs to a thirtieth
        if value:
            assert np.mean(found**2) ** 0.5 == pytest.approx(value, rel=0.12), name


@pytest.mark.parametrize(("gains", "bounds"), [(0.0, 0.0), (0.15, 0.05)])
def test_the_spread_of_steps_comes_out_of_readings_that_scatter_as_much(gains, bounds):
    found, errors = np.array([each["cycle_spread"] for each in estimates(gains, bounds)]).T
    # a lab knows it to a sixth, a hundred to a sixtieth; the filter's straight lines are off by 6 %
    assert found.mean() == pytest.approx(CYCLE_SPREAD, rel=0.1)
    assert (np.abs(found - CYCLE_SPREAD) < 1.96 * errors).sum() >= 88
    assert errors.mean() < 0.4 * CYCLE_SPREAD
