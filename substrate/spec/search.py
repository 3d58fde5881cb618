"""The limit of a field up to which a device stays feasible, from few noisy runs.

    m(x)   margin: tolerance minus expected gap, at a value x of the field;  feasible: m ≥ 0
    y_i    1.4 tanh((m(x_i) + noise_i) / 1.4 scale), what a run with a seed of its own gives
    x*     limit: m(x*) = 0

A device that fails falls behind by half of its accuracy, and one that works by a point: tanh keeps
both in view, and being odd it leaves 0, where the limit is, where it was. Of the response
`substrate.spec.surrogate` draws equally likely truths; the half of them that is nearest to monotone
is made so by isotonic regression (Lin and Dunson, Biometrika 101, 2014), and each has a limit.
Their median is the estimate, their quantiles are the interval, and around them the next runs are
made. With two fields, the limit of the last is sought at several values of the first.

What all runs share, as the test samples, does not average out: every draw has its own error of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.stats import qmc

from substrate.randomness import stream_seed
from substrate.spec.axis import Axis
from substrate.spec.surrogate import Array, Surrogate

_SQUASH = 1.4
"""Less hides how the margin rises; more makes a cliff so deep that it moves the limit."""

_DRAWS = 400
_KEPT = 0.5
"""Of the draws, those that come nearest to being monotone by themselves."""

_TAILS = {False: 3, True: 2}
"""Each tail of an interval is (1 - confidence) / 3, since a search ends when it looks narrow; of
whole numbers half, since it is wider than it looks by what lies between them."""

_BATCH = {False: 4, True: 2}
"""Runs between two looks, likewise."""

_WIDER = 2.0
"""Runs are made over so many times the limit's own spread, since its slope must be known too; from
further away a cliff beyond the limit pulls it to the side that is feasible."""

_SMOOTH = 1.5
"""A response is taken not to change direction within so many whole numbers."""

_FIRST = {False: 5, True: 3}
"""Runs of one field to begin with, likewise."""

_FEWEST = {False: 16, True: 8}
"""Runs before a search may end, by whether the last field is whole: such runs repeat others."""

_ALONG = {1: 49, 2: 25}
"""Places along the last field, by the number of fields."""

COLUMNS = 9
"""Values of the first of two fields at which the limit of the second is sought."""

Point = tuple[float, ...]


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
        feasible: with two fields, probability of a positive margin, (COLUMNS, places).
        along: values of the last field there, (places,).
    """

    axes: Sequence[Axis]
    rising: bool
    limits: Sequence[Limit]
    confidence: float
    points: Sequence[Point]
    margins: Sequence[float]
    resolved: bool
    feasible: Array = field(repr=False)
    along: Array = field(repr=False)


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
        drawn = _Drawn(axes, points, margins, scale, shared_error)
        found = _found(drawn, axes, points, margins, resolution, confidence)
        on_round(found)
        # from few runs the curve may seem too smooth, and the interval narrow: it must last, but
        # not between whole numbers, where nothing is measured
        lasts = found.resolved and (resolved_before or axes[-1].whole)
        if (lasts and len(points) >= _FEWEST[axes[-1].whole]) or len(points) >= most_runs:
            return found
        resolved_before = found.resolved
        count = min(_BATCH[axes[-1].whole], most_runs - len(points))
        more = _next_points(axes, drawn, count)
        told = measure(more)
        points = [*points, *more]
        margins, shared_error = [*margins, *told.margins], told.shared_error


def limits_from(
    axes: Sequence[Axis],
    points: Sequence[Point],
    margins: Sequence[float],
    scale: float,
    *,
    shared_error: float = 0.0,
    resolution: float = 1 / 16,
    confidence: float = 0.95,
) -> Found:
    """Say what runs that were made anywhere tell of the limit; arguments as of `search_limit`."""
    drawn = _Drawn(axes, points, margins, scale, shared_error)
    return _found(drawn, axes, points, margins, resolution, confidence)


