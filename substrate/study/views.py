"""A device arm over a study: its points with their verdicts, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from substrate.record.summary import Verdict
from substrate.report.sentences import (
    badly_tuned,
    correction_in_words,
)
from substrate.report.wording import (
    percent,
    seeds_in_words,
)
from substrate.run.verdict import worst_verdict
from substrate.study.effects import Effect, effects
from substrate.study.plan import Plan


class StudyView(NamedTuple):
    """A device arm over a study.

    Attributes:
        arm: its name.
        points: a row a point, against the baseline that it is furthest behind of; the verdict is
            that over all baselines, and `note` what else it rests on.
        effects: which axis matters most.
        doubts: of baselines that the arm overtakes by more than the tolerance.
    """

    arm: str
    points: pd.DataFrame
    effects: list[Effect]
    doubts: Sequence[str] = ()


def study_views(plan: Plan, points: pd.DataFrame) -> list[StudyView]:
    """Give every device arm that the axes concern.

    Args:
        plan: of the study.
        points: the table of comparisons (`substrate.study.tables.points_table`).
    """
    views = []
    for arm, rows in points.groupby("arm", sort=False):
        furthest = rows.sort_values("gap", ascending=False, na_position="first", kind="stable")
        own = furthest.drop_duplicates("point").sort_values("point").reset_index(drop=True)
        own["verdict"] = own["point"].map(rows.groupby("point")["verdict"].agg(worst_verdict))
        own["note"] = [
            _note(furthest[furthest["point"] == point], verdict)
            for point, verdict in zip(own["point"], own["verdict"], strict=True)
        ]
        if own["gap"].nunique() > 1 or len(points["arm"].unique()) == 1:
            found = effects(plan.study.axes, own, "gap")
            views.append(StudyView(str(arm), own, found, _doubts(str(arm), rows)))
    return views


def _note(rows: pd.DataFrame, verdict: Verdict) -> str:
    """What a point's verdict rests on, where it is not the interval of its first row."""
    telling = rows[rows["verdict"] == verdict].iloc[0]
    number = telling["not_at_once"]
    why = correction_in_words(verdict, None if pd.isna(number) else int(number))
    other = telling["baseline"] != rows["baseline"].iloc[0]
    against = f"against {telling['baseline']}" if other else ""
    lost = int(telling["diverged"])
    diverged = f"diverged in {lost} of {seeds_in_words(int(telling['seeds']))}" if lost else ""
    return ", ".join(each for each in (diverged, against, why) if each)


def _doubts(arm: str, rows: pd.DataFrame) -> list[str]:
    points = rows["point"].nunique()
    return [
        f"{badly_tuned(str(baseline))} {arm} is ahead of it by more than the tolerance at {number}"
        f" of {points} points."
        for baseline, number in rows[rows["baseline_doubted"]]["baseline"].value_counts().items()
    ]


def headline(views: list[StudyView]) -> str:
    """``8 of 20 points feasible, 3 undecided``."""
    told = []
    for view in views:
        counts = view.points["verdict"].value_counts()
        feasible, undecided = (int(counts.get(each, 0)) for each in ("feasible", "undecided"))
        arm = f"{view.arm}: " if len(views) > 1 else ""
        rest = f", {undecided} undecided" if undecided else ""
        told.append(f"{arm}{feasible} of {len(view.points)} points feasible{rest}")
    return "; ".join(told) or "Nothing that the axes change"


def in_words(view: StudyView) -> str:
    """Which axis matters most, in a sentence or two; empty where nothing can be said."""
    if not view.effects:
        return ""
    first, *others = view.effects
    said = (
        f"{view.arm}: {first.axis} matters most; by itself it makes"
        f" {share_in_words(first.main)} of the gap's variance"
    )
    if not others:
        return f"{said}."
    rest = ", ".join(f"{each.axis} {percent(each.main[0])}" for each in others)
    together = ", ".join(f"{each.axis} {percent(each.total[0])}" for each in view.effects)
    return (
        f"{said}; {rest}. With what it makes together with others: {together}; what axes make"
        " together counts for each of them, so these may add up to more than 100 %."
    )


def share_in_words(estimate: tuple[float, float, float]) -> str:
    """``70.8 % (57.0 % to 80.4 %)``."""
    middle, low, high = map(percent, estimate)
    return f"{middle} ({low} to {high})"
