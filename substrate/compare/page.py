"""A comparison of runs as one page of HTML, and as a table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.ticker import FuncFormatter
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from substrate.compare.runs import ComparedArm, ComparedRuns
from substrate.environment import versions
from substrate.record.metrics import Epoch
from substrate.report import bill
from substrate.report.canvas import canvas, head_of, shorten
from substrate.report.html import picture
from substrate.report.pages import Section, render_page
from substrate.report.palette import Theme
from substrate.report.plots import curves
from substrate.report.wording import (
    METRIC_TITLE,
    NOTHING,
    behind_or_ahead,
    is_accuracy,
    mean_and_deviation,
    percent,
    seeds_in_words,
    sided,
)
from substrate.run.estimate import Interval
from substrate.text import plain

_MOST_SETTINGS = 60
_LONGEST_VALUE = 60


def comparison_page(found: ComparedRuns, command: str) -> str:
    """Give the page as HTML text."""
    metric = found.metric
    sections = [
        Section(
            "Arms side by side",
            f"{METRIC_TITLE[metric]} at the end of training, mean ± standard deviation over seeds;"
            f" each interval is one at {100 * found.confidence:g} % over new seeds and new test"
            f" data, and stands for itself. Arms are set against {found.reference} over the seeds"
            f" that both have, sample by sample.{_correction(found)}",
            pictures=[
                (
                    picture(lambda theme, width: intervals(found, theme, width)),
                    f"Figures of all arms with their intervals; the table below has them."
                    f" {' '.join(said(found))}",
                )
            ],
            headings=(
                "Run",
                "Arm",
                METRIC_TITLE[metric],
                "Interval",
                "Seeds",
                f"Against {found.reference}",
                "Energy to train",
            ),
            rows=[_row(found, arm) for arm in found.arms],
            numbers=(2, 3, 4, 5, 6),
        )
    ]
    if drawn := _learning_curves(found):
        sections.append(drawn)
    if found.differing:
        sections.append(_settings(found))
    first = found.runs[0].summary
    return render_page(
        "Runs compared",
        headline(found),
        None,
        said(found),
        sections,
        about=f"{len(found.runs)} runs · {first.data.name} · {first.network}",
        command=command,
        versions=versions(),
        notices=found.notices,
    )


def headline(found: ComparedRuns) -> str:
    """The arm that is best, and by how much; or that nothing tells them apart."""
    if not found.compared:
        return "Nothing that can be compared"
    told = sum(arm.differs for arm in found.compared)
    return f"{told} of {len(found.compared)} arms differ from {found.reference}"


def said(found: ComparedRuns) -> list[str]:
    """A sentence an arm: how far it is behind the reference."""
    return [_in_words(found, arm) for arm in found.arms[1:]]


def comparison_table(found: ComparedRuns) -> Group:
    """What `substrate report` shows in the terminal."""
    table = Table(
        title=f"Set against {found.reference}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("Run", overflow="fold")
    table.add_column("Arm", overflow="fold")
    for heading in (METRIC_TITLE[found.metric].replace(" ", "\n"), "Seeds", "Gap", "Interval"):
        table.add_column(heading, justify="right")
    for arm in found.arms:
        table.add_row(
            *(
                Text(plain(cell))
                for cell in (
                    ", ".join([arm.run, *arm.also_in]),
                    arm.name,
                    _figure(found, arm),
                    str(arm.seeds),
                    "reference" if arm is found.arms[0] else _behind(found, arm),
                    _ends(found, arm.behind),
                )
            )
        )
    parts: list[RenderableType] = [table, ""]
    parts += [Text(plain(each), "yellow") for each in found.notices]
    if len(found.differing):
        parts.append(Text(f"Settings that differ: {_named(found)}"))
    return Group(*parts)


def intervals(found: ComparedRuns, theme: Theme, width_inches: float) -> bytes:
    """PNG of every arm's figure with its interval, a row an arm, a colour a run."""
    names = [run.name for run in found.runs]
    with canvas(theme, width_inches, 1.3 + 0.34 * len(found.arms)) as (figure, axes, png):
        for place, arm in enumerate(found.arms):
            if arm.interval is None:
                continue
            colour = theme.arms[names.index(arm.run) % len(theme.arms)]
            if arm.interval.whole:  # of two seeds it may reach beyond what there can be
                ends = _possible(found, arm.interval)
                axes.plot(ends, [place, place], color=colour, lw=2.2)
            axes.plot(arm.interval.centre, place, "o", color=colour, markersize=6)
        axes.set_yticks(range(len(found.arms)), [shorten(arm.title, 34) for arm in found.arms])
        axes.set_ylim(len(found.arms) - 0.5, -0.5)
        if is_accuracy(found.metric):
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.4g} %"))
        axes.grid(visible=True, axis="x", color=theme.rule, linewidth=0.7)
        note = f"Dot: mean over seeds; bar: {100 * found.confidence:g} % interval"
        head_of(figure, axes, f"{METRIC_TITLE[found.metric]} by arm", note, theme)
    return png.getvalue()


