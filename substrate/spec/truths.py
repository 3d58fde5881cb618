"""Equally likely truths about how a margin goes with a field, and where each crosses 0.

    m(x)   margin: tolerance minus expected gap, at a value x of the field
    y_i    1.4 tanh((m(x_i) + noise_i) / 1.4 scale), what a run with a seed of its own gives
    x*     limit: m(x*) = 0

A device that fails falls behind by half of its accuracy, and one that works by a point: tanh keeps
both in view, and being odd it leaves 0, where the limit is, where it was if noise lies to both
sides alike. If some seeds are lost it does not, and the limit is that of a typical run, which
`substrate.spec.claim` holds against the runs. Of the response
`substrate.spec.surrogate` draws equally likely truths; the half of them that is nearest to monotone
is made so by isotonic regression (Lin and Dunson, Biometrika 101, 2014), and each has a limit.

What all runs share, as the test samples, does not average out: every draw has its own error of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import isotonic_regression

from substrate.randomness import stream_seed
from substrate.spec.axis import Axis
from substrate.spec.surrogate import Array, Surrogate

_SQUASH = 1.4
"""Less hides how the margin rises; more makes a cliff so deep that it moves the limit."""

_DRAWS = 400

_KEPT = 0.5
"""Of the draws, those that come nearest to being monotone by themselves."""

_SMOOTH = 1.5
"""A response is taken not to change direction within so many whole numbers."""

_ALONG = {1: 49, 2: 25}
"""Places along the last field, by the number of fields."""

_COLUMNS = 9
"""Values of the first of two fields, at most, at which the limit of the second is sought."""

Point = tuple[float, ...]


class Truths:
    """Equally likely truths, and where each has its limits.

    Attributes:
        rising: whether the margin grows along the last field.
        along: places along it, in 0…1.
        columns: places along the first of two fields, (columns,); of one field a single 0.
        within: of the truths before they are made monotone, the fraction that is feasible,
            (columns, places).
        crossings: where each truth crosses 0 there, (draws, columns); -1 before the range begins,
            and 2 behind its end.
    """

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
        self.columns = columns_of(axes[0]) if len(axes) == 2 else np.zeros(1)
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
        self.within = (paths >= 0).mean(0)
        self.crossings = np.empty(paths.shape[:2])
        for number in range(len(self.columns)):
            straight = np.array(
                [isotonic_regression(path, increasing=self.rising).x for path in paths[:, number]]
            )
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


def columns_of(first: Axis) -> Array:
    """Places along the first field where the border is looked for: each can be measured, once."""
    places = np.linspace(0, 1, _COLUMNS)
    if not first.whole:
        return places
    return np.array(sorted({first.place(first.measurable(place)) for place in places}))
