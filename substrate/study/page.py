"""The page of a study: how much is feasible, which axis matters most, maps, curves, all points."""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from substrate.record.summary import MetricName, Summary, Verdict
from substrate.report.bill import left_out_of
from substrate.report.html import Picture, picture
from substrate.report.pages import Judged, Section, render_page
from substrate.report.wording import (
    METRIC_TITLE,
    NOTHING,
    ends,
    gap_number,
    is_accuracy,
    percent,
    seeds_in_words,
)
from substrate.study.drawn_axis import NamedAxis, title_of, value_in_words, with_units
from substrate.study.effects import Array
from substrate.study.energy import (
    ENERGY,
    energy_of,
    lacking_at,
    lacking_in,
    least_energy,
    varies,
)
from substrate.study.maps import energy_map, feasible_map, gap_map
from substrate.study.plan import Plan
from substrate.study.plots import MOST_LINES, gap_curves
from substrate.study.run import StudyResult
from substrate.study.schema import StudyAxis
from substrate.study.views import (
    StudyView,
    headline,
    in_words,
    left_out,
    left_out_in_words,
    share_in_words,
)

_MOST_MAPS = 6


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
    axes, others = with_units(plan), left_out(views, first)
    sections = []
    for view in views:
        behind = f"{view.arm}: " if len(views) + len(others) > 1 else ""
        if view.effects:
            sections.append(_effects_section(view, metric, behind))
        varied = _varied(view, axes)
        border = feasible_map(view.points, *varied) if len(varied) == 2 else None
        if pictures := _maps(view, varied, border, metric):
            sections.append(Section(f"{behind}Where it is feasible", pictures=pictures))
        if drawn := _energies(view, varied, border):
            lede = (
                "From the bill of every point; the uncertainty of unit costs is in no figure."
                " ≥ marks a sum that something is missing from."
            )
            sections.append(Section(f"{behind}What training takes", lede, pictures=drawn))
        curves = _curves(view, varied, metric)
        sections.append(Section(f"{behind}Along every axis", pictures=curves))
    sections += [_points_section(view, axes, metric) for view in views]
    return render_page(
        study.title or study.name,
        headline(views, others),
        _tone(views),
        [
            said
            for told in (
                (left_out_in_words(others),),
                *(
                    (in_words(view), least_energy(view.points, list(axes), metric))
                    for view in views
                ),
            )
            for said in told
            if said
        ],
        sections,
        about=_about(plan, result, first),
        command=command,
        versions=first.versions,
        description=study.description,
        settings=settings,
        notices=[
            *(f"A unit was given up: {what}" for what in result.failed.values()),
            *(said for view in views for said in view.doubts),
        ],
    )


def _tone(views: list[StudyView]) -> Verdict:
    verdicts = {each for view in views for each in view.points["verdict"]}
    if verdicts == {"feasible"}:
        return "feasible"
    return "not feasible" if verdicts == {"not feasible"} else "undecided"


def _effects_section(view: StudyView, metric: MetricName, behind: str) -> Section:
    unit = "points" if is_accuracy(metric) else "loss"
    without = int(view.points["gap"].isna().sum())
    missing = f" Left out: {without} points where no seed has a gap." if without else ""
    lost = f"Here {view.diverged}; gaps are of the seeds that are left. " if view.diverged else ""
    return Section(
        f"{behind}What matters most"
        if view.comparable
        else f"{behind}What changes the gap of the seeds that are left",
        f"{lost}Sobol indices: parts of the variance that the gap has over the study, where every"
        " value of an axis is as likely. By itself: what would be gone, on average, if this axis"
        " alone were fixed; these add up to 100 % at most. With interactions: what would be left if"
        " all other axes were fixed; what axes make together counts for each of them, so these may"
        f" add up to more than 100 %. 95 % intervals in brackets.{missing}",
        headings=("Axis", "By itself", "With interactions", f"Means differ by, {unit}"),
        rows=[
            (
                each.axis,
                *map(share_in_words, (each.main, each.total)),
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
        others = [each for each in varied if each[0] != axis[0]]
        few = len(others) == 1 and view.points[others[0][0]].nunique() <= MOST_LINES
        lines = others[0] if few else None
        return picture(
            lambda theme, width: gap_curves(view.points, axis, lines, metric, theme, width).png
        )

    return [
        (drawn(axis), f"Gap of {view.arm} by {axis[0]}; the table has the figures.")
        for axis in varied
    ]


def _points_section(view: StudyView, axes: dict[str, StudyAxis], metric: MetricName) -> Section:
    unit = "points" if is_accuracy(metric) else "loss"
    rows: list[tuple[str | Judged, ...]] = []
    for row in view.points.to_dict("records"):
        low, high = row["ci_low"], row["ci_high"]
        interval = NOTHING if pd.isna(low) else ends(low, high, metric)
        mean = None if pd.isna(row["mean"]) else row["mean"]
        rows.append(
            (
                *(value_in_words(row[name]) for name in axes),
                percent(mean)
                if is_accuracy(metric)
                else NOTHING
                if mean is None
                else f"{mean:.4g}",
                NOTHING if pd.isna(row["gap"]) else gap_number(row["gap"], metric),
                interval,
                str(row["seeds"]),
                NOTHING if pd.isna(row[ENERGY]) else energy_of(row[ENERGY], any(lacking_in(row))),
                Judged(row["verdict"], row["note"]),
            )
        )
    count = len(axes)
    return Section(
        f"{view.arm}: all points",
        "Against the baseline that it is furthest behind of; intervals over new seeds and new test"
        " data, verdicts over all baselines. Every verdict is one by itself, as sure as that of a"
        " run; of many, some may be wrong. The same as points.csv and points.parquet."
        f" {left_out_of(lacking_at(view.points), 'points')}".rstrip(),
        headings=(
            *map(title_of, axes.items()),
            METRIC_TITLE[metric],
            f"Gap, {unit}",
            f"Interval, {unit}",
            "Seeds",
            "Energy to train",
            "Verdict",
        ),
        rows=rows,
        numbers=tuple(range(count, count + 5)),
    )


def _about(plan: Plan, result: StudyResult, first: Summary) -> str:
    points = len(plan.points)
    return (
        f"{first.data.name}: {first.data.train} training and {first.data.test} test examples ·"
        f" {first.network} · {first.epochs} epochs · {points} points,"
        f" {seeds_in_words(len(first.seeds))} or more each, {result.units} trainings"
    )
