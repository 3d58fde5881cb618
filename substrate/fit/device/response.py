"""Pulse responses of many devices: each one's law by itself, and what they have in common.

Every device is fitted alone, in normal coordinates z = (G - middle) / half of the span of all
readings, by the likelihood of `pulse_filter.py`. Devices then give means and spreads,

    spread² = var(θ̂ over devices) - mean(standard error²),
    error of the mean = std(θ̂) / √D,    error of the spread = std(θ̂) / √(2 (D - 1))

and weights are counted from the symmetry point, where one step up and one down cancel, since a
reference cell there is what makes a single cell a signed weight:

    z_s = (u - v) / (u s_u + v s_d),    W = (z - z_s) / max(top - z_s, z_s - bottom)

Readings that are weights already (both signs, no unit) are left as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float64, Int64

from substrate.fit.device.data import Response
from substrate.fit.device.pulse_filter import Forecast, Law, forecast
from substrate.fit.maximise import maximise

_NEAR = 0.5
"""A bound that lies no further beyond the readings than this part of their span is one."""
_STUCK = 0.1
"""Devices that move by less than this part of the usual range are stuck."""
_LIMIT = 1e6
_FINEST = 4e-6
"""Variance of a reading at least, in normal coordinates: a thousandth of the span. Readings that
repeat to the last digit at a bound would else have an infinite density."""

_LINEARISED = 0.06
"""Of simulated devices whose readings scatter by half a step, spreads came out 4 to 9 % too
small."""

GOOD, USABLE = 0.03, 0.08
"""Largest misfit of the mean curves, a part of the window, for these verdicts."""

Estimate = tuple[float, float]
"""A value and its standard error."""


@dataclass(frozen=True)
class Device:
    """All readings of one device.

    Attributes:
        name: of the device.
        readings: of all cycles, one behind the other.
        pulses: before each; positive up.
        starts: number of the first reading of every cycle.
    """

    name: str
    readings: Float64[np.ndarray, " readings"]
    pulses: Int64[np.ndarray, " readings"]
    starts: Int64[np.ndarray, " cycles"]


@dataclass(frozen=True)
class Fitted:
    """One device and its law, in weights.

    Attributes:
        device: readings as weights.
        law: that was found.
        log_likelihood: of its readings.
    """

    device: Device
    law: Law
    log_likelihood: float

    def forecast(self) -> Forecast:
        """See `pulse_filter.forecast`."""
        return forecast(self.device.readings, self.device.pulses, self.device.starts, self.law)


@dataclass(frozen=True)
class ResponseFit:
    """What the devices have in common.

    Attributes:
        kind: "soft bounds" or "linear step".
        parameters: of `PulseResponse` and of the window, by the native crossbar's names, with
            errors; lengths are weights.
        stuck: fraction of devices that do not move, low, high and open, with errors.
        devices: those that move.
        zero: conductance of weight 0, S; the symmetry point unless readings are weights.
        per_weight: siemens of one unit of weight; 1 where readings are weights.
        symmetry_point: S, or weight, with its spread over devices.
        misfit: root mean square of what mean curves and law differ by beyond chance, a part of the
            window.
        notes: for people.
    """

    kind: str
    parameters: dict[str, Estimate]
    additive: bool
    stuck: dict[str, Estimate]
    devices: list[Fitted]
    zero: float
    per_weight: float
    window: tuple[float, float]
    symmetry_point: Estimate
    misfit: float
    notes: list[str]

    @property
    def verdict(self) -> str:
        """good, usable or poor, by the misfit."""
        return "good" if self.misfit <= GOOD else "usable" if self.misfit <= USABLE else "poor"


def fit_responses(
    responses: Sequence[Response], siemens: bool, tell: Callable[[str], None] = lambda _: None
) -> ResponseFit:
    """Fit all devices.

    Raises:
        ValueError: nothing moves, or there are too few readings.
    """
    devices = _by_device(responses)
    spans = {each.name: _span(each) for each in devices}
    usual = float(np.median(list(spans.values())))
    noise = float(np.median([_jitter(each) for each in devices]))
    moving = [each for each in devices if spans[each.name] > _STUCK * usual]
    still = [each for each in devices if spans[each.name] <= _STUCK * usual]
    if not usual > 0 or usual < noise:
        raise ValueError("no device moves: readings do not rise and fall with the pulses")
    if min(len(each.readings) for each in moving) < 12:
        raise ValueError("a device needs 12 readings at least, some after pulses up, some down")
    everything = np.concatenate([each.readings for each in moving])
    low, high = np.quantile(everything, [0.005, 0.995])
    middle, half = (high + low) / 2, (high - low) / 2
    normal = [_moved(each, middle, half) for each in moving]
    best: tuple[float, bool, bool, list[Fitted]] | None = None
    for additive in (False, True):
        for clipped in (False, True):
            laws = "additive" if additive else "multiplicative"
            tell(f"{len(normal)} devices, {laws} spread" + (", hard bounds" if clipped else ""))
            tried = [_fit_one(each, additive, clipped) for each in normal]
            whole = [each for each in tried if each is not None]
            score = sum(each.log_likelihood for each in whole) - 2 * clipped * len(whole)
            if len(whole) == len(normal) and (best is None or score > best[0] + 2):
                best = score, additive, clipped, whole
    if best is None:
        raise ValueError("no response could be fitted to these readings")
    _, additive, clipped, fitted = best
    return _in_common(fitted, still, additive, clipped, siemens, float(middle), float(half))


def _by_device(responses: Sequence[Response]) -> list[Device]:
    names = list(dict.fromkeys(each.device for each in responses))
    result = []
    for name in names:
        mine = [each for each in responses if each.device == name]
        lengths = [len(each.readings) for each in mine]
        result.append(
            Device(
                name,
                np.concatenate([each.readings for each in mine]),
                np.concatenate([each.pulses for each in mine]),
                np.cumsum([0, *lengths[:-1]]),
            )
        )
    return result


def _span(device: Device) -> float:
    """How far the ends of rising and falling branches lie apart, on average over a few readings."""
    tops, bottoms = _ends(device)
    return (
        float(np.mean(tops) - np.mean(bottoms))
        if len(tops) and len(bottoms)
        else float(np.quantile(device.readings, 0.95) - np.quantile(device.readings, 0.05))
    )


def _ends(device: Device) -> tuple[list[float], list[float]]:
    """Mean of the last twentieth of every branch up, and of every branch down."""
    signs = np.sign(device.pulses)
    signs[device.starts] = 0
    tops: list[float] = []
    bottoms: list[float] = []
    begin = 0
    for k in range(1, len(signs) + 1):
        ends = k == len(signs) or (signs[k] != signs[k - 1] and signs[k - 1] != 0)
        if not ends:
            continue
        part = device.readings[begin:k]
        last = float(part[-max(1, len(part) // 20) :].mean())
        if len(part) >= 4:
            (tops if signs[k - 1] > 0 else bottoms).append(last)
        begin = k
    return tops, bottoms


def _jitter(device: Device) -> float:
    return float(np.median(np.abs(np.diff(device.readings)))) if len(device.readings) > 1 else 0.0


def _moved(device: Device, zero: float, scale: float) -> Device:
    readings = (device.readings - zero) / scale
    return Device(device.name, readings, device.pulses, device.starts)


def _fit_one(device: Device, additive: bool, clipped: bool) -> Fitted | None:
    """Climb from a start that moments of the readings suggest."""
    tops, bottoms = _ends(device)
    y, pulses = device.readings, device.pulses
    top = max(tops) if tops else float(np.quantile(y, 0.99))
    bottom = min(bottoms) if bottoms else float(np.quantile(y, 0.01))
    low, high = (bottom, top) if clipped else (-_LIMIT, _LIMIT)

    def law(theta: Float64[np.ndarray, " parameters"]) -> Law:
        u, v, spread, reading = np.exp(theta[[0, 1, 4, 5]]).tolist()
        slopes = float(theta[2]), float(theta[3])
        return Law(u, v, *slopes, spread, reading + _FINEST, low, high, additive)

    def densities(theta: Float64[np.ndarray, " parameters"]) -> Float64[np.ndarray, " readings"]:
        if abs(theta[2]) * math.exp(theta[0]) > 0.9 or abs(theta[3]) * math.exp(theta[1]) > 0.9:
            raise ValueError("a step is longer than the way")
        return forecast(y, pulses, device.starts, law(theta)).log_densities

    apart = np.diff(y)
    jitter = max(float(np.median(np.abs(apart))) / 1.2, 1e-4)
    found = None
    for reach in (1.2, 3.0):  # bounds near, and far
        up_count = max(1, int(pulses[pulses > 0].sum() / max(1, len(tops))))
        down_count = max(1, int(-pulses[pulses < 0].sum() / max(1, len(bottoms))))
        slope_up, slope_down = 1 / (reach * max(top, 0.5)), 1 / (reach * max(-bottom, 0.5))
        rate = 2.5 if reach < 2 else 1.0
        start = np.array(
            [
                math.log(rate / up_count / slope_up),
                math.log(rate / down_count / slope_down),
                slope_up,
                slope_down,
                math.log(0.3),
                2 * math.log(jitter),
            ]
        )
        climbed = maximise(densities, start, 80)
        if climbed is not None and (found is None or climbed[1] > found[1]):
            found = climbed
    if found is None:
        return None
    theta, value, _ = found
    found_law = law(theta)
    seen = found_law.reading if found_law.reading > 1.01 * _FINEST else 0.0
    return Fitted(device, found_law._replace(low=bottom, high=top, reading=seen), value)


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
    soft = not clipped and all(_bounds_near(fitted))
    bounded = [_with_bounds(each, soft) for each in fitted]
    points = np.array([_symmetry_point(each.law) for each in bounded])
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
    weights = [_rescaled(each, zero, scale) for each in bounded]
    laws = [each.law for each in weights]
    if not soft and not clipped:
        notes.append("devices were not driven to their bounds: the window is as far as they went")
    parameters = _population(laws, soft)
    misfit = _misfit(weights)
    zero_here = middle + half * zero
    per_weight = half * scale
    moved = zero_here + per_weight * np.array([(p - zero) / scale for p in points])
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
        (float(np.mean(moved)), _std(moved) / math.sqrt(len(moved))),
        misfit,
        notes,
    )


def _bounds_near(fitted: list[Fitted]) -> list[bool]:
    """Whether readings came near where steps vanish, on both sides, of every device."""
    result = []
    for each in fitted:
        law = each.law
        span = law.high - law.low
        up = 1 / law.slope_up if law.slope_up > 0 else math.inf
        down = 1 / law.slope_down if law.slope_down > 0 else math.inf
        result.append(up < law.high + _NEAR * span and down < -law.low + _NEAR * span)
    share = np.mean(result)
    return [bool(share > 0.5)]


def _with_bounds(each: Fitted, soft: bool) -> Fitted:
    law = each.law
    if not soft:
        return each
    high = 1 / law.slope_up if law.slope_up > 0 else law.high
    low = -1 / law.slope_down if law.slope_down > 0 else law.low
    return Fitted(each.device, law._replace(high=high, low=low), each.log_likelihood)


def _symmetry_point(law: Law) -> float:
    slope = law.up * law.slope_up + law.down * law.slope_down
    return (law.up - law.down) / slope if slope > 1e-9 else 0.0


def _rescaled(each: Fitted, zero: float, scale: float) -> Fitted:
    """Count from `zero`, in units of `scale`."""
    law = each.law
    at_up, at_down = 1 - law.slope_up * zero, 1 + law.slope_down * zero
    moved = Law(
        up=law.up * at_up / scale,
        down=law.down * at_down / scale,
        slope_up=law.slope_up * scale / at_up,
        slope_down=law.slope_down * scale / at_down,
        # an additive spread is a part of the step at weight 0, which is another one now
        spread=law.spread
        if not law.additive
        else law.spread * (law.up + law.down) / (law.up * at_up + law.down * at_down),
        reading=law.reading / scale**2,
        low=(law.low - zero) / scale,
        high=(law.high - zero) / scale,
        additive=law.additive,
    )
    return Fitted(_moved(each.device, zero, scale), moved, each.log_likelihood)


def _population(laws: list[Law], soft: bool) -> dict[str, Estimate]:
    """Means and spreads, as `PulseResponse` and `Conductance` name them."""
    up, down = np.array([law.up for law in laws]), np.array([law.down for law in laws])
    high, low = np.array([law.high for law in laws]), np.array([law.low for law in laws])
    larger = max(up.mean(), down.mean())
    asymmetry = (up - down) / 2 / larger
    gain = (up + down) / 2 / larger
    difference = (up - down) / larger
    step = _mean(up if up.mean() >= down.mean() else down)
    result = {
        "dw_min": step,
        "dw_min_spread": _spread(gain),
        "up_down": _mean(difference),
        "up_down_spread": _spread(asymmetry),
        "w_max": _mean(high),
        "w_min": _mean(low),
        "w_max_spread": _relative_spread(high),
        "w_min_spread": _relative_spread(low),
        "cycle_spread": _widened(_median([law.spread for law in laws])),
        "write_noise": _over(_median([math.sqrt(law.reading) for law in laws]), step),
    }
    if soft:
        result |= {"gamma_up": (1.0, 0.0), "gamma_down": (1.0, 0.0), "gamma_spread": (0.0, 0.0)}
    else:
        gammas = [
            np.array([law.slope_up * law.high for law in laws]),
            np.array([-law.slope_down * law.low for law in laws]),
        ]
        result["gamma_up"], result["gamma_down"] = (
            (max(0.0, value), error) for value, error in map(_mean, gammas)
        )
        spreads = [_spread(each) for each in gammas]
        result["gamma_spread"] = (
            float(np.mean([each[0] for each in spreads])),
            float(np.mean([each[1] for each in spreads])),
        )
    return result


def _widened(estimate: Estimate) -> Estimate:
    """With what the filter's straight lines add to the error."""
    value, error = estimate
    return value, math.hypot(error, _LINEARISED * value)


