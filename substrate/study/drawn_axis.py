"""An axis of a study as pictures show it: where values lie along it, its ticks and its label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from substrate.assemble.meaning import meaning_of, unit_of
from substrate.study.effects import Array, Coder
from substrate.study.plan import Plan, Value
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
        axes.set(**{f"{which}label": title_of((self.name, self._settings))})

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
        return self._places(levels), [value_in_words(each) for each in levels]


def title_of(axis: NamedAxis) -> str:
    """``adc_bits, bits``: the name, with the unit where there is one."""
    name, settings = axis
    return f"{name}, {settings.unit}" if settings.unit else name


def value_in_words(value: Value) -> str:
    """A value of an axis: of a number four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def with_units(plan: Plan) -> dict[str, StudyAxis]:
    """The axes of a study; one without a unit has that which its field is documented with."""
    scenario = plan.points[0].scenario
    return {
        name: axis
        if axis.unit or not axis.fields
        else axis.model_copy(update={"unit": unit_of(meaning_of(scenario, axis.fields[0]))})
        for name, axis in plan.study.axes.items()
    }


def _spread(count: int) -> list[int]:
    return [round(place) for place in np.linspace(0, count - 1, _FEW_TICKS)]
