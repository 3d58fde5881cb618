"""What the runs of a search say about the limit that it came to.

The search (`substrate.spec.search`) looks for the limit of a typical run: one that stalls or
diverges counts little more than one just beyond the tolerance, or it would hide where the others
fail. And it takes a device to get better all the way in one direction. Neither needs to be so, and
of both the runs can tell:

    lost         gap > 3 tolerances, or diverged: on the feasible side there should be none
    mean gap     with lost runs as they are, all over the feasible side it must be within the
                 tolerance; one that diverged outweighs all others there
    direction    nowhere on a side may the runs be surely of the other kind (`Found.against`)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.stats import binomtest

from substrate.spec.search import CONTRADICTED, ROUNDED, Found
from substrate.spec.surrogate import Array
from substrate.spec.truths import Point

LOST_BEYOND = 3.0
"""Tolerances behind. At the limit runs are one behind on average: two more are no common noise."""

_BESIDE = 1 / 16
"""A lost run so near to the limit, in parts of the range, may be what lies beyond it."""


@dataclass(frozen=True)
class Claim:
    """What was checked of a limit.

    Attributes:
        runs: on its feasible side.
        lost: of these, as said above.
        lost_low, lost_high: the share of lost runs, its interval by Clopper and Pearson.
        on_average: whether the mean gap there is within the tolerance, as far as lost runs tell.
        one_direction: whether the runs let it be that a device gets better all the way.
    """

    runs: int
    lost: int
    lost_low: float
    lost_high: float
    on_average: bool
    one_direction: bool

    @property
    def stands(self) -> bool:
        """Whether a limit may be named."""
        return self.on_average and self.one_direction


def check(found: Found, tolerance: float) -> Claim:
    """Hold the runs against the limit.

    Args:
        found: the limit, or the border.
        tolerance: in units of the margins.
    """
    margins = np.array(found.margins)
    lost = margins < (1 - LOST_BEYOND) * tolerance
    inside = _inside(found, "estimate")
    feasible = inside >= -ROUNDED
    count, of = int(lost[feasible].sum()), int(feasible.sum())
    low, high = (0.0, 1.0)
    if of:
        low, high = binomtest(count, of).proportion_ci(found.confidence, method="exact")
    end = _inside(found, "high" if found.rising else "low")
    clear = (end >= -ROUNDED) | (inside >= _BESIDE)
    # without lost runs there the search weighs all nearly as they are, and knows more than a mean
    suspect = bool((lost & clear).any())
    return Claim(
        runs=of,
        lost=count,
        lost_low=float(low),
        lost_high=float(high),
        on_average=not suspect or _least_mean(inside, margins, clear) >= 0,
        one_direction=found.against < CONTRADICTED,
    )


def _inside(found: Found, end: Literal["estimate", "low", "high"]) -> Array:
    """How far every run lies inside what is feasible, with the limit at an end of its interval.

    Over two fields the border is straight between two values of the first.
    """
    points = np.array([_coded(found, point) for point in found.points])
    border = found.places(end)[0]
    if len(found.axes) == 2:
        firsts = [found.axes[0].place(each.first or 0.0) for each in found.limits]
        border = np.interp(points[:, 0], firsts, found.places(end))
    return found.inside(points[:, -1], border)


def _coded(found: Found, point: Point) -> list[float]:
    return [axis.place(value) for axis, value in zip(found.axes, point, strict=True)]


def _least_mean(inside: Array, margins: Array, clear: npt.NDArray[np.bool_]) -> float:
    """The least mean margin of clear places, if it grows from the limit inwards."""
    _, groups, counts = np.unique(inside, return_inverse=True, return_counts=True)
    means = np.bincount(groups, margins) / counts
    fit = isotonic_regression(means, weights=counts, increasing=True).x
    return float(fit[groups[clear]].min())
