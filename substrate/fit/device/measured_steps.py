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
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import no_type_check

import numpy as np
from jaxtyping import Float64

from devices.compiled import compiled
from devices.crossbars.native.steps import COLUMNS
from substrate.fit.device.branch_points import (
    BINS,
    LEAST,
    Curve,
    Points,
    binned,
    cancelling,
    placed,
    points_of,
    reading_variance,
    spread_of_cancelling,
    window_of,
)
from substrate.fit.device.curves import Device, branches, moved
from substrate.fit.device.population import Estimate, std
from substrate.fit.device.pulse_filter import Forecast

_SLOW = 0.25
"""Steps of so small a part of the largest leave a cell nearly where it is."""
_CELLS = 64
"""Simulated for the course of one device."""


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

    @property
    def nearly_stops_at_both_ends(self) -> bool:
        """Whether neither direction moves a cell much at either end of the window."""
        ends = np.maximum(self.up, self.down)[[0, -1]]
        return bool(ends.max() < _SLOW * np.maximum(self.up, self.down).max())

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
    windows = [window_of(each) for each in devices]
    points = [[points_of(each, sign) for sign in (1, -1)] for each in devices]
    for device, pair in zip(devices, points, strict=True):
        _check_branches(device.name, *(len(each.place) for each in pair))
    low, high = (float(np.mean(each)) for each in zip(*windows, strict=True))
    cancel = cancelling(points, low, high)
    if zero is None:
        zero = cancel
    if scale is None:
        scale = max(high - zero, zero - low)
    edges = np.concatenate(
        [np.linspace(-1, 0, BINS // 2 + 1), np.linspace(0, 1, BINS // 2 + 1)[1:]]
    )
    middles = (edges[:-1] + edges[1:]) / 2
    own = [
        [placed(each, zero, *window) for each in pair]
        for pair, window in zip(points, windows, strict=True)
    ]
    gains = np.ones((len(devices), 2))
    tables = np.empty((2, BINS))
    for _ in range(3):
        for way in range(2):
            place = np.concatenate([pair[way].place for pair in own])
            slope = np.concatenate([p[way].slope / g[way] for p, g in zip(own, gains, strict=True)])
            tables[way] = np.maximum(binned(place, slope, edges), 0.0)
            for number, pair in enumerate(own):
                expected = np.interp(pair[way].place, middles, tables[way]).sum()
                gains[number, way] = max(pair[way].slope.sum() / max(expected, 1e-12), 1e-3)
        gains /= gains.mean(axis=0)
    reading = reading_variance(own)
    spreads = np.empty((2, BINS))
    for way in range(2):
        place = np.concatenate([pair[way].place for pair in own])
        square = np.concatenate(
            [
                (pair[way].rest ** 2 - 2 * reading) / pair[way].pulses / g[way] ** 2
                for pair, g in zip(own, gains, strict=True)
            ]
        )
        spreads[way] = np.sqrt(np.maximum(binned(place, square, edges), 0.0))
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
        (cancel, spread_of_cancelling(points, windows) / math.sqrt(len(devices))),
        _error(devices, own, reading, spreads) / float(tables.mean()),
    )


def _check_branches(name: str, up: int, down: int) -> None:
    fewest, way = min((up, "up"), (down, "down"))
    if up + down > 0 and fewest == 0:
        raise ValueError(
            f"device {name} has pulses in one direction only: add its rows, or a file "
            f"{name}_{way}.csv, of pulses {way}"
        )
    if fewest < LEAST:
        raise ValueError(
            f"device {name} has {fewest} readings in branches of {LEAST} at least of pulses {way}, "
            f"too few for its steps: add more"
        )


def _error(
    devices: Sequence[Device],
    own: Sequence[Sequence[Points]],
    reading: float,
    spreads: Float64[np.ndarray, "2 bins"],
) -> float:
    """Of a mean step: readings where a bin is entered and left, and the spread of steps in it."""
    crossings = max(1.0, sum(1 for each in devices for _ in branches(each)) / 2)
    pulses = sum(float(each.pulses.sum()) for pair in own for each in pair) / 2
    a_bin = max(1.0, pulses / crossings / BINS)
    square = 2 * reading / a_bin**2 + float((spreads**2).mean()) / a_bin
    return math.sqrt(square / crossings)


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
