"""Steps as measured, where no closed form fits: mean and spread of a step against the weight.

Along every branch of pulses in one direction the course is smoothed by a local parabola over a
sixth of the branch (Savitzky and Golay, Anal. Chem. 36:1627, 1964): its value is the place in the
window, its slope the mean step there. So the scatter of readings, which would flatten a plain
regression of steps on weights, stays out of both. Of what is left between two readings c pulses
apart, with σ a step's spread and r the variance of a reading,

    e_k = y_{k+1} - y_k - c · slope:    ⟨e_k²⟩ = c σ² + 2 r,    ⟨e_k e_{k+1}⟩ = -r

Places are counted from where steps up and down cancel (-1 and 1 are each device's own bounds), are
put into `BINS`, and devices' own gains are divided out. The result is what
`devices/crossbars/native/steps.py` reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float64

from devices.compiled import compiled
from devices.crossbars.native.steps import COLUMNS
from substrate.fit.device.curves import Device, branches, ends, moved
from substrate.fit.device.population import Estimate, std
from substrate.fit.device.pulse_filter import Forecast

BINS = 16
_LEAST = 6
"""Readings that a bin needs; bins of fewer take what stands beside them."""
_CELLS = 64
"""Simulated for the course of one device."""
_PART = 6
"""A branch is smoothed over so great a part of it."""

Curve = Float64[np.ndarray, " rows"]


class _Points(NamedTuple):
    """Along all branches of one direction of a device.

    Attributes:
        place: smoothed, before the step.
        slope: mean step of one pulse, positive.
        rest: e_k, of c pulses.
        next: e_{k+1}; NaN at the end of a branch.
        pulses: c.
    """

    place: Curve
    slope: Curve
    rest: Curve
    next: Curve
    pulses: Curve


@dataclass(frozen=True)
class StepCurves:
    """The table, and what devices have in common.

    Attributes:
        weight: of every row.
        up: mean step up, in weights.
        spread_up: standard deviation from pulse to pulse, in weights.
        down: likewise down.
        spread_down: likewise.
        parameters: as `population.population` gives them.
        courses: what the table makes of every device's pulses from its first reading on.
        devices: readings as weights.
        zero: where steps cancel, in the coordinates of the readings.
        scale: of one unit of weight, there.
        symmetry_point: with its error, there.
        error: standard error of the mean steps, a part of them, as a root mean square.
    """

    weight: Curve
    up: Curve
    spread_up: Curve
    down: Curve
    spread_down: Curve
    parameters: dict[str, Estimate]
    courses: list[Forecast]
    devices: list[Device]
    zero: float
    scale: float
    symmetry_point: Estimate
    error: float

    def text(self, per_weight: float, zero: float, unit: str) -> str:
        """The table as a file: steps in units of dw_min, and what every weight is in conductance.

        Args:
            per_weight: siemens of one unit of weight.
            zero: conductance of weight 0.
            unit: of these; empty where readings are weights.
        """
        step = self.parameters["dw_min"][0]
        rows = [self.weight, *(each / step for each in self._steps())]
        header = list(COLUMNS)
        if unit:
            rows.append(zero + per_weight * self.weight)
            header.append(f"conductance ({unit})")
        lines = [
            "# Steps of a pulse against the weight, as measured; in units of dw_min.",
            ",".join(header),
            *(",".join(f"{value:.6g}" for value in row) for row in zip(*rows, strict=True)),
        ]
        return "\n".join(lines) + "\n"

    def _steps(self) -> tuple[Curve, ...]:
        return self.up, self.spread_up, self.down, self.spread_down


def measured_steps(
    devices: Sequence[Device], zero: float | None = None, scale: float | None = None
) -> StepCurves:
    """Find the table.

    Args:
        devices: that move, in any unit.
        zero: where weight 0 is; None for where steps cancel.
        scale: of one unit of weight; None for the longer arm of the window.

    Raises:
        ValueError: branches of one direction are missing, or are too short.
    """
    windows = [_window(each) for each in devices]
    points = [[_points(each, sign) for sign in (1, -1)] for each in devices]
    if any(len(each.place) < _LEAST for pair in points for each in pair):
        raise ValueError("steps as measured need six readings of either direction a device")
    low, high = (float(np.mean(each)) for each in zip(*windows, strict=True))
    cancel = _cancel(points, low, high)
    if zero is None:
        zero = cancel
    if scale is None:
        scale = max(high - zero, zero - low)
    edges = np.concatenate(
        [np.linspace(-1, 0, BINS // 2 + 1), np.linspace(0, 1, BINS // 2 + 1)[1:]]
    )
    middles = (edges[:-1] + edges[1:]) / 2
    own = [
        [_placed(each, zero, *window) for each in pair]
        for pair, window in zip(points, windows, strict=True)
    ]
    gains = np.ones((len(devices), 2))
    tables = np.empty((2, BINS))
    for _ in range(3):
        for way in range(2):
            place = np.concatenate([pair[way].place for pair in own])
            slope = np.concatenate([p[way].slope / g[way] for p, g in zip(own, gains, strict=True)])
            tables[way] = np.maximum(_binned(place, slope, edges), 0.0)
            for number, pair in enumerate(own):
                expected = np.interp(pair[way].place, middles, tables[way]).sum()
                gains[number, way] = max(pair[way].slope.sum() / max(expected, 1e-12), 1e-3)
        gains /= gains.mean(axis=0)
    reading = _reading_variance(own)
    spreads = np.empty((2, BINS))
    for way in range(2):
        place = np.concatenate([pair[way].place for pair in own])
        square = np.concatenate(
            [
                (pair[way].rest ** 2 - 2 * reading) / pair[way].pulses / g[way] ** 2
                for pair, g in zip(own, gains, strict=True)
            ]
        )
        spreads[way] = np.sqrt(np.maximum(_binned(place, square, edges), 0.0))
    places = np.array([-1.0, *middles, 1.0])
    mean_low, mean_high = (low - zero) / scale, (high - zero) / scale
    weight = np.where(places > 0, places * mean_high, -places * mean_low)
    up, down, spread_up, spread_down = (
        np.concatenate([each[:1], each, each[-1:]]) / scale for each in (*tables, *spreads)
    )
    weights = [moved(each, zero, scale) for each in devices]
    bounds = [((a - zero) / scale, (b - zero) / scale) for a, b in windows]
    parameters = _parameters(places, up, down, gains, bounds, math.sqrt(reading) / scale)
    rows = np.stack([up, down, spread_up, spread_down])
    return StepCurves(
        weight,
        up,
        spread_up,
        down,
        spread_down,
        parameters,
        [
            _course(each, places, rows, gain, bound, reading / scale**2)
            for each, gain, bound in zip(weights, gains, bounds, strict=True)
        ],
        weights,
        zero,
        scale,
        (cancel, _spread_of_points(points, windows) / math.sqrt(len(devices))),
        _error(devices, own, reading, spreads) / float(tables.mean()),
    )


def _error(
    devices: Sequence[Device],
    own: Sequence[Sequence[_Points]],
    reading: float,
    spreads: Float64[np.ndarray, "2 bins"],
) -> float:
    """Of a mean step: readings where a bin is entered and left, and the spread of steps in it."""
    crossings = max(1.0, sum(1 for each in devices for _ in branches(each)) / 2)
    pulses = sum(float(each.pulses.sum()) for pair in own for each in pair) / 2
    a_bin = max(1.0, pulses / crossings / BINS)
    square = 2 * reading / a_bin**2 + float((spreads**2).mean()) / a_bin
    return math.sqrt(square / crossings)


def _window(device: Device) -> tuple[float, float]:
    """Means of the ends of branches down and up, as far as the device was driven."""
    tops, bottoms = ends(device)
    y = device.readings
    low = float(np.mean(bottoms)) if bottoms else float(np.quantile(y, 0.01))
    high = float(np.mean(tops)) if tops else float(np.quantile(y, 0.99))
    return low, max(high, low + 1e-12)


def _points(device: Device, sign: int) -> _Points:
    found = list(_along(device, sign))
    if not found:
        return _Points(*np.empty((5, 0)))
    return _Points(*np.concatenate(found, axis=1))


def _along(device: Device, sign: int) -> Iterator[Float64[np.ndarray, "5 readings"]]:
    from scipy.signal import savgol_filter

    for begin, end, direction in branches(device):
        y = device.readings[begin:end]
        pulses = np.abs(device.pulses[begin + 1 : end]).astype(float)
        if direction != sign or len(y) < _LEAST or not (pulses > 0).all():
            continue
        window = max(5, 2 * (len(y) // (2 * _PART)) + 1)
        smooth = savgol_filter(y, window, 2)
        step = sign * savgol_filter(y, window, 2, deriv=1)
        slope = (step[:-1] + step[1:]) / 2 / pulses
        rest = np.diff(y) - sign * slope * pulses
        after = np.append(rest[1:], np.nan)
        yield np.stack([smooth[:-1], slope, rest, after, pulses])


def _placed(points: _Points, zero: float, low: float, high: float) -> _Points:
    """Count places from `zero`, -1 and 1 at a device's own bounds."""
    off = points.place - zero
    reach = np.where(off > 0, max(high - zero, 1e-12), max(zero - low, 1e-12))
    return points._replace(place=np.clip(off / reach, -1, 1))


