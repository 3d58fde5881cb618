"""Places and steps along the branches of a device's course, smoothed; see `measured_steps.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from substrate.fit.device.curves import Device, branches, ends
from substrate.fit.device.population import std

BINS = 16
LEAST = 6
"""Readings that a bin needs; bins of fewer take what stands beside them."""
_PART = 6
"""A branch is smoothed over so great a part of it."""

Curve = Float64[np.ndarray, " rows"]


class Points(NamedTuple):
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


def window_of(device: Device) -> tuple[float, float]:
    """Means of the ends of branches down and up, as far as the device was driven."""
    tops, bottoms = ends(device)
    y = device.readings
    low = float(np.mean(bottoms)) if bottoms else float(np.quantile(y, 0.01))
    high = float(np.mean(tops)) if tops else float(np.quantile(y, 0.99))
    return low, max(high, low + 1e-12)


def points_of(device: Device, sign: int) -> Points:
    """Smooth all branches of one direction, 1 up and -1 down."""
    found = list(_along(device, sign))
    if not found:
        return Points(*np.empty((5, 0)))
    return Points(*np.concatenate(found, axis=1))


def _along(device: Device, sign: int) -> Iterator[Float64[np.ndarray, "5 readings"]]:
    from scipy.signal import savgol_filter

    for begin, end, direction in branches(device):
        y = device.readings[begin:end]
        pulses = np.abs(device.pulses[begin + 1 : end]).astype(float)
        if direction != sign or len(y) < LEAST or not (pulses > 0).all():
            continue
        window = max(5, 2 * (len(y) // (2 * _PART)) + 1)
        smooth = savgol_filter(y, window, 2)
        step = sign * savgol_filter(y, window, 2, deriv=1)
        slope = (step[:-1] + step[1:]) / 2 / pulses
        rest = np.diff(y) - sign * slope * pulses
        after = np.append(rest[1:], np.nan)
        yield np.stack([smooth[:-1], slope, rest, after, pulses])


def placed(points: Points, zero: float, low: float, high: float) -> Points:
    """Count places from `zero`, -1 and 1 at a device's own bounds."""
    off = points.place - zero
    reach = np.where(off > 0, max(high - zero, 1e-12), max(zero - low, 1e-12))
    return points._replace(place=np.clip(off / reach, -1, 1))


def binned(place: Curve, values: Curve, edges: Curve) -> Curve:
    """Mean in every bin; a bin of few readings takes it from its neighbours."""
    bins = np.clip(np.digitize(place, edges) - 1, 0, len(edges) - 2)
    count = np.bincount(bins, minlength=len(edges) - 1)
    total = np.bincount(bins, weights=values, minlength=len(edges) - 1)
    known = count >= LEAST
    if not known.any():
        return np.full(len(count), float(values.mean()))
    middles = (edges[:-1] + edges[1:]) / 2
    mean: Curve = np.interp(middles, middles[known], total[known] / count[known])
    return mean


def cancelling(points: Sequence[Sequence[Points]], low: float, high: float) -> float:
    """Where mean steps up and down are the same; the middle if that is nowhere in the window."""
    edges = np.linspace(low, high, BINS + 1)
    up, down = (
        binned(
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


def spread_of_cancelling(
    points: Sequence[Sequence[Points]], windows: Sequence[tuple[float, float]]
) -> float:
    """Standard deviation over devices of where steps up and down cancel."""
    each = [cancelling([pair], *window) for pair, window in zip(points, windows, strict=True)]
    return std(np.array(each))


def reading_variance(own: Sequence[Sequence[Points]]) -> float:
    """r, from residuals that follow one another."""
    pairs = np.concatenate([each.rest * each.next for pair in own for each in pair])
    return max(-float(np.nanmean(pairs)), 0.0) if np.isfinite(pairs).any() else 0.0
