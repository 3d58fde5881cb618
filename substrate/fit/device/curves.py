"""Curves of one device: its branches of pulses in one direction, and how far a law strays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from jaxtyping import Float64, Int64

from substrate.fit.device.data import Response
from substrate.fit.device.pulse_filter import Forecast

_SHORTEST = 4
"""Readings of a branch whose end is looked at."""


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


def by_device(responses: Sequence[Response]) -> list[Device]:
    """Put the cycles of every device behind one another."""
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


def moved(device: Device, zero: float, scale: float) -> Device:
    """Count readings from `zero`, in units of `scale`."""
    readings = (device.readings - zero) / scale
    return Device(device.name, readings, device.pulses, device.starts)


def branches(device: Device) -> Iterator[tuple[int, int, int]]:
    """Give first reading, the one after the last, and the sign of every branch.

    The first reading is that before the branch's first pulse.
    """
    signs = np.sign(device.pulses)
    for begin, end in pairwise([*device.starts.tolist(), len(signs)]):
        place = begin + 1
        for sign, group in groupby(signs[begin + 1 : end].tolist()):
            length = len(list(group))
            if sign:
                yield place - 1, place + length, sign
            place += length


def ends(device: Device) -> tuple[list[float], list[float]]:
    """Mean of the last twentieth of every branch up, and of every branch down."""
    tops: list[float] = []
    bottoms: list[float] = []
    for begin, end, sign in branches(device):
        if end - begin >= _SHORTEST:
            last = float(device.readings[end - max(1, (end - begin) // 20) : end].mean())
            (tops if sign > 0 else bottoms).append(last)
    return tops, bottoms


def last_readings(device: Device) -> tuple[int, int]:
    """How many readings the highest of `ends` is the mean of, and the lowest."""
    counts = {1: 0, -1: 0}
    for begin, end, sign in branches(device):
        if end - begin >= _SHORTEST:
            counts[sign] = max(counts[sign], (end - begin) // 20, 1)
    return counts[1], counts[-1]


def span(device: Device) -> float:
    """How far the ends of rising and falling branches lie apart, on average over a few readings."""
    tops, bottoms = ends(device)
    return (
        float(np.mean(tops) - np.mean(bottoms))
        if len(tops) and len(bottoms)
        else float(np.quantile(device.readings, 0.95) - np.quantile(device.readings, 0.05))
    )


def jitter(device: Device) -> float:
    """The usual difference of neighbouring readings."""
    return float(np.median(np.abs(np.diff(device.readings)))) if len(device.readings) > 1 else 0.0


def misfit(devices: Sequence[Device], courses: Sequence[Forecast], window: float) -> float:
    """How far mean curves stray from the law beyond what its own noise explains.

    Args:
        devices: readings as weights.
        courses: of the law, for each.
        window: length of the window, in weights.

    Returns:
        root mean square, a part of the window.
    """
    size = max(len(each.readings) for each in devices)
    residual, variance, count = np.zeros(size), np.zeros(size), np.zeros(size)
    for device, course in zip(devices, courses, strict=True):
        for begin, end in pairwise([*device.starts.tolist(), len(course.free)]):
            place = slice(0, end - begin)
            residual[place] += device.readings[begin:end] - course.free[begin:end]
            variance[place] += course.free_variance[begin:end]
            count[place] += 1
    used = count > 0
    mean, noise = residual[used] / count[used], variance[used] / count[used] ** 2
    beyond = float((mean**2).mean() - noise.mean())
    return math.sqrt(max(beyond, 0.0)) / window