def _binned(place: Curve, values: Curve, edges: Curve) -> Curve:
    """Mean in every bin; a bin of few readings takes it from its neighbours."""
    bins = np.clip(np.digitize(place, edges) - 1, 0, len(edges) - 2)
    count = np.bincount(bins, minlength=len(edges) - 1)
    total = np.bincount(bins, weights=values, minlength=len(edges) - 1)
    known = count >= _LEAST
    if not known.any():
        return np.full(len(count), float(values.mean()))
    middles = (edges[:-1] + edges[1:]) / 2
    mean: Curve = np.interp(middles, middles[known], total[known] / count[known])
    return mean


def _cancel(points: Sequence[Sequence[_Points]], low: float, high: float) -> float:
    """Where mean steps up and down are the same; the middle if that is nowhere in the window."""
    edges = np.linspace(low, high, BINS + 1)
    up, down = (
        _binned(
            np.concatenate([pair[way].place for pair in points]),
            np.concatenate([pair[way].slope for pair in points]),
            edges,
        )
        for way in range(2)
    )
    middles, apart = (edges[:-1] + edges[1:]) / 2, up - down
    crossings = np.flatnonzero((apart[:-1] > 0) & (apart[1:] <= 0))
    if not len(crossings):
        return (low + high) / 2
    k = crossings[np.abs(crossings - len(apart) / 2).argmin()]
    part = apart[k] / (apart[k] - apart[k + 1])
    found = float(middles[k] + part * (middles[k + 1] - middles[k]))
    margin = 0.05 * (high - low)
    return found if low + margin < found < high - margin else (low + high) / 2


