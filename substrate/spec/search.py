"""The limit of a field up to which a device stays feasible, from few noisy runs.

    m(x)   margin: tolerance minus expected gap, at a value x of the field;  feasible: m ≥ 0
    x*     limit: m(x*) = 0

Of the margin there are equally likely truths (`substrate.spec.truths`), and each has a limit. Their
median is the estimate, their quantiles are the interval, and around them the next runs are made.
With two fields, the limit of the last is sought at several values of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import qmc

from substrate.randomness import stream_seed
from substrate.spec.axis import Axis
from substrate.spec.surrogate import Array
from substrate.spec.truths import Point, Truths

_TAILS = {False: 3, True: 2}
"""Each tail of an interval is (1 - confidence) / 3, since a search ends when it looks narrow; of
whole numbers half, since it is wider than it looks by what lies between them."""

_BATCH = {False: 4, True: 2}
"""Runs between two looks, likewise."""

_WIDER = 2.0
"""Runs are made over so many times the limit's own spread, since its slope must be known too; from
further away a cliff beyond the limit pulls it to the side that is feasible."""

_FIRST = {False: 5, True: 3}
"""Runs of one field to begin with, likewise."""

_FEWEST = {False: 16, True: 8}
"""Runs before a search may end, by whether the last field is whole: such runs repeat others."""

ROUNDED = 1e-9
"""What lies this near to a limit, in parts of the range, lies on it."""

CONTRADICTED, _DOUBTED = 0.975, 0.5
"""How sure runs must be against a claimed side that it is given up, or measured again there."""


class Measured(NamedTuple):
    """What a batch of runs came to.

    Attributes:
        margins: one a run.
        shared_error: standard error that all runs so far have in common, in units of the margin.
    """

    margins: Sequence[float]
    shared_error: float = 0.0


@dataclass(frozen=True)
class Limit:
    """The limit of the last field at one value of the first, or of the only one.

    Attributes:
        first: that value; None with one field.
        estimate: the median; an end of the range where it lies there or beyond.
        low: lower end of the interval.
        high: upper end of it.
        all_feasible: of equally likely truths, the fraction that are so in the whole range.
        none_feasible: likewise those that are so nowhere in it.
    """

    first: float | None
    estimate: float
    low: float
    high: float
    all_feasible: float
    none_feasible: float

    @property
    def known(self) -> bool:
        """Whether the range holds a limit, more likely than not."""
        return max(self.all_feasible, self.none_feasible) <= 0.5


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        axes: the fields' ranges, one or two.
        rising: whether a device gets better as the last field gets larger.
        limits: one, or with two fields one at each of several values of the first.
        confidence: of the intervals.
        points: where a run was made, in the order of the runs.
        margins: what each came to.
        resolved: whether the intervals are as narrow as was asked for.
        against: how sure the runs are, at the place where they are so most, that a side of the
            limit is not of the kind it is said to be.
        against_at: that place.
    """

    axes: Sequence[Axis]
    rising: bool
    limits: Sequence[Limit]
    confidence: float
    points: Sequence[Point]
    margins: Sequence[float]
    resolved: bool
    against: float = 0.0
    against_at: Point = ()

    def places(self, name: Literal["estimate", "low", "high"]) -> Array:
        """Places of the limits along the last field, by value of the first.

        They lie outside of 0...1 where the whole range is of one kind.
        """
        begin, behind = (2.0, -1.0) if self.rising else (-1.0, 2.0)
        return np.array(
            [
                begin
                if each.none_feasible > 0.5
                else behind
                if each.all_feasible > 0.5
                else self.axes[-1].place(getattr(each, name))
                for each in self.limits
            ]
        )

    def inside(self, places: Array, limits: Array) -> Array:
        """How far places along the last field lie inside what is feasible by the limits."""
        return places - limits if self.rising else limits - places


def search_limit(
    axes: Sequence[Axis],
    measure: Callable[[Sequence[Point]], Measured],
    scale: float,
    *,
    resolution: float = 1 / 16,
    confidence: float = 0.95,
    most_runs: int = 60,
    on_round: Callable[[Found], None] = lambda found: None,
) -> Found:
    """Find the limit of a field, or of a second at every value of a first.

    The same figures lead to the same next runs, so a search that was stopped can be repeated.

    Args:
        axes: one or two.
        measure: makes a run at each of some points, every one with a seed of its own.
        scale: a margin that matters, such as the tolerance.
        resolution: how narrow the interval is to be, as a fraction of the range; where only whole
            numbers can be had, it may also end when two neighbours are left.
        confidence: of the interval.
        most_runs: to end after, however wide the interval is.
        on_round: is told of what is known after every batch.
    """
    points = _first_points(axes)
    margins, shared_error = measure(points)
    resolved_before = False
    while True:
        drawn = Truths(axes, points, margins, scale, shared_error)
        found = _found(drawn, axes, points, margins, resolution, confidence)
        on_round(found)
        # from few runs the curve may seem too smooth, and the interval narrow: it must last, but
        # not between whole numbers, where nothing is measured
        lasts = found.resolved and (resolved_before or axes[-1].whole)
        ends = lasts and len(points) >= _FEWEST[axes[-1].whole]
        doubted = _DOUBTED < found.against < CONTRADICTED
        if (ends and not doubted) or len(points) >= most_runs:
            return found
        resolved_before = found.resolved
        count = min(_BATCH[axes[-1].whole], most_runs - len(points))
        more = [found.against_at] * count if ends else _next_points(axes, drawn, count)
        told = measure(more)
        points = [*points, *more]
        margins, shared_error = [*margins, *told.margins], told.shared_error


