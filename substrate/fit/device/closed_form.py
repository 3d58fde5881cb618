"""One device and its law: a closed form whose parameters climb the likelihood of its readings.

Errors of a law are those of its likelihood (`substrate/fit/maximise.py`): with Cov(θ) = Σ d dᵀ the
square of the error of a number x of the law is

    s² = Σ_d ((x(θ + ε d) - x(θ)) / ε)²

A bound that is where readings ended has the error of those that it is the mean of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from substrate.fit.device.curves import Device, ends, last_readings, moved
from substrate.fit.device.pulse_filter import Forecast, Law, forecast
from substrate.fit.maximise import maximise, standard_directions
from substrate.fit.sums import Vector

_NEAR = 0.5
"""A bound that lies no further beyond the readings than this part of their span is one."""
_STRAYS = 0.1
"""Squares of what courses stray by, as a part of those that are expected, below which it is no
chance: of a random walk alone they fall that low once in some hundred courses."""
_SMALL = 1e-3
"""Standard errors between a law and those near it, so few that its numbers change in proportion."""
_LIMIT = 1e6
_FINEST = 4e-6
"""Variance of a reading at least, in normal coordinates: a thousandth of the span. Readings that
repeat to the last digit at a bound would else have an infinite density."""


@dataclass(frozen=True)
class Fitted:
    """One device and its law, in weights.

    Attributes:
        device: readings as weights.
        law: that was found.
        log_densities: of its readings, each given those before it.
        near: the law moved by `_SMALL` of its errors, in every independent direction of them.
    """

    device: Device
    law: Law
    log_densities: Float64[np.ndarray, " readings"]
    near: tuple[Law, ...] = ()

    def forecast(self) -> Forecast:
        """See `pulse_filter.forecast`."""
        return forecast(self.device.readings, self.device.pulses, self.device.starts, self.law)

    def through(self, change: Callable[[Law], Law]) -> Fitted:
        """Change the law, and those near it likewise."""
        return replace(self, law=change(self.law), near=tuple(map(change, self.near)))

    def square_of_error(self, number: Callable[[Law], float]) -> float:
        """s² of a number of the law."""
        here = number(self.law)
        return sum(((number(each) - here) / _SMALL) ** 2 for each in self.near)


@dataclass(frozen=True)
class Form:
    """A closed form of one device by θ = ln u, ln v, s_u, s_v, ln r, and ln σ where that is free.

    Attributes:
        device: in normal coordinates.
        additive: whether the spread of steps is.
        clipped: whether there are hard bounds.
        low: where readings down ended.
        high: where readings up ended.
        spread: σ; None where it is free.
    """

    device: Device
    additive: bool
    clipped: bool
    low: float
    high: float
    spread: float | None = None

    def law(self, theta: Vector) -> Law:
        """The device's law."""
        u, v = np.exp(theta[:2]).tolist()
        spread = math.exp(theta[5]) if self.spread is None else self.spread
        low, high = (self.low, self.high) if self.clipped else (-_LIMIT, _LIMIT)
        reading = math.exp(theta[4]) + _FINEST
        slopes = float(theta[2]), float(theta[3])
        return Law(u, v, *slopes, spread, reading, low, high, self.additive)

    def densities(self, theta: Vector) -> Float64[np.ndarray, " readings"]:
        """ln p of every reading given those before it."""
        if abs(theta[2]) * math.exp(theta[0]) > 0.9 or abs(theta[3]) * math.exp(theta[1]) > 0.9:
            raise ValueError("a step is longer than the way")
        device = self.device
        found = forecast(device.readings, device.pulses, device.starts, self.law(theta))
        return found.log_densities

    def fitted(self, theta: Vector, information: Float64[np.ndarray, "all all"]) -> Fitted:
        """The device by the θ that was climbed to."""
        directions, _ = standard_directions(information)
        found = self._bounded(theta)
        # readings without noise leave ln r open to any length, and nothing else goes with it
        moves = np.clip(_SMALL * directions.T, -1.0, 1.0)
        near = [self._bounded(theta + each) for each in moves]
        up, down = (
            _SMALL * math.sqrt(found.reading / max(1, count))
            for count in last_readings(self.device)
        )
        near += [found._replace(high=found.high + up), found._replace(low=found.low + down)]
        return Fitted(self.device, found, self.densities(theta), tuple(near))

    def _bounded(self, theta: Vector) -> Law:
        law = self.law(theta)
        seen = law.reading if law.reading > 1.01 * _FINEST else 0.0
        return law._replace(low=self.low, high=self.high, reading=seen)


