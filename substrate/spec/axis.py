"""The field that is varied: its range, on a straight or a logarithmic scale, whole or not."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A range of one field, mapped to 0…1.

    Attributes:
        low: where it begins.
        high: where it ends.
        log: equal ratios are equally far apart; `low` is above 0 then.
        whole: only whole numbers can be measured, though a limit may lie between two of them.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def place(self, value: float) -> float:
        """Where a value lies in 0…1."""
        return (self._straight(value) - self._straight(self.low)) / self._length

    def value(self, place: float) -> float:
        """The value at a place in 0…1."""
        straight = self._straight(self.low) + place * self._length
        return math.exp(straight) if self.log else straight

    def measurable(self, place: float) -> float | int:
        """The value nearest to a place that can be measured."""
        value = min(self.high, max(self.low, self.value(place)))
        return round(value) if self.whole else float(f"{value:.4g}")

    def _straight(self, value: float) -> float:
        return math.log(value) if self.log else value

    @property
    def _length(self) -> float:
        return self._straight(self.high) - self._straight(self.low)
