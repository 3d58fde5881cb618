"""Steps that are other than a closed form's, and those that were only measured too seldom."""

from dataclasses import replace

import numpy as np
import pytest

from substrate.fit.device.data import Response
from substrate.fit.device.response import fit_responses
from substrate.fit.device.response_fit import STEPS_GOOD
from substrate.fit.device.step_check import steps_off

LOW, HIGH = 5e-6, 45e-6
SIGNS = np.array([1] * 60 + [-1] * 60)


def soft_bounds(devices, cycles, seed):
    """Cells whose steps are a twentieth of the way to the bound."""
    rng, responses = np.random.default_rng(seed), []
    place = np.full(devices, 0.05)
    for _ in range(cycles):
        rows = []
        for sign in SIGNS:
            way = 1 - place if sign > 0 else -place
            place = np.clip(place + way / 20 * (1 + 0.3 * rng.standard_normal(devices)), 0, 1)
            rows.append(LOW + (HIGH - LOW) * (place + 0.005 * rng.standard_normal(devices)))
        readings = np.array(rows)
        responses += [Response(f"D{k}", readings[:, k].copy(), SIGNS) for k in range(devices)]
    return responses


@pytest.mark.parametrize("seed", range(6))
def test_few_crossings_do_not_deny_a_right_law(seed):
    fit = fit_responses(soft_bounds(1, 2, seed), siemens=True)
    assert fit.kind == "soft bounds"
    assert fit.verdict == "good"


def test_a_law_of_other_steps_is_told_from_chance():
    responses = soft_bounds(6, 4, 0)
    closed = fit_responses(responses, siemens=True)
    constant = [
        replace(each, law=each.law._replace(slope_up=0.0, slope_down=0.0))
        for each in closed.devices
    ]
    measured = fit_responses(responses, siemens=True, table=True)
    assert steps_off(closed, measured, siemens=True) < STEPS_GOOD
    assert steps_off(replace(closed, devices=constant), measured, siemens=True) > STEPS_GOOD