def _found(
    drawn: Truths,
    axes: Sequence[Axis],
    points: Sequence[Point],
    margins: Sequence[float],
    resolution: float,
    confidence: float,
) -> Found:
    last, tails = axes[-1], tail(confidence, axes[-1])
    limits, resolved = [], True
    for number, crossings in enumerate(drawn.crossings.T):
        low, middle, high = np.quantile(crossings, (tails, 0.5, 1 - tails)).clip(0, 1)
        before, behind = float((crossings < 0).mean()), float((crossings > 1).mean())
        limit = Limit(
            first=None if len(axes) == 1 else axes[0].value(drawn.columns[number]),
            estimate=last.value(middle),
            low=last.value(low),
            high=last.value(high),
            all_feasible=before if drawn.rising else behind,
            none_feasible=behind if drawn.rising else before,
        )
        limits.append(limit)
        lowest, highest = (whole(each, drawn.rising) for each in (limit.low, limit.high))
        # no two neighbours can be told apart where the limit lies close to one of them
        neighbours = last.whole and highest - lowest <= 1
        resolved &= high - low <= resolution or neighbours
    found = Found(
        axes=axes,
        rising=drawn.rising,
        limits=limits,
        confidence=confidence,
        points=points,
        margins=margins,
        resolved=bool(resolved),
    )
    against, place = _against(drawn, found)
    return replace(found, against=against, against_at=place)


def _against(drawn: Truths, found: Found) -> tuple[float, Point]:
    """How sure it is at most that a place outside of the intervals is of the other kind, and where.

    Of truths that may go up and down: those that the limit is told from cannot tell.
    """
    ends = [found.places(end)[:, None] for end in ("low", "high")]
    inside = np.stack([found.inside(drawn.along, end) for end in ends])
    feasible, beyond = inside.min(0) >= -ROUNDED, inside.max(0) <= ROUNDED
    sure = np.where(feasible, 1 - drawn.within, np.where(beyond, drawn.within, 0.0))
    column, place = np.unravel_index(sure.argmax(), sure.shape)
    at = (
        [drawn.along[place]]
        if len(found.axes) == 1
        else [drawn.columns[column], drawn.along[place]]
    )
    return float(sure.max()), _measurable(found.axes, at)


def tail(confidence: float, axis: Axis) -> float:
    """How much lies beyond each end of an interval."""
    return (1 - confidence) / _TAILS[axis.whole]


def whole(value: float, rising: bool) -> int:
    """The whole number that a limit comes to: the nearest that is feasible."""
    return int(np.ceil(value - 1e-9) if rising else np.floor(value + 1e-9))


def _first_points(axes: Sequence[Axis]) -> list[Point]:
    if len(axes) == 1:
        places = [[place] for place in np.linspace(0, 1, _FIRST[axes[0].whole])]
    else:
        inside = qmc.Sobol(2, rng=np.random.default_rng(stream_seed(0, "limit"))).random(8)
        places = [[0, 0], [0, 1], [1, 0], [1, 1], *inside.tolist()]
    return list(dict.fromkeys(_measurable(axes, place) for place in places))


def _next_points(axes: Sequence[Axis], drawn: Truths, count: int) -> list[Point]:
    crossings = drawn.crossings.clip(0, 1)
    quantiles = (np.arange(count) + 0.5) / count
    if len(axes) == 1:
        places = _around(crossings[:, 0], quantiles)
        middle = float(np.median(drawn.crossings))
        if not 0 <= middle <= 1:  # all of one kind has no direction: it may end at either end
            places[1::2] = [float(middle < 0)] * (count // 2)
        return [_measurable(axes, [place]) for place in places]
    # where the border is known least; a run in one column tells of its neighbours too
    widths = np.quantile(crossings, 0.975, 0) - np.quantile(crossings, 0.025, 0)
    more = []
    for quantile in quantiles:
        column = int(widths.argmax())
        widths[column] *= 0.5
        (place,) = _around(crossings[:, column], quantile[None])
        more.append(_measurable(axes, [drawn.columns[column], place]))
    return more


def _around(crossings: Array, quantiles: Array) -> list[float]:
    """Places where the limit may be and to both sides, so that the slope there is measured too."""
    middle = np.median(crossings)
    spread = middle + _WIDER * (np.quantile(crossings, quantiles) - middle)
    return [float(place) for place in spread.clip(0, 1)]


def _measurable(axes: Sequence[Axis], places: Sequence[float]) -> Point:
    return tuple(axis.measurable(place) for axis, place in zip(axes, places, strict=True))