def _learning_curves(found: ComparedRuns) -> Section | None:
    """All arms' curves over the seeds that all runs have; None where there is no such seed."""
    shared = [
        seed
        for seed in found.runs[0].summary.seeds
        if all(seed in run.summary.seeds for run in found.runs)
    ]
    alike = {run.summary.metric for run in found.runs} == {found.metric}
    if not shared or not alike:
        return None
    shown = {(arm.run, arm.name): arm for arm in found.arms}
    rows: list[Epoch] = [
        row.model_copy(update={"arm": shown[run.name, row.arm].title})
        for run in found.runs
        for row in run.content.metrics
        if row.seed in shared and (run.name, row.arm) in shown
    ]
    diverged = {
        arm.title: [each for each in arm.arm.diverged if each.seed in shared] for arm in found.arms
    }
    drawn = picture(
        lambda theme, width: curves(rows, found.metric, diverged, len(shared), theme, width).png
    )
    lede = f"Over the {seeds_in_words(len(shared))} that all runs have."
    words = f"{METRIC_TITLE[found.metric]} against epoch, a line an arm."
    return Section("Learning curves", lede, pictures=[(drawn, words)])


def _settings(found: ComparedRuns) -> Section:
    more = len(found.differing) - _MOST_SETTINGS
    lede = "What is not the same in all of the scenarios, all defaults written out."
    if more > 0:
        lede += f" {more} more are left out."
    return Section(
        "Settings that differ",
        lede,
        headings=("Setting", *(run.name for run in found.runs)),
        rows=[
            (path, *(shorten(str(value), _LONGEST_VALUE) for value in values))
            for path, values in found.differing[:_MOST_SETTINGS]
        ],
    )


def _row(found: ComparedRuns, arm: ComparedArm) -> tuple[str, ...]:
    return (
        ", ".join([arm.run, *arm.also_in]),
        arm.name,
        _figure(found, arm),
        _ends(found, arm.interval, figures=True),
        str(arm.seeds),
        "reference"
        if arm is found.arms[0]
        else _behind(found, arm)
        + (f" ({_ends(found, arm.behind)})" if arm.behind and arm.behind.whole else ""),
        NOTHING if arm.arm.bill is None else bill.training_energy(arm.arm.bill),
    )


def _figure(found: ComparedRuns, arm: ComparedArm) -> str:
    run = next(each for each in found.runs if each.name == arm.run)
    return mean_and_deviation(arm.arm.measure(run.summary.metric), run.summary.metric)


def _behind(found: ComparedRuns, arm: ComparedArm) -> str:
    if arm.behind is None:
        return arm.why_not or "nothing measured"
    return behind_or_ahead(arm.behind.centre, found.metric)


def _ends(found: ComparedRuns, interval: Interval | None, *, figures: bool = False) -> str:
    if interval is None or not interval.whole:
        return NOTHING
    if not figures:
        return sided(interval.low, interval.high, found.metric)
    low, high = _possible(found, interval)
    if is_accuracy(found.metric):
        return f"{percent(low).removesuffix(' %')} to {percent(high)}"
    return f"{low:.4g} to {high:.4g}"


def _possible(found: ComparedRuns, interval: Interval) -> tuple[float, float]:
    """The ends of a figure's interval, as far as there can be such figures."""
    highest = 1.0 if is_accuracy(found.metric) else float("inf")
    return max(0.0, interval.low), min(highest, interval.high)


def _in_words(found: ComparedRuns, arm: ComparedArm) -> str:
    if arm.behind is None:
        return f"{arm.title}: not compared, {arm.why_not or 'nothing measured'}."
    size = behind_or_ahead(arm.behind.centre, found.metric)
    if not arm.behind.whole:
        return f"{arm.title}: {size}; {arm.behind.lacks}."
    doubt = "" if arm.differs else "; they may be equal"
    if not arm.differs and arm.behind.low * arm.behind.high > 0:
        doubt = f"; with Holm's correction for {len(found.compared)} arms they may be equal"
    return f"{arm.title}: {size} ({_ends(found, arm.behind)}){doubt}."


def _correction(found: ComparedRuns) -> str:
    """What it takes to be said to differ, where several arms are compared."""
    if len(found.compared) < 2:
        return ""
    return (
        " An arm is said to differ where its interval leaves out 0 with Holm's correction for"
        f" {len(found.compared)} arms as well: were all of them equal to {found.reference}, one in"
        f" {1 / (1 - found.confidence):.0f} such comparisons would call any of them different."
    )


def _named(found: ComparedRuns) -> str:
    names: Sequence[str] = [path for path, _ in found.differing]
    rest = len(names) - 8
    return ", ".join(names[:8]) + (f" and {rest} more" if rest > 0 else "")