def _spread_of_points(
    points: Sequence[Sequence[_Points]], windows: Sequence[tuple[float, float]]
) -> float:
    each = [_cancel([pair], *window) for pair, window in zip(points, windows, strict=True)]
    return std(np.array(each))


def _reading_variance(own: Sequence[Sequence[_Points]]) -> float:
    """r, from residuals that follow one another."""
    pairs = np.concatenate([each.rest * each.next for pair in own for each in pair])
    return max(-float(np.nanmean(pairs)), 0.0) if np.isfinite(pairs).any() else 0.0


def _parameters(
    places: Curve,
    up: Curve,
    down: Curve,
    gains: Float64[np.ndarray, "devices 2"],
    bounds: Sequence[tuple[float, float]],
    reading: float,
) -> dict[str, Estimate]:
    devices = len(bounds)
    at_zero = float(np.interp(0, places, up)), float(np.interp(0, places, down))
    step = max(at_zero)
    gain, asymmetry = gains.mean(axis=1), (gains[:, 0] - gains[:, 1]) / 2
    low, high = (np.array(each) for each in zip(*bounds, strict=True))

    def spread(values: Curve, size: float = 1.0) -> Estimate:
        if devices < 2:
            return 0.0, math.inf
        return std(values) / size, std(values) / size / math.sqrt(2 * (devices - 1))

    return {
        "dw_min": (step, step * std(gain) / math.sqrt(devices)),
        "dw_min_spread": spread(gain),
        "up_down_spread": spread(asymmetry),
        "w_max": (float(high.mean()), std(high) / math.sqrt(devices)),
        "w_min": (float(low.mean()), std(low) / math.sqrt(devices)),
        "w_max_spread": spread(high, abs(float(high.mean()))),
        "w_min_spread": spread(low, abs(float(low.mean()))),
        "write_noise": (reading / step, math.inf),
    }


def _course(
    device: Device,
    places: Curve,
    rows: Float64[np.ndarray, "4 rows"],
    gain: Float64[np.ndarray, "2"],
    bound: tuple[float, float],
    reading: float,
) -> Forecast:
    knots = np.linspace(-1, 1, 4 * BINS + 1)
    even = np.stack([np.interp(knots, places, each) for each in rows])
    out = np.empty((2, len(device.readings)))
    limits = np.array([*bound, reading])
    random = np.random.default_rng(0)
    for begin, end in pairwise([*device.starts.tolist(), len(device.readings)]):
        pulses = device.pulses[begin:end]
        drawn = random.standard_normal((1 + int(np.abs(pulses[1:]).sum()), _CELLS))
        _follow(out[:, begin:end], device.readings[begin], pulses, even, gain, limits, drawn)
    return Forecast(np.zeros(len(out[0])), out[0], out[1], out[0], out[1])


@compiled(
    "void(float64[:,:], float64, int64[::1], float64[:,::1], float64[::1], float64[::1],"
    " float64[:,::1])"
)
@no_type_check
def _follow(out, start, pulses, table, gain, limits, drawn):
    # mean and variance of simulated cells: where steps change with the weight, the mean of many
    # courses is not the course of the mean
    low, high, reading = limits[0], limits[1], limits[2]
    half = (table.shape[1] - 1) / 2
    w = start + math.sqrt(reading) * drawn[0]
    out[0, 0], out[1, 0] = start, reading
    number = 1
    for k in range(1, pulses.size):
        way = 0 if pulses[k] > 0 else 1
        sign = 1.0 if way == 0 else -1.0
        for _ in range(abs(pulses[k])):
            for cell in range(w.size):
                place = w[cell] / high if w[cell] > 0 else -w[cell] / low
                at = (min(max(place, -1.0), 1.0) + 1) * half
                piece = min(int(at), table.shape[1] - 2)
                part = at - piece
                mean = table[way, piece] * (1 - part) + table[way, piece + 1] * part
                sigma = table[2 + way, piece] * (1 - part) + table[2 + way, piece + 1] * part
                step = sign * mean + sigma * drawn[number, cell]
                w[cell] = min(max(w[cell] + gain[way] * step, low), high)
            number += 1
        out[0, k], out[1, k] = w.mean(), w.var() + reading