def _found(
    drawn: _Drawn,
    axes: Sequence[Axis],
    points: Sequence[Point],
    margins: Sequence[float],
    resolution: float,
    confidence: float,
) -> Found:
    last, tails = axes[-1], (1 - confidence) / _TAILS[axes[-1].whole]
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
    return Found(
        axes=axes,
        rising=drawn.rising,
        limits=limits,
        confidence=confidence,
        points=points,
        margins=margins,
        resolved=bool(resolved),
        feasible=drawn.feasible,
        along=np.array([last.value(place) for place in drawn.along]),
    )


def whole(value: float, rising: bool) -> int:
    """The whole number that a limit comes to: the nearest that is feasible."""
    return int(np.ceil(value - 1e-9) if rising else np.floor(value + 1e-9))


class _Drawn:
    """Equally likely truths, and where each has its limits."""

    def __init__(
        self,
        axes: Sequence[Axis],
        points: Sequence[Point],
        margins: Sequence[float],
        scale: float,
        shared_error: float,
    ) -> None:
        generator = np.random.default_rng(stream_seed(len(points), "limit"))
        places = np.array(
            [
                [axis.place(value) for axis, value in zip(axes, point, strict=True)]
                for point in points
            ]
        )
        relative = np.array(margins) / scale
        values = _SQUASH * np.tanh(relative / _SQUASH)
        self.along = np.linspace(0, 1, _ALONG[len(axes)])
        if len(axes) == 1:  # finer where the limit may be, which is where runs are
            near = np.unique(places[:, 0]).clip(0, 1)
            self.along = np.unique(np.concatenate([self.along, near]))
        self.columns = np.linspace(0, 1, COLUMNS) if len(axes) == 2 else np.zeros(1)
        grid = [
            [*([column] if len(axes) == 2 else []), place]
            for column in self.columns
            for place in self.along
        ]
        shortest = [_SMOOTH * axis.place(axis.low + 1) if axis.whole else 0.0 for axis in axes]
        surrogate = Surrogate(places, values, shortest)
        paths = surrogate.draws(np.array(grid), round(_DRAWS / _KEPT), generator)
        paths = paths.reshape(len(paths), len(self.columns), len(self.along))
        self.rising = bool(np.median(paths[:, :, -1] - paths[:, :, 0]) > 0)
        onward = paths if self.rising else -paths
        drop = (np.maximum.accumulate(onward, 2) - onward).max((1, 2))
        paths = paths[np.argsort(drop)[:_DRAWS]]
        paths = paths + shared_error / scale * generator.standard_normal((_DRAWS, 1, 1))
        self.feasible = np.empty(paths.shape[1:])
        self.crossings = np.empty(paths.shape[:2])
        for number in range(len(self.columns)):
            straight = np.array(
                [isotonic_regression(path, increasing=self.rising).x for path in paths[:, number]]
            )
            self.feasible[number] = (straight >= 0).mean(0)
            self.crossings[:, number] = _crossings(straight, self.along, self.rising)


def _crossings(paths: Array, along: Array, rising: bool) -> Array:
    """Where monotone paths cross 0; -1 before the range begins, and 2 behind its end.

    Args:
        paths: (draws, places).
        along: the places.
        rising: whether the paths are.
    """
    inside = paths >= 0 if rising else paths < 0  # past the limit
    after = inside.argmax(1).clip(min=1)
    rows = np.arange(len(paths))
    below, above = paths[rows, after - 1], paths[rows, after]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(above != below, below / (below - above), 0.5)
    found = along[after - 1] + part * (along[after] - along[after - 1])
    return np.where(inside[:, 0], -1.0, np.where(inside[:, -1], found, 2.0))


def _first_points(axes: Sequence[Axis]) -> list[Point]:
    if len(axes) == 1:
        places = [[place] for place in np.linspace(0, 1, _FIRST[axes[0].whole])]
    else:
        inside = qmc.Sobol(2, rng=np.random.default_rng(stream_seed(0, "limit"))).random(8)
        places = [[0, 0], [0, 1], [1, 0], [1, 1], *inside.tolist()]
    return list(dict.fromkeys(_measurable(axes, place) for place in places))


def _next_points(axes: Sequence[Axis], drawn: _Drawn, count: int) -> list[Point]:
    crossings = drawn.crossings.clip(0, 1)
    quantiles = (np.arange(count) + 0.5) / count
    if len(axes) == 1:
        return [_measurable(axes, [place]) for place in _around(crossings[:, 0], quantiles)]
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
