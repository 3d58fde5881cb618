"""The page of a study: how much is feasible, which axis costs most, maps, curves, all points."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import pandas as pd

from substrate.record.summary import MetricName, Summary, Verdict
from substrate.report.html import Picture, picture
from substrate.report.pages import Section, render_page
from substrate.report.wording import NOTHING, gap_number, is_accuracy, percent, seeds_in_words
from substrate.run.verdict import worst_verdict
from substrate.study.drawn_axis import NamedAxis
from substrate.study.effects import Array, Effect, effects
from substrate.study.energy import ENERGY, energy_of, least_energy, varies
from substrate.study.maps import energy_map, feasible_map, gap_map
from substrate.study.plan import Plan
from substrate.study.plots import MOST_LINES, gap_curves
from substrate.study.run import StudyResult
from substrate.study.schema import StudyAxis

_MOST_MAPS = 6


class StudyView(NamedTuple):
    """A device arm over a study.

    Attributes:
        arm: its name.
        points: a row a point, against the baseline that it is furthest behind of; the verdict is
            that over all baselines.
        effects: which axis costs most.
    """

    arm: str
    points: pd.DataFrame
    effects: list[Effect]


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
        if own["gap"].nunique() > 1 or len(points["arm"].unique()) == 1:
            views.append(StudyView(str(arm), own, effects(plan.study.axes, own, "gap")))
    return views


def study_page(
    plan: Plan,
    result: StudyResult,
    views: list[StudyView],
    settings: str,
    command: str,
) -> str:
    """Give the page as HTML text."""
    study, first = plan.study, result.summaries[0]
    metric: MetricName = first.metric
    sections = []
    for view in views:
        behind = f"{view.arm}: " if len(views) > 1 else ""
        if view.effects:
            sections.append(_effects_section(view, metric, behind))
        varied = _varied(view, study.axes)
        border = feasible_map(view.points, *varied) if len(varied) == 2 else None
        if pictures := _maps(view, varied, border, metric):
            sections.append(Section(f"{behind}Where it is feasible", pictures=pictures))
        if drawn := _energies(view, varied, border):
            lede = "From the bill of every point; the uncertainty of unit costs is in no figure."
            sections.append(Section(f"{behind}What training takes", lede, pictures=drawn))
        curves = _curves(view, varied, metric)
        sections.append(Section(f"{behind}Along every axis", pictures=curves))
    sections += [_points_section(view, list(study.axes), metric) for view in views]
    return render_page(
        study.title or study.name,
        headline(views),
        _tone(views),
        [
            said
            for view in views
            for said in (
                in_words(view),
                least_energy(view.points, list(plan.study.axes), metric),
            )
            if said
        ],
        sections,
        about=_about(plan, result, first),
        command=command,
        versions=first.versions,
        description=study.description,
        settings=settings,
        notices=[f"A unit was given up: {what}" for what in result.failed.values()],
    )


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
    """Which axis costs most, in one sentence; empty where nothing can be said."""
    if not view.effects:
        return ""
    first, *others = view.effects
    said = (
        f"{view.arm}: {first.axis} costs most, {percent(first.total[0])} of what the gap varies by"
        f" ({percent(first.total[1])} to {percent(first.total[2])})"
    )
    rest = ", ".join(f"{each.axis} {percent(each.total[0])}" for each in others)
    return f"{said}; {rest}." if rest else f"{said}."


def _tone(views: list[StudyView]) -> Verdict:
    verdicts = {each for view in views for each in view.points["verdict"]}
    if verdicts == {"feasible"}:
        return "feasible"
    return "not feasible" if verdicts == {"not feasible"} else "undecided"


def _effects_section(view: StudyView, metric: MetricName, behind: str) -> Section:
    unit = "points" if is_accuracy(metric) else "loss"
    return Section(
        f"{behind}What costs most",
        "Sobol indices of the gap over all points of the study: what an axis explains by itself,"
        " and with all interactions that it takes part in; 95 % intervals in brackets.",
        headings=("Axis", "By itself", "With interactions", f"Means differ by, {unit}"),
        rows=[
            (
                each.axis,
                *(
                    f"{percent(middle)} ({percent(low)} to {percent(high)})"
                    for middle, low, high in (each.main, each.total)
                ),
                gap_number(each.worth, metric),
            )
            for each in view.effects
        ],
        numbers=(1, 2, 3),
    )


def _varied(view: StudyView, axes: dict[str, StudyAxis]) -> list[NamedAxis]:
    return [(name, axis) for name, axis in axes.items() if view.points[name].nunique() > 1]


def _maps(
    view: StudyView, varied: list[NamedAxis], border: Array | None, metric: MetricName
) -> list[tuple[Picture, str]]:
    def drawn(across: NamedAxis, up: NamedAxis) -> Picture:
        return picture(
            lambda theme, width: gap_map(view.points, across, up, border, metric, theme, width).png
        )

    return [
        (
            drawn(across, up),
            f"Gap of {view.arm} by {across[0]} and {up[0]}; the table has figures.",
        )
        for across, up in list(combinations(varied, 2))[:_MOST_MAPS]
    ]


def _energies(
    view: StudyView, varied: list[NamedAxis], border: Array | None
) -> list[tuple[Picture, str]]:
    def drawn(across: NamedAxis, up: NamedAxis) -> Picture:
        return picture(
            lambda theme, width: energy_map(view.points, across, up, border, theme, width).png
        )

    if not varies(view.points):
        return []
    return [
        (
            drawn(across, up),
            f"Energy of a training by {across[0]} and {up[0]}; the table has figures.",
        )
        for across, up in list(combinations(varied, 2))[:_MOST_MAPS]
    ]


def _curves(
    view: StudyView, varied: list[NamedAxis], metric: MetricName
) -> list[tuple[Picture, str]]:
    def drawn(axis: NamedAxis) -> Picture:
        others = [name for name, _ in varied if name != axis[0]]
        few = len(others) == 1 and view.points[others[0]].nunique() <= MOST_LINES
        lines = others[0] if few else None
        return picture(
            lambda theme, width: gap_curves(view.points, axis, lines, metric, theme, width).png
        )

    return [
        (drawn(axis), f"Gap of {view.arm} by {axis[0]}; the table has the figures.")
        for axis in varied
    ]


def _points_section(view: StudyView, axes: list[str], metric: MetricName) -> Section:
    rows = []
    for row in view.points.to_dict("records"):
        low, high = row["ci_low"], row["ci_high"]
        interval = (
            NOTHING if pd.isna(low) else f"{gap_number(low, metric)} to {gap_number(high, metric)}"
        )
        mean = None if pd.isna(row["mean"]) else row["mean"]
        rows.append(
            (
                *(
                    f"{row[name]:.4g}" if isinstance(row[name], float) else str(row[name])
                    for name in axes
                ),
                percent(mean)
                if is_accuracy(metric)
                else NOTHING
                if mean is None
                else f"{mean:.4g}",
                NOTHING if pd.isna(row["gap"]) else gap_number(row["gap"], metric),
                interval,
                str(row["seeds"]),
                NOTHING if pd.isna(row[ENERGY]) else energy_of(row[ENERGY]),
                row["verdict"],
            )
        )
    count = len(axes)
    return Section(
        f"{view.arm}: all points",
        "Against the baseline that it is furthest behind of; intervals over new seeds and new test"
        " data, verdicts over all baselines. The same as points.csv and points.parquet.",
        headings=(*axes, "Mean", "Gap", "Interval", "Seeds", "Energy", "Verdict"),
        rows=rows,
        numbers=tuple(range(count, count + 5)),
    )


def _about(plan: Plan, result: StudyResult, first: Summary) -> str:
    points = len(plan.points)
    return (
        f"{first.data.name}: {first.data.train} training and {first.data.test} test examples ·"
        f" {first.network} · {first.epochs} epochs · {points} points,"
        f" {seeds_in_words(len(first.seeds))} or more each, {result.units} units"
    )
