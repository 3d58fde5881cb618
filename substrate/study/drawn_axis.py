"""An axis of a study as pictures show it: where values lie along it, its ticks and its label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from substrate.study.effects import Array, Coder
from substrate.study.plan import Value
from substrate.study.schema import StudyAxis

NamedAxis = tuple[str, StudyAxis]

_MOST_TICKS = 10
_FEW_TICKS = 5


class DrawnAxis:
    """A study's axis, laid out over 0…1."""

    def __init__(self, axis: NamedAxis, points: pd.DataFrame) -> None:
        """Learn what values there are.

        Args:
            axis: with its name.
            points: a row a point, with a column of that name.
        """
        self.name, self._settings = axis
        self._coder = Coder(self._settings, points[self.name].tolist())
        self.levels = self._coder.levels

    @property
    def continuous(self) -> bool:
        """Whether something can lie between its values: numbers, and more than two of them."""
        return self._coder.ordered and len(self.levels) > 2

    def places(self, points: pd.DataFrame) -> Array:
        """Where points lie, in 0…1, (points,); levels without an order are evenly spaced."""
        return self._places(points[self.name].tolist())

    def label(self, axes: Axes, which: str) -> None:
        """Give `axes` the ticks and the label of this axis, as its `x` or `y`."""
        places, labels = self._ticks()
        getattr(axes, f"set_{which}ticks")(places, labels)
        unit = self._settings.unit
        axes.set(**{f"{which}label": f"{self.name}, {unit}" if unit else self.name})

    def _places(self, values: Sequence[Value]) -> Array:
        if self._coder.ordered:
            return self._coder.code(values)[:, 0]
        last = max(1, len(self.levels) - 1)
        return np.array([self.levels.index(each) / last for each in values])

    def _ticks(self) -> tuple[Array, list[str]]:
        if self._settings.range is not None and len(self.levels) > _MOST_TICKS:
            low, high = self._settings.range
            places = np.linspace(0, 1, _FEW_TICKS)
            if self._settings.scale == "log":
                values = low * (high / low) ** places
            else:
                values = low + places * (high - low)
            return places, [f"{each:.3g}" for each in values]
        levels = self.levels
        if len(levels) > _MOST_TICKS:
            levels = [levels[place] for place in _spread(len(levels))]
        labels = [f"{each:.4g}" if isinstance(each, float) else str(each) for each in levels]
        return self._places(levels), labels


def _spread(count: int) -> list[int]:
    return [round(place) for place in np.linspace(0, count - 1, _FEW_TICKS)]
