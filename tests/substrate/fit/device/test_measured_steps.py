"""Tables of steps from simulated devices whose steps are known."""

import numpy as np
import pytest

from substrate.fit.device.data import Response
from substrate.fit.device.response import fit_responses

LOW, HIGH = 2e-6, 22e-6
DEVICES, CYCLES, PULSES = 12, 4, 150


def curves(place):
    """Mean steps at a place from 0 to 1 in the window, parts of it; no linear step is like it."""
    up = 0.004 + 0.03 * np.exp(-(((place - 0.15) / 0.25) ** 2))
    down = 0.004 + 0.03 * np.exp(-(((place - 0.85) / 0.25) ** 2))
    return up, down


def slow_at_both_ends(place):
    """Fastest in the middle, and a tenth of that at either end."""
    step = 0.003 + 0.03 * np.exp(-(((place - 0.5) / 0.2) ** 2))
    return step, step


def simulated(spread=0.5, reading=0.004, gains=0.15, seed=1, curves=curves):
    """Conductances of cells of known steps, up and down in turn."""
    rng = np.random.default_rng(seed)
    gain = 1 + gains * rng.standard_normal((DEVICES, 2))
    place = np.full(DEVICES, 0.05)
    signs = np.array([0] + ([1] * PULSES + [-1] * PULSES))
    responses = []
    for _ in range(CYCLES):
        rows = []
        for sign in signs:
            if sign:
                up, down = curves(place)
                mean = gain[:, 0] * up if sign > 0 else -gain[:, 1] * down
                place = place + mean * (1 + spread * rng.standard_normal(DEVICES))
                place = np.clip(place, 0, 1)
            rows.append(place + reading * rng.standard_normal(DEVICES))
        readings = LOW + (HIGH - LOW) * np.array(rows)
        responses += [Response(f"D{k}", readings[:, k], signs) for k in range(DEVICES)]
    return responses, gain


@pytest.fixture(scope="module")
def found():
    responses, gain = simulated()
    return fit_responses(responses, siemens=True), gain


def test_a_response_that_no_closed_form_follows_becomes_a_table(found):
    fit, _ = found
    assert fit.kind == "measured steps"
    assert fit.verdict == "good"
    assert "no closed form fits" in fit.notes[-1]


def test_the_table_has_the_devices_mean_steps(found):
    fit, gain = found
    table = fit.steps
    siemens = fit.zero + fit.per_weight * table.weight
    inside = (siemens > LOW + 0.1 * (HIGH - LOW)) & (siemens < HIGH - 0.1 * (HIGH - LOW))
    place = (siemens[inside] - LOW) / (HIGH - LOW)
    per_weight = (HIGH - LOW) / fit.per_weight
    for mine, true, way in zip((table.up, table.down), curves(place), (0, 1), strict=True):
        off = mine[inside] / (true * per_weight * gain[:, way].mean()) - 1
        # 16 bins of a bell a quarter of the window wide: a bin's mean is off by some percent
        assert np.sqrt((off**2).mean()) < 0.1
        assert np.abs(off).max() < 0.25


def test_the_table_has_their_spread(found):
    fit, _ = found
    table = fit.steps
    for mean, spread in ((table.up, table.spread_up), (table.down, table.spread_down)):
        large = mean > 0.3 * mean.max()
        ratio = spread[large] / mean[large]
        assert ratio.mean() == pytest.approx(0.5, rel=0.12)


def test_what_cells_have_in_common_comes_back(found):
    fit, gain = found
    parameters = fit.parameters
    true = gain / gain.mean(axis=0)
    for name, values in (
        ("dw_min_spread", true.mean(axis=1)),
        ("up_down_spread", (true[:, 0] - true[:, 1]) / 2),
    ):
        value, error = parameters[name]
        assert abs(value - values.std(ddof=1)) < 2 * error, name
    point, _ = fit.symmetry_point
    middle = (LOW + HIGH) / 2
    assert point == pytest.approx(middle, abs=0.05 * (HIGH - LOW))
    step, noise = parameters["dw_min"][0], parameters["write_noise"][0]
    reading = 0.004 * (HIGH - LOW) / fit.per_weight
    assert noise * step == pytest.approx(reading, rel=0.25)


def test_readings_that_scatter_by_many_steps_do_not_flatten_the_table():
    responses, _ = simulated(spread=0.5, reading=0.08, gains=0.0)
    fit = fit_responses(responses, siemens=True, table=True)
    siemens = fit.zero + fit.per_weight * fit.steps.weight
    place = (siemens - LOW) / (HIGH - LOW)
    inside = (place > 0.1) & (place < 0.9)
    up, _ = curves(place[inside])
    mine = fit.steps.up[inside] * fit.per_weight / (HIGH - LOW)
    assert mine.max() == pytest.approx(up.max(), rel=0.2)
    assert mine.min() < 0.4 * mine.max()


def test_it_says_where_a_table_is_not_to_be_trusted(found):
    responses, _ = simulated(curves=slow_at_both_ends)
    fit = fit_responses(responses, siemens=True, table=True)
    assert any("nearly stop at both ends" in note for note in fit.notes)
    assert not any("nearly stop" in note for note in found[0].notes)