def _over(above: Estimate, below: Estimate) -> Estimate:
    """The ratio of two estimates."""
    value = above[0] / below[0]
    return value, math.hypot(above[1] / below[0], value * below[1] / below[0])


def _std(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else math.inf


def _mean(values: np.ndarray) -> Estimate:
    return float(values.mean()), _std(values) / math.sqrt(len(values))


def _spread(values: np.ndarray) -> Estimate:
    if len(values) < 2:
        return 0.0, math.inf
    return _std(values), _std(values) / math.sqrt(2 * (len(values) - 1))


def _relative_spread(values: np.ndarray) -> Estimate:
    spread, error = _spread(values)
    size = abs(float(values.mean()))
    return spread / size, error / size


def _median(values: Sequence[float]) -> Estimate:
    """Median and its error, π/2 of the mean's variance; devices with odd readings do not count."""
    array = np.array(values)
    return float(np.median(array)), 1.2533 * _std(array) / math.sqrt(len(array))


def _misfit(fitted: list[Fitted]) -> float:
    """How far mean curves stray from the law beyond what its own noise explains."""
    size = max(len(each.device.readings) for each in fitted)
    residual, variance, count = np.zeros(size), np.zeros(size), np.zeros(size)
    window = float(np.mean([each.law.high - each.law.low for each in fitted]))
    for each in fitted:
        course = each.forecast()
        starts = [*each.device.starts.tolist(), len(course.free)]
        for begin, end in pairwise(starts):
            place = slice(0, end - begin)
            residual[place] += each.device.readings[begin:end] - course.free[begin:end]
            variance[place] += course.free_variance[begin:end] + each.law.reading
            count[place] += 1
    used = count > 0
    mean, noise = residual[used] / count[used], variance[used] / count[used] ** 2
    beyond = float((mean**2).mean() - noise.mean())
    return math.sqrt(max(beyond, 0.0)) / window


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
