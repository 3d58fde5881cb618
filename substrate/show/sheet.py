"""A sheet of panels with the parameters beside them, as PNG."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from substrate.report.palette import LIGHT

DOTS_PER_INCH = 130
PANEL_INCHES = (3.7, 3.0)
TEXT_INCHES = 3.6
LINE_INCHES = 0.17
CHARACTERS = 52

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
    width = columns * PANEL_INCHES[0] + TEXT_INCHES
    paragraphs = [(heading, textwrap.wrap(under, CHARACTERS) or [""]) for heading, under in text]
    lines = sum(1.45 + len(wrapped) for _, wrapped in paragraphs)
    height = max(rows * PANEL_INCHES[1], lines * LINE_INCHES) + 0.5
    figure = Figure(figsize=(width, height), facecolor=LIGHT.surface, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", color=LIGHT.ink, fontsize=13, fontweight="bold")
    halves = figure.subfigures(
        1, 2, width_ratios=[columns * PANEL_INCHES[0], TEXT_INCHES], wspace=0.02, squeeze=False
    )
    plots, side = halves[0]
    grid = plots.subplots(rows, columns, squeeze=False).flatten()
    for axes, panel in zip(grid, panels, strict=False):
        panel(axes)
        _style(axes)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    _write(side.subplots(), paragraphs, LINE_INCHES / (height - 0.5))
    png = BytesIO()
    figure.savefig(png, format="png", dpi=DOTS_PER_INCH)
    return png.getvalue()


def _style(axes: Axes) -> None:
    axes.set_facecolor(LIGHT.surface)
    axes.tick_params(colors=LIGHT.muted, labelsize=8)
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


def _write(axes: Axes, paragraphs: Sequence[tuple[str, list[str]]], line: float) -> None:
    axes.set_axis_off()
    axes.set_ylim(0, 1)
    y = 1.0
    for heading, wrapped in paragraphs:
        axes.text(0, y, heading, color=LIGHT.ink, fontsize=9, fontweight="bold", va="top")
        y -= line
        for each in wrapped:
            axes.text(0, y, each, color=LIGHT.muted, fontsize=8, va="top")
            y -= line
        y -= 0.45 * line
