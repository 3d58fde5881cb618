"""Whether steps that were measured are other than a closed form's, or only few.

A table of few crossings is off by itself, and not by noise alone: courses are smoothed, and where
steps vanish the window is as wide as they went. So cells are drawn from the closed form, pulse for
pulse as the devices had them, and their table is taken as well. With a² the square of what mean
steps of table and closed form differ by, of the devices a is more than chance where

    ln a² > m + t_{R-1}(1 - 0.01) · s √(1 + 1/R),    m and s of ln a² over R such draws.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from substrate.fit.device.closed_form import Fitted
from substrate.fit.device.curves import Device
from substrate.fit.device.measured_steps import StepCurves, measured_steps
from substrate.fit.device.response_fit import STEPS_GOOD, ResponseFit

_DRAWS = 20
_ALARM = 0.01


def steps_off(closed: ResponseFit, measured: ResponseFit, siemens: bool) -> float:
    """What mean steps differ by over the window beyond the table's error, a part of the mean step.

    Where that is more than `STEPS_GOOD` and may be chance, it is 0.
    """
    assert measured.steps is not None
    square = _apart(closed, measured.steps, measured.zero, measured.per_weight)
    # readings whose noise has a memory scatter more than those drawn, and the error knows of it
    off = math.sqrt(max(square - measured.steps.error**2, 0.0))
    if off <= STEPS_GOOD:
        return off
    random = np.random.default_rng(0)
    place = (None, None) if siemens else (0.0, 1.0)
    drawn = []
    for _ in range(_DRAWS):
        table = measured_steps([_drawn(each, random) for each in closed.devices], *place)
        zero = closed.zero + closed.per_weight * table.zero
        drawn.append(_apart(closed, table, zero, closed.per_weight * table.scale))
    from scipy.stats import t

    logarithms = np.log(drawn)
    width = t.ppf(1 - _ALARM, _DRAWS - 1) * math.sqrt(1 + 1 / _DRAWS)
    chance = math.log(square) <= logarithms.mean() + width * logarithms.std(ddof=1)
    return 0.0 if chance else off


def _apart(closed: ResponseFit, table: StepCurves, zero: float, per_weight: float) -> float:
    """Mean square of what steps differ by, of the mean step; weights of the table are so long."""
    inside = slice(1, -1)
    place = zero + per_weight * table.weight[inside]
    law = np.stack(closed.mean_steps((place - closed.zero) / closed.per_weight))
    seen = np.stack([table.up[inside], table.down[inside]]) * per_weight / closed.per_weight
    return float(((law - seen) ** 2).mean() / seen.mean() ** 2)


def _drawn(each: Fitted, random: np.random.Generator) -> Device:
    """The device once more: its pulses, and its closed form's steps and readings."""
    device, law = each.device, each.law
    readings = np.empty(len(device.readings))
    starts, w = set(device.starts.tolist()), 0.0
    noise = math.sqrt(law.reading) * random.standard_normal(len(readings))
    for k, pulses in enumerate(device.pulses.tolist()):
        if k in starts:
            readings[k] = w = float(device.readings[k])
            continue
        size, slope = (law.up, -law.slope_up) if pulses > 0 else (-law.down, law.slope_down)
        for scatter in random.standard_normal(abs(pulses)).tolist():
            relative = 1 + slope * w
            w += size * (relative + law.spread * (1.0 if law.additive else relative) * scatter)
            w = min(max(w, law.low), law.high)
        readings[k] = w + noise[k]
    return replace(device, readings=readings)
