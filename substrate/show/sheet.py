"""A sheet of panels with the parameters beside them, as PNG."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import (
    AutoLocator,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    StrMethodFormatter,
)

from substrate.report.palette import LIGHT
from substrate.text import for_plot

DOTS_PER_INCH = 130
PANEL_INCHES = (3.7, 3.0)
TEXT_INCHES = 3.6
LINE_INCHES = 0.17
CHARACTERS = 52

Paragraph = tuple[str, list[str]]

Panel = Callable[[Axes], None]


def draw_sheet(title: str, text: Sequence[tuple[str, str]], panels: Sequence[Panel]) -> bytes:
    """Draw panels in rows of three, and beside them headed paragraphs.

    Args:
        title: above all.
        text: pairs of a heading and what stands under it.
        panels: each draws into axes of its own.
    """
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    paragraphs = [
        (for_plot(heading), textwrap.wrap(for_plot(under), CHARACTERS)) for heading, under in text
    ]
    lines = sum(1.45 + len(wrapped) for _, wrapped in paragraphs)
    # Long lists of parameters go below the panels, in as many columns.
    below = lines * LINE_INCHES > rows * PANEL_INCHES[1]
    text_columns = columns if below else 1
    text_inches = (lines / text_columns + 3) * LINE_INCHES
    panels_inches = rows * PANEL_INCHES[1]
    height = (panels_inches + text_inches if below else panels_inches) + 0.5
    width = columns * PANEL_INCHES[0] + (0 if below else TEXT_INCHES)
    figure = Figure(figsize=(width, height), facecolor=LIGHT.surface, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        for_plot(title), x=0.01, ha="left", color=LIGHT.ink, fontsize=13, fontweight="bold"
    )
    if below:
        halves = figure.subfigures(2, 1, height_ratios=[panels_inches, text_inches], squeeze=False)
    else:
        halves = figure.subfigures(
            1, 2, width_ratios=[width - TEXT_INCHES, TEXT_INCHES], wspace=0.02, squeeze=False
        )
    plots, side = halves.flatten()
    grid = plots.subplots(rows, columns, squeeze=False).flatten()
    for axes, panel in zip(grid, panels, strict=False):
        panel(axes)
        _style(axes)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    line = LINE_INCHES / (text_inches if below else panels_inches)
    places = side.subplots(1, text_columns, squeeze=False)[0]
    for axes, part in zip(places, _parted(paragraphs, lines / text_columns), strict=False):
        _write(axes, part, line)
    for axes in places:
        axes.set_axis_off()
    png = BytesIO()
    figure.savefig(png, format="png", dpi=DOTS_PER_INCH)
    return png.getvalue()


def _style(axes: Axes) -> None:
    # another locator would else choose other limits, or none around a single point
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            _few_labels(axis)
    if isinstance(axes.xaxis.get_major_locator(), AutoLocator):
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.set_facecolor(LIGHT.surface)
    axes.tick_params(which="both", colors=LIGHT.muted, labelsize=8)
    axes.xaxis.label.set_color(LIGHT.muted)
    axes.yaxis.label.set_color(LIGHT.muted)
    axes.title.set_color(LIGHT.ink)
    axes.title.set_fontsize(10)
    axes.grid(color=LIGHT.rule, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LIGHT.rule)


def _few_labels(axis: Axis) -> None:
    """Label a logarithmic axis so that labels have room: its own ones stand on each other."""
    low, high = sorted(axis.get_view_interval())
    decades = math.log10(high / low) if low > 0 else math.inf
    if decades >= 2:
        axis.set_major_locator(LogLocator(numticks=6))
    elif decades > 0.7:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    else:
        axis.set_major_locator(MaxNLocator(4))
    if decades < 2:
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _parted(paragraphs: list[Paragraph], lines: float) -> list[list[Paragraph]]:
    """Deal paragraphs out to columns of about so many lines."""
    columns: list[list[Paragraph]] = [[]]
    filled = 0.0
    for paragraph in paragraphs:
        if filled >= lines:
            columns.append([])
            filled = 0.0
        columns[-1].append(paragraph)
        filled += 1.45 + len(paragraph[1])
    return columns


def _write(axes: Axes, paragraphs: Sequence[Paragraph], line: float) -> None:
    axes.set_ylim(0, 1)
    y = 1.0
    for heading, wrapped in paragraphs:
        axes.text(0, y, heading, color=LIGHT.ink, fontsize=9, fontweight="bold", va="top")
        y -= line
        for each in wrapped:
            axes.text(0, y, each, color=LIGHT.muted, fontsize=8, va="top")
            y -= line
        y -= 0.45 * line
