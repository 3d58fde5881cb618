"""The page of a search for a limit: the sentence, where runs were made, the runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.ticker import FuncFormatter

from substrate.environment import versions
from substrate.record.summary import MetricName, Verdict
from substrate.report.bill import left_out_of, training_energy
from substrate.report.canvas import WIDE_INCHES, Drawing, canvas, head_of
from substrate.report.html import Picture, picture
from substrate.report.pages import Section, render_page
from substrate.report.palette import Theme
from substrate.report.wording import NOTHING, gap_number, is_accuracy
from substrate.scenario.load import resolved
from substrate.scenario.schema import Scenario
from substrate.spec.axis import Axis
from substrate.spec.claim import check
from substrate.spec.search import Found
from substrate.spec.sentence import limit_in_words
from substrate.study.least import lacking_of
from substrate.study.limits import LimitRuns, Question
from substrate.study.run import StudyData


def limit_page(
    question: Question,
    scenario: Scenario,
    data: StudyData,
    found: Found,
    runs: LimitRuns,
    said: Sequence[str],
    command: str,
) -> str:
    """Give the page as HTML text."""
    dataset = data.of(scenario)
    named = check(found, question.tolerance).stands
    tone: Verdict = "feasible" if found.resolved and named else "undecided"
    headline = "How good must it be?"
    if not named:
        headline = "No limit is named"
    elif not two_fields(found):
        words = limit_in_words(found, found.limits[0], question.units[0]).partition(" (")[0]
        headline = words[:1].upper() + words[1:]
        tone = "not feasible" if found.limits[0].none_feasible > 0.5 else tone
    metric: MetricName = "test_loss" if dataset.regression else "test_accuracy"
    unit = "loss" if dataset.regression else "points"
    what = " ".join(
        f"{field}: {meaning.rstrip('.')}."
        for field, meaning in zip(question.fields, question.meanings, strict=False)
        if meaning
    )
    two = two_fields(found)
    lacks = lacking_of(runs.bills, "energy")
    drawn: Picture = picture(
        lambda theme, width: draw_limit(question, found, runs.gaps, metric, theme, width).png
    )
    sections = [
        Section("The border" if two else "The runs", what, pictures=[(drawn, " ".join(said))]),
        Section(
            "All runs",
            "In their order; every one has a seed of its own. Gaps above 0: the device is behind."
            f" {left_out_of(lacks, 'runs')}".rstrip(),
            headings=(*question.titles, "Seed", f"Gap, {unit}", "Energy to train"),
            rows=[
                (
                    *(f"{each:g}" for each in point),
                    str(seed),
                    NOTHING if math.isnan(gap) else gap_number(gap, metric),
                    NOTHING if bill is None else training_energy(bill),
                )
                for seed, (point, gap, bill) in enumerate(
                    zip(runs.points, runs.gaps, runs.bills, strict=True)
                )
            ],
            numbers=tuple(range(len(question.fields) + 3)),
        ),
    ]
    return render_page(
        scenario.title or scenario.name,
        headline,
        tone,
        said,
        sections,
        about=(
            f"{dataset.name}: {len(dataset.x_train)} training and {len(dataset.x_test)} test"
            f" examples · {len(runs.points)} runs of {question.arm}, as many of {runs.against}"
        ),
        command=command,
        versions=versions(),
        settings=resolved(scenario),
    )


def two_fields(found: Found) -> bool:
    """Whether a border is sought, in place of one limit."""
    return len(found.axes) == 2


def draw_limit(
    question: Question,
    found: Found,
    gaps: Sequence[float],
    metric: MetricName,
    theme: Theme,
    width_inches: float = WIDE_INCHES,
) -> Drawing:
    """Draw the runs of one field with its limit, or the border over two fields."""
    if two_fields(found):
        return border_map(question, found, theme, width_inches)
    return gap_runs(question, found, gaps, metric, theme, width_inches)


def gap_runs(
    question: Question,
    found: Found,
    gaps: Sequence[float],
    metric: MetricName,
    theme: Theme,
    width_inches: float,
) -> Drawing:
    """Draw the gap of every run at its value, with the limit and its interval."""
    (axis,), limit = question.axes, found.limits[0]
    with canvas(theme, width_inches, 4.2) as (figure, axes, png):
        places = [axis.place(point[0]) for point in found.points]
        known = [(x, gap) for x, gap in zip(places, gaps, strict=True) if not math.isnan(gap)]
        drawn = limit.known and check(found, question.tolerance).stands
        if drawn:
            low, middle, high = map(axis.place, (limit.low, limit.estimate, limit.high))
            axes.axvspan(low, high, color=theme.feasible, alpha=0.16, lw=0)
            axes.axvline(middle, color=theme.feasible, linewidth=1.6)
        axes.axhline(question.tolerance, color=theme.muted, linewidth=1.2, linestyle=(0, (5, 3)))
        axes.plot(
            [x for x, _ in known],
            [gap for _, gap in known],
            "o",
            color=theme.arms[0],
            markersize=5,
            alpha=0.75,
        )
        for x in (x for x, gap in zip(places, gaps, strict=True) if math.isnan(gap)):
            axes.plot(x, question.tolerance, "X", color=theme.not_feasible, markersize=9)
        # gaps differ a hundredfold between devices that work and those that do not
        axes.set_yscale("asinh", linear_width=2 * question.tolerance)
        top = max([gap for _, gap in known], default=0.0)
        ticks = [question.tolerance * times for times in (0, 1, 2, 5, 10, 20, 50, 100)]
        axes.set_yticks([tick for tick in ticks if tick <= 1.2 * max(top, question.tolerance)])
        axes.set_yticks([], minor=True)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: gap_number(y, metric)))
        axes.set_ylabel("points behind" if is_accuracy(metric) else "loss behind")
        axes.grid(visible=True, axis="y", color=theme.rule, linewidth=0.7)
        _ticks(axes.set_xticks, axis)
        axes.set_xlabel(question.titles[0])
        note = f"Dots: runs; dashed: {gap_number(question.tolerance, metric)} behind"
        note += "; band: the limit" if drawn else ""
        head_of(figure, axes, "Gap to clean training", note, theme)
    return Drawing(png.getvalue(), figure)


def border_map(question: Question, found: Found, theme: Theme, width_inches: float) -> Drawing:
    """Draw the border over two fields, with its interval and the runs."""
    across, up = question.axes
    with canvas(theme, width_inches, 4.8) as (figure, axes, png):
        at = [across.place(each.first or 0.0) for each in found.limits]
        low, middle, high = (
            [up.place(getattr(each, end)) for each in found.limits]
            for end in ("low", "estimate", "high")
        )
        side = np.ones(len(at)) if found.rising else np.zeros(len(at))
        if check(found, question.tolerance).stands:
            axes.fill_between(at, middle, side, color=theme.feasible_surface, lw=0)
            axes.fill_between(at, low, high, color=theme.feasible, alpha=0.22, lw=0)
            axes.plot(at, middle, color=theme.feasible, linewidth=2)
        for point, margin in zip(found.points, found.margins, strict=True):
            colour = theme.feasible if margin >= 0 else theme.not_feasible
            axes.plot(
                across.place(point[0]),
                up.place(point[1]),
                "o" if margin >= 0 else "X",
                color=colour,
                markersize=5,
                markeredgecolor=theme.surface,
            )
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
        _ticks(axes.set_xticks, across)
        _ticks(axes.set_yticks, up)
        axes.set(xlabel=question.titles[0], ylabel=question.titles[1].split(".", 3)[-1])
        note = (
            "Line: feasible border; band: its interval; dots: runs within the tolerance; ×: beyond"
        )
        head_of(figure, axes, "Where it is feasible", note, theme)
    return Drawing(png.getvalue(), figure)


def _ticks(set_ticks: Callable[[list[float], list[str]], object], axis: Axis) -> None:
    if axis.whole and axis.high - axis.low <= 16:
        values = [float(each) for each in range(math.ceil(axis.low), math.floor(axis.high) + 1)]
    else:
        values = [axis.value(place) for place in np.linspace(0, 1, 5)]
    set_ticks([axis.place(each) for each in values], [f"{each:.3g}" for each in values])
