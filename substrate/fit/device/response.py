"""Pulse responses of many devices: each one's law by itself, and what they have in common.

Every device is fitted alone, in normal coordinates z = (G - middle) / half of the span of all
readings, by the likelihood of `pulse_filter.py`, but for the spread from pulse to pulse, which all
have in common (`common_spread.py`). Devices then give means and spreads
(`population.py`), and weights are counted from the symmetry point, where one step up and one down
cancel, since a reference cell there is what makes a single cell a signed weight:

    z_s = (u - v) / (u s_u + v s_d),    W = (z - z_s) / max(top - z_s, z_s - bottom)

Readings that are weights already (both signs, no unit) are left as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from substrate.fit.device.closed_form import (
    Fitted,
    bounds_near,
    fit_one,
    rescaled,
    standard_errors_ahead,
    symmetry_point,
    with_bounds,
    without_memory,
)
from substrate.fit.device.common_spread import with_common_spread
from substrate.fit.device.curves import Device, by_device, jitter, misfit, moved, span
from substrate.fit.device.data import Response
from substrate.fit.device.measured_steps import measured_steps
from substrate.fit.device.population import Estimate, population, std
from substrate.fit.device.response_fit import GOOD, STEPS_GOOD, ResponseFit
from substrate.fit.device.step_check import steps_off

_CHANCE = 3.0
"""Standard errors by which one closed form must be more likely than another to be told from it."""
_STUCK = 0.1
"""Devices that move by less than this part of the usual range are stuck."""
_SCATTER = 2.0
"""Differences of neighbouring readings that ends may be the wrong way round by, by chance."""
_SLOW_ENDS = (
    "steps nearly stop at both ends of the window: a cell's way out of there hangs on a few slow "
    "pulses, and of simulated cells like that the table was off by 10%; to turn round before the "
    "ends would tell more"
)


def fit_responses(
    responses: Sequence[Response],
    siemens: bool,
    tell: Callable[[str], None] = lambda _: None,
    *,
    table: bool = False,
) -> ResponseFit:
    """Fit all devices: by a closed form, or by a table of steps where none fits.

    Args:
        responses: of the devices.
        siemens: whether readings are conductances, or weights already.
        tell: told what is going on.
        table: take steps as measured whatever fits.

    Raises:
        ValueError: nothing moves, or there are too few readings.
    """
    devices = by_device(responses)
    spans = {each.name: span(each) for each in devices}
    usual = float(np.median(list(spans.values())))
    noise = float(np.median([jitter(each) for each in devices]))
    _refuse_turned_round(devices, spans)
    moving = [each for each in devices if spans[each.name] > _STUCK * usual]
    still = [each for each in devices if spans[each.name] <= _STUCK * usual]
    if not usual > 0 or usual < noise:
        raise ValueError("no device moves: readings do not rise and fall with the pulses")
    if min(len(each.readings) for each in moving) < 12:
        raise ValueError("a device needs 12 readings at least, some after pulses up, some down")
    everything = np.concatenate([each.readings for each in moving])
    low, high = np.quantile(everything, [0.005, 0.995])
    middle, half = float(high + low) / 2, float(high - low) / 2
    normal = [moved(each, middle, half) for each in moving]
    closed = None if table else _closed(normal, still, siemens, middle, half, tell)
    tell("steps as measured")
    try:
        measured = _by_table(normal, still, siemens, middle, half)
    except ValueError:
        if closed is None:
            raise
        return closed
    if closed is None:
        return measured
    closed = replace(closed, steps_off=steps_off(closed, measured, siemens))
    if closed.misfit > GOOD and measured.misfit < closed.misfit / 2:
        measured.notes.append(
            f"no closed form fits: the best, {closed.kind}, is off by {closed.misfit:.1%} of the "
            f"window, and its mean steps by {closed.steps_off:.0%}; steps are taken as measured"
        )
        return measured
    if closed.steps_off > STEPS_GOOD:
        closed.notes.append(
            f"mean steps differ from those measured by {closed.steps_off:.0%}: type --table to "
            "take them as measured"
        )
    return closed


def _refuse_turned_round(devices: Sequence[Device], spans: dict[str, float]) -> None:
    usual = float(np.median(np.abs(list(spans.values()))))
    turned = [
        each.name
        for each in devices
        # ends of a stuck cell differ by the scatter of its readings
        if spans[each.name] < -max(_STUCK * usual, _SCATTER * jitter(each))
    ]
    if turned:
        some = f"of {', '.join(turned)} " if len(turned) < len(devices) else ""
        raise ValueError(
            f"readings {some}fall with pulses up and rise with pulses down: turn the directions "
            "round, so that up raises the conductance, or call the column resistance if it is one"
        )


def _closed(
    normal: Sequence[Device],
    still: list[Device],
    siemens: bool,
    middle: float,
    half: float,
    tell: Callable[[str], None],
) -> ResponseFit | None:
    """The best of the closed forms; None where none could be climbed to.

    Where another is better by no more than chance, the one that comes first is taken.
    """
    forms: dict[tuple[bool, bool], list[Fitted]] = {}
    for additive in (False, True):
        for clipped in (False, True):
            laws = "additive" if additive else "multiplicative"
            tell(f"{len(normal)} devices, {laws} spread" + (", hard bounds" if clipped else ""))
            tried = [fit_one(each, additive, clipped) for each in normal]
            whole = [each for each in tried if each is not None]
            if len(whole) == len(normal):
                forms[additive, clipped] = whole
    if not forms:
        return None
    best = next(iter(forms))
    for form, fitted in forms.items():
        if standard_errors_ahead(fitted, forms[best]) > _CHANCE:
            best = form
    found = _in_common(forms[best], still, *best, siemens, middle, half)
    for (additive, clipped), fitted in forms.items():
        apart = standard_errors_ahead(fitted, forms[best])
        if (additive, clipped) != best and abs(apart) <= _CHANCE:
            other = "hard bounds" if clipped else "bounds where steps vanish"
            kind = "additive" if additive else "multiplicative"
            found.notes.append(
                f"{other} with {kind} spread are not told apart from what was taken: readings are "
                f"{'more' if apart > 0 else 'less'} likely by {abs(apart):.1f} standard errors"
            )
    return found


def _by_table(
    normal: Sequence[Device], still: list[Device], siemens: bool, middle: float, half: float
) -> ResponseFit:
    place = (None, None) if siemens else (-middle / half, 1 / half)
    found = measured_steps(normal, *place)
    zero, per_weight = middle + half * found.zero, half * found.scale
    window = (
        zero + per_weight * found.parameters["w_min"][0],
        zero + per_weight * found.parameters["w_max"][0],
    )
    point, error = found.symmetry_point
    length = found.parameters["w_max"][0] - found.parameters["w_min"][0]
    return ResponseFit(
        "measured steps",
        found.parameters,
        False,
        _stuck(still, len(normal) + len(still), window),
        [],
        zero if siemens else 0.0,
        per_weight if siemens else 1.0,
        window,
        (middle + half * point, half * error),
        misfit(found.devices, found.courses, length),
        [_SLOW_ENDS] if found.nearly_stops_at_both_ends else [],
        found,
    )


def _in_common(
    fitted: list[Fitted],
    still: list[Device],
    additive: bool,
    clipped: bool,
    siemens: bool,
    middle: float,
    half: float,
) -> ResponseFit:
    notes: list[str] = []
    fitted, cycle_spread = with_common_spread(fitted, clipped)
    soft = not clipped and bounds_near(fitted)
    bounded = [each.through(with_bounds) if soft else each for each in fitted]
    points = np.array([symmetry_point(each.law) for each in bounded])
    tops = np.array([each.law.high for each in bounded])
    bottoms = np.array([each.law.low for each in bounded])
    if siemens:
        zero = float(np.median(points))
        top, bottom = float(tops.mean()), float(bottoms.mean())
        if not bottom + 0.05 * (top - bottom) < zero < top - 0.05 * (top - bottom):
            notes.append("the symmetry point lies outside the window: weight 0 is its middle")
            zero = (top + bottom) / 2
        scale = max(top - zero, zero - bottom)
    else:
        zero, scale = -middle / half, 1 / half
    weights = without_memory([rescaled(each, zero, scale) for each in bounded], notes)
    if not soft and not clipped:
        notes.append("devices were not driven to their bounds: the window is as far as they went")
    parameters = population(weights, soft, cycle_spread[1] / cycle_spread[0])
    off = misfit(
        [each.device for each in weights],
        [each.forecast() for each in weights],
        float(np.mean([each.law.high - each.law.low for each in weights])),
    )
    zero_here = middle + half * zero
    per_weight = half * scale
    cancels = zero_here + per_weight * np.array([(p - zero) / scale for p in points])
    window = (
        zero_here + per_weight * parameters["w_min"][0],
        zero_here + per_weight * parameters["w_max"][0],
    )
    return ResponseFit(
        "soft bounds" if soft else "linear step",
        parameters,
        additive,
        _stuck(still, len(fitted) + len(still), window),
        weights,
        zero_here if siemens else 0.0,
        per_weight if siemens else 1.0,
        window,
        (float(np.mean(cancels)), std(cancels) / math.sqrt(len(cancels))),
        off,
        notes,
    )


def _stuck(still: list[Device], total: int, window: tuple[float, float]) -> dict[str, Estimate]:
    counts = {"stuck_low": 0, "stuck_high": 0, "open": 0}
    low, high = window
    for each in still:
        level = float(np.median(each.readings))
        if low > 0 and level < 0.2 * low:
            counts["open"] += 1
        elif level < (low + high) / 2:
            counts["stuck_low"] += 1
        else:
            counts["stuck_high"] += 1
    result = {}
    for name, number in counts.items():
        share = number / total
        result[name] = share, math.sqrt(max(share * (1 - share), 1 / total / 4 / total) / total)
    return result