def fit_one(device: Device, additive: bool, clipped: bool) -> Fitted | None:
    """Climb from a start that moments of the readings suggest."""
    tops, bottoms = ends(device)
    y, pulses = device.readings, device.pulses
    top = max(tops) if tops else float(np.quantile(y, 0.99))
    bottom = min(bottoms) if bottoms else float(np.quantile(y, 0.01))
    form = Form(device, additive, clipped, bottom, top)
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
                2 * math.log(jitter),
                math.log(0.3),
            ]
        )
        climbed = maximise(form.densities, start, 80)
        if climbed is not None and (found is None or climbed[1] > found[1]):
            found = climbed
    return None if found is None else form.fitted(found[0], found[2])


def standard_errors_ahead(ones: Sequence[Fitted], others: Sequence[Fitted]) -> float:
    """By how much readings are likelier under one law than under another (Vuong, 1989).

    z = Σ m_i / (√n · std m),  m_i the difference of a reading's log densities. Not nested laws of
    as many parameters are compared, and z is normal where neither is nearer to the truth.
    """
    more = np.concatenate(
        [a.log_densities - b.log_densities for a, b in zip(ones, others, strict=True)]
    )
    spread = float(more.std())
    return float(more.sum()) / (math.sqrt(len(more)) * spread) if spread > 0 else 0.0


def without_memory(fitted: list[Fitted], notes: list[str]) -> list[Fitted]:
    """Bring spreads of steps down to what the courses wander by.

    Readings whose noise has a memory look like steps that vary, from one to the next; yet steps
    would add up over a course, and noise does not.
    """
    square, expected = 0.0, 0.0
    for each in fitted:
        course = each.forecast()
        square += float(((each.device.readings - course.free) ** 2).sum())
        expected += float(course.free_variance.sum())
    ratio = square / expected
    if ratio > _STRAYS:
        return fitted
    notes.append(
        f"courses stray from the law by {math.sqrt(ratio):.0%} of what steps of so large a spread "
        "would add up to: the noise of readings has a memory, and cycle_spread is brought down to "
        "what courses stray by; fit the noise of a reading at rest with substrate fit"
    )
    return [
        each.through(lambda law: law._replace(spread=law.spread * math.sqrt(ratio)))
        for each in fitted
    ]


def bounds_near(fitted: list[Fitted]) -> bool:
    """Whether readings of most devices came near where steps vanish, on both sides."""
    result = []
    for each in fitted:
        law = each.law
        span = law.high - law.low
        up = 1 / law.slope_up if law.slope_up > 0 else math.inf
        down = 1 / law.slope_down if law.slope_down > 0 else math.inf
        result.append(up < law.high + _NEAR * span and down < -law.low + _NEAR * span)
    return bool(np.mean(result) > 0.5)


def with_bounds(law: Law) -> Law:
    """Put bounds where steps vanish."""
    high = 1 / law.slope_up if law.slope_up > 0 else law.high
    low = -1 / law.slope_down if law.slope_down > 0 else law.low
    return law._replace(high=high, low=low)


def symmetry_point(law: Law) -> float:
    """Give where a step up and one down cancel, 0 where they do nowhere."""
    slope = law.up * law.slope_up + law.down * law.slope_down
    return (law.up - law.down) / slope if slope > 1e-9 else 0.0


def rescaled(each: Fitted, zero: float, scale: float) -> Fitted:
    """Count from `zero`, in units of `scale`."""
    counted = each.through(lambda law: _rescaled(law, zero, scale))
    return replace(counted, device=moved(each.device, zero, scale))


def _rescaled(law: Law, zero: float, scale: float) -> Law:
    at_up, at_down = 1 - law.slope_up * zero, 1 + law.slope_down * zero
    return Law(
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
