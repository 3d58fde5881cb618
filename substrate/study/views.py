"""A device arm over a study: its points with their verdicts, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from substrate.record.summary import Summary, Verdict
from substrate.report.sentences import (
    badly_tuned,
    correction_in_words,
)
from substrate.report.wording import (
    percent,
    seeds_in_words,
)
from substrate.run.verdict import worst_verdict
from substrate.study.divergences import differ, diverged_in_words
from substrate.study.effects import Effect, effects
from substrate.study.plan import Plan
from substrate.study.schema import StudyAxis


class StudyView(NamedTuple):
    """A device arm over a study.

    Attributes:
        arm: its name.
        points: a row a point, against the baseline that it is furthest behind of; the verdict is
            that over all baselines, and `note` what else it rests on.
        effects: how much every axis changes the gap, of seeds that did not diverge.
        doubts: of baselines that the arm overtakes by more than the tolerance.
        diverged: where seeds did, in words; empty where none did.
    """

    arm: str
    points: pd.DataFrame
    effects: list[Effect]
    doubts: Sequence[str] = ()
    diverged: str = ""

    @property
    def comparable(self) -> bool:
        """Whether gaps can tell which axis matters most.

        Not where more seeds diverged at some points than at others: what moves the gap of the seeds
        that are left may be nothing beside what loses the others.
        """
        return not differ(self.points)


def study_views(plan: Plan, points: pd.DataFrame) -> list[StudyView]:
    """Give every device arm that the axes concern, whatever became of it.

    Args:
        plan: of the study.
        points: the table of comparisons (`substrate.study.tables.points_table`).
    """
    views = []
    axes = plan.study.axes
    for arm, rows in points.groupby("arm", sort=False):
        if not _concerned(str(arm), axes):
            continue
        furthest = rows.sort_values("gap", ascending=False, na_position="first", kind="stable")
        own = furthest.drop_duplicates("point").sort_values("point").reset_index(drop=True)
        own["verdict"] = own["point"].map(rows.groupby("point")["verdict"].agg(worst_verdict))
        own["note"] = [
            _note(furthest[furthest["point"] == point], verdict)
            for point, verdict in zip(own["point"], own["verdict"], strict=True)
        ]
        found = effects(axes, own, "gap")
        diverged = diverged_in_words(axes, own)
        views.append(StudyView(str(arm), own, found, _doubts(str(arm), rows), diverged))
    return views


def _concerned(arm: str, axes: Mapping[str, StudyAxis]) -> bool:
    """Whether an axis sets something of the arm, or what it shares with others.

    By settings, not by figures: an arm that diverges or is stuck at every point has none that vary.
    """
    return any(
        not path.startswith("arms.") or f"{path}.".startswith(f"arms.{arm}.")
        for axis in axes.values()
        for path in axis.paths
    )


def left_out(views: list[StudyView], summary: Summary) -> list[str]:
    """Device arms of a study that the axes do not concern.

    Args:
        views: of those that they do.
        summary: of any of its points.
    """
    shown = {view.arm for view in views}
    return [
        arm for arm in dict.fromkeys(each.arm for each in summary.comparisons) if arm not in shown
    ]


def left_out_in_words(arms: Sequence[str]) -> str:
    """Which device arms are not told of, and why; empty where all are."""
    return f"Left out, since no axis sets anything of theirs: {', '.join(arms)}." if arms else ""


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


def headline(views: list[StudyView], others: Sequence[str] = ()) -> str:
    """``8 of 20 points feasible, 3 undecided``, with the arm's name where there are several.

    Args:
        views: of the device arms that the axes concern.
        others: that they do not.
    """
    told = []
    for view in views:
        counts = view.points["verdict"].value_counts()
        feasible, undecided = (int(counts.get(each, 0)) for each in ("feasible", "undecided"))
        arm = f"{view.arm}: " if len(views) + len(others) > 1 else ""
        rest = f", {undecided} undecided" if undecided else ""
        told.append(f"{arm}{feasible} of {len(view.points)} points feasible{rest}")
    return "; ".join(told) or "Nothing that the axes change"


def in_words(view: StudyView) -> str:
    """Where seeds diverged, and which axis matters most; empty where nothing can be said.

    The latter is withheld where more seeds diverged at some points than at others.
    """
    lost = f"{view.arm}: {view.diverged}." if view.diverged else ""
    if not view.comparable:
        return (
            f"{lost} Gaps are of the seeds that are left, so they cannot tell which axis matters"
            " most."
        )
    if not view.effects:
        return lost
    first, *others = view.effects
    said = (
        f"{first.axis} matters most; by itself it makes"
        f" {share_in_words(first.main)} of the gap's variance"
    )
    said = f"{lost} Of the seeds that are left, {said}" if lost else f"{view.arm}: {said}"
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
