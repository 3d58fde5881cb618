"""Where seeds of a device arm diverged over a study; gaps are of the seeds that are left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from substrate.study.drawn_axis import value_in_words
from substrate.study.effects import levels_of


def lost(points: pd.DataFrame) -> pd.Series[bool]:
    """Where the device diverged, in some seed or all."""
    return points["diverged"] > 0


def differ(points: pd.DataFrame) -> bool:
    """Whether a larger share of seeds diverged in some rows than in others."""
    return bool((points["diverged"] / points["seeds"]).nunique() > 1)


def diverged_in_words(axes: Iterable[str], points: pd.DataFrame) -> str:
    """How many points lost seeds, and along which axes how many; empty where none did.

    Args:
        axes: their names.
        points: of one arm, a row a point.
    """
    where = lost(points)
    if not where.any():
        return ""
    if (points["diverged"] == points["seeds"]).all():
        return f"all seeds diverged at all {len(points)} points"
    said = f"seeds diverged at {where.sum()} of {len(points)} points"
    if not differ(points):
        return f"{said}, the same share of them at each"
    told = [each for axis in axes if (each := _along(axis, points))]
    return f"{said} ({'; '.join(told) or 'along every axis by itself alike'})"


def _along(axis: str, points: pd.DataFrame) -> str:
    """``by bits: 0 of 3 seeds at 8; 5 of 6 at 2 and 3``; empty where shares are the same."""
    levels = points.groupby(levels_of(points[axis]), observed=True)
    counts = levels[["diverged", "seeds"]].sum()
    if not differ(counts):
        return ""
    counts["level"] = levels[axis].agg(_level)
    told: list[str] = []
    for _, group in counts.groupby(counts["diverged"] / counts["seeds"]):
        *but_last, last = group["level"]
        at = f"{', '.join(but_last)} and {last}" if but_last else last
        diverged, seeds = group["diverged"].sum(), group["seeds"].sum()
        told.append(f"{diverged} of {seeds}{'' if told else ' seeds'} at {at}")
    return f"by {axis}: {'; '.join(told)}"


def _level(values: pd.Series[Any]) -> str:
    """What the axis is at points of a level: a value, or a part of its range."""
    different = values.unique()
    ends = [different[0]] if len(different) == 1 else [values.min(), values.max()]
    return " to ".join(map(value_in_words, ends))
