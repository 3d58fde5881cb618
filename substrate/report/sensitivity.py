"""What each parameter of a device costs: a picture, and words for the page and the terminal."""

from __future__ import annotations

from matplotlib.ticker import FuncFormatter
from rich import box
from rich.table import Table
from rich.text import Text

from substrate.record.sensitivity import Sensitivity, SensitivityReport, Variation
from substrate.record.summary import Summary
from substrate.report.canvas import WIDE_INCHES, Drawing, canvas, head_of, shorten
from substrate.report.palette import Theme
from substrate.report.wording import NOTHING, ends, gap_number, is_accuracy
from substrate.text import plain

MOST_DRAWN = 24


def varied_in_words(report: SensitivityReport) -> str:
    """How parameters were varied."""
    return (
        f"multiplied and divided by {report.factor:g}, resolutions one bit finer and one coarser;"
        f" intervals at {100 * report.confidence:g} % over new seeds and new test data, each for"
        " itself"
    )


def cost_in_words(each: Variation | None, summary: Summary) -> str:
    """``1.2 (0.3 to 2.1)``, or how often it diverged."""
    if each is None:
        return NOTHING
    metric = summary.metric
    lost = f"diverged in {each.diverged} of {len(each.by_seed)}" if each.diverged else ""
    if each.cost is None:
        return lost or NOTHING
    words = gap_number(each.cost, metric)
    if each.ci_low is not None and each.ci_high is not None:
        words += f" ({ends(each.ci_low, each.ci_high, metric)})"
    return f"{words}; {lost}" if lost else words


def directions(each: Sensitivity) -> tuple[Variation | None, Variation | None]:
    """Its variation downwards and upwards, where there are such."""
    down = next((varied for varied in each.varied if not varied.higher), None)
    up = next((varied for varied in each.varied if varied.higher), None)
    return down, up


def sensitivity_table(summary: Summary, report: SensitivityReport) -> Table:
    """The ranked list for the terminal."""
    unit = "points" if is_accuracy(summary.metric) else "loss"
    table = Table(
        title=f"What each parameter costs, in {unit}: {varied_in_words(report)}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    several = len({each.arm for each in report.parameters}) > 1
    table.add_column("Parameter", overflow="fold")
    table.add_column("Value", justify="right")
    table.add_column("Lower", justify="right")
    table.add_column("Higher", justify="right")
    for each in report.parameters:
        cells = [f"{each.arm}: {each.name}" if several else each.name, each.value]
        styles = ["", ""]
        for varied in directions(each):
            at = f"{varied.value}: " if varied else ""
            cells.append(at + cost_in_words(varied, summary))
            costs = varied is not None and (varied.told or varied.diverged > 0)
            gains = costs and varied is not None and (varied.cost or 0.0) < 0
            styles.append("green" if gains else "red" if costs else "")
        table.add_row(
            *(Text(plain(cell), style) for cell, style in zip(cells, styles, strict=True))
        )
    return table


def sensitivity_plot(
    summary: Summary, report: SensitivityReport, theme: Theme, width_inches: float = WIDE_INCHES
) -> Drawing:
    """Draw what the parameters that matter most cost, a row a parameter."""
    shown = report.parameters[:MOST_DRAWN]
    several = len({each.arm for each in shown}) > 1
    metric = summary.metric
    with canvas(theme, width_inches, 1.5 + 0.36 * len(shown)) as (figure, axes, png):
        axes.axvline(0, color=theme.muted, linewidth=0.9)
        costs = [0.0]
        for place, each in enumerate(shown):
            for beside, colour, varied in zip(
                (-0.14, 0.14), theme.arms, directions(each), strict=False
            ):
                if varied is None or varied.cost is None:
                    continue
                costs.append(varied.cost)
                if varied.ci_low is not None and varied.ci_high is not None:
                    bar = [varied.ci_low, varied.ci_high]
                    axes.plot(bar, [place + beside] * 2, color=colour, linewidth=1.6)
                axes.plot(varied.cost, place + beside, "o", color=colour, markersize=5)
        # of two seeds an interval may be wider than all costs together
        room = 0.35 * (max(costs) - min(costs)) or 0.01
        low, high = min(costs) - room, max(costs) + room
        for place, each in enumerate(shown):
            for beside, colour, varied in zip(
                (-0.14, 0.14), theme.arms, directions(each), strict=False
            ):
                if varied is not None and varied.diverged:
                    axes.plot(high - room / 8, place + beside, "X", color=colour, markersize=8)
        axes.set_xlim(low, high)
        names = [f"{each.arm}: {each.name}" if several else each.name for each in shown]
        axes.set_yticks(range(len(shown)), [shorten(name, 32) for name in names])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: gap_number(x, metric)))
        axes.set_xlabel("points lost (left of 0: gained)" if is_accuracy(metric) else "loss gained")
        axes.grid(visible=True, axis="x", color=theme.rule, linewidth=0.7)
        times = f"{report.factor:g}"
        note = (
            f"Upper dot: divided by {times}, or one bit coarser; lower: times {times}, or one bit"
            " finer; bars: intervals"
        )
        note += "; ×: diverged" if any(v.diverged for each in shown for v in each.varied) else ""
        head_of(figure, axes, "What each parameter costs", note, theme)
    return Drawing(png.getvalue(), figure)
