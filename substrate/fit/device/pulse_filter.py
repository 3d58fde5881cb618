"""How well a pulse response foretells a device's readings: an extended Kalman filter.

    up:    w ← w + u (1 - s_u w) + σ u f ξ        down:  w ← w - v (1 + s_v w) + σ v f ξ
    then   w ← clip(w, low, high),    reading y = w + √r η

f is the relative step at the present weight, or 1 where the spread is additive
(`devices/crossbars/native/response.py`). Variances go on linearly; at a bound only steps that go
backwards leave any. A cycle starts at its first reading.
"""

from __future__ import annotations

import math
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float64, Int64

from devices.compiled import compiled


class Law(NamedTuple):
    """One device: steps at w = 0, slopes, spread of a step, variance of a reading, bounds."""

    up: float
    down: float
    slope_up: float
    slope_down: float
    spread: float
    reading: float
    low: float
    high: float
    additive: bool


class Forecast(NamedTuple):
    """Of every reading given those before it.

    Attributes:
        log_densities: ln p.
        expected: mean.
        variance: around it.
        free: the course of the law from the first reading on, without looking at later ones.
        free_variance: around that.
    """

    log_densities: Float64[np.ndarray, " readings"]
    expected: Float64[np.ndarray, " readings"]
    variance: Float64[np.ndarray, " readings"]
    free: Float64[np.ndarray, " readings"]
    free_variance: Float64[np.ndarray, " readings"]


def forecast(
    readings: Float64[np.ndarray, " readings"],
    pulses: Int64[np.ndarray, " readings"],
    starts: Int64[np.ndarray, " cycles"],
    law: Law,
) -> Forecast:
    """Follow one device.

    Args:
        readings: of all cycles, one behind the other.
        pulses: before each reading, positive up.
        starts: number of the first reading of every cycle.
        law: the device.
    """
    out = np.empty((5, len(readings)))
    numbers = np.array([float(each) for each in law])
    first = np.zeros(len(readings), dtype=np.int64)
    first[starts] = 1
    _forecast(out, readings, pulses, first, numbers)
    return Forecast(*out)


@compiled("void(float64[:,::1], float64[::1], int64[::1], int64[::1], float64[::1])")
@no_type_check
def _forecast(out, readings, pulses, first, law):
    up, down, slope_up, slope_down, spread, reading, low, high, additive = law
    half_log = 0.5 * np.log(2 * np.pi)
    w = np.zeros(2)
    variance = np.zeros(2)
    for k in range(readings.size):
        if first[k]:
            for track in range(2):
                w[track] = readings[k]
                variance[track] = reading
            out[0, k] = 0.0
            out[1, k] = readings[k]
            out[2, k] = reading
            out[3, k] = readings[k]
            out[4, k] = reading
            continue
        for track in range(2):
            for _ in range(abs(pulses[k])):
                if pulses[k] > 0:
                    relative = 1 - slope_up * w[track]
                    step, slope, size = up * relative, up * slope_up, up
                else:
                    relative = 1 + slope_down * w[track]
                    step, slope, size = -down * relative, down * slope_down, down
                noise = spread * size * (1.0 if additive > 0 else relative)
                w[track] += step
                variance[track] = (1 - slope) * (1 - slope) * variance[track] + noise * noise
                if w[track] > high or w[track] < low:
                    w[track] = min(max(w[track], low), high)
                    # at a bound a weight stays, but for the steps that go backwards
                    size, noise = abs(step), max(abs(noise), 1e-12)
                    back = 0.5 * math.erfc(size / noise / math.sqrt(2.0))
                    density = math.exp(-0.5 * (size / noise) ** 2) / math.sqrt(2 * math.pi)
                    moment = (size * size + noise * noise) * back - size * noise * density
                    variance[track] = max(moment, 0.0)
        total = variance[0] + reading
        off = readings[k] - w[0]
        out[0, k] = -0.5 * off * off / total - 0.5 * np.log(total) - half_log
        out[1, k] = w[0]
        out[2, k] = total
        out[3, k] = w[1]
        out[4, k] = variance[1] + reading
        gain = variance[0] / total
        w[0] += gain * off
        variance[0] *= 1 - gain
