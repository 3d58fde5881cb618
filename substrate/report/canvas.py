"""What pictures are drawn on: a canvas in a theme's colours, its head, names at the ends of lines.

Every picture can be drawn in a light and a dark theme, and wide (for a page) or narrow (for a
telephone).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import NamedTuple

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from substrate.report.palette import Dash, Theme
from substrate.text import plain

WIDE_INCHES = 8.8
NARROW_INCHES = 4.0
DOTS_PER_INCH = 180
_POINTS_PER_INCH = 72
# Chosen from what is installed; DejaVu Sans comes with matplotlib.
_FONTS = ("Inter", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans")


class Drawing(NamedTuple):
    """A picture: as PNG, and as the figure that it was made from."""

    png: bytes
    figure: Figure


class _ShownFigure(Figure):
    """A figure that a notebook shows where pyplot, which would see to it, was not imported."""

    def _repr_png_(self) -> bytes:
        png = BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()


@contextmanager
def canvas(
    theme: Theme, width_inches: float, height_inches: float, dots_per_inch: int = DOTS_PER_INCH
) -> Iterator[tuple[Figure, Axes, BytesIO]]:
    """A figure in the theme's colours, written as PNG into the buffer at the end of the block."""
    installed = set(font_manager.get_font_names())
    png = BytesIO()
    with matplotlib.rc_context(
        {
            "font.family": [*[name for name in _FONTS if name in installed][:1], "DejaVu Sans"],
            "font.size": 10,
            "text.color": theme.ink,
            "text.parse_math": False,
            "axes.facecolor": theme.surface,
            "axes.edgecolor": theme.muted,
            "axes.labelcolor": theme.muted,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "xtick.color": theme.muted,
            "ytick.color": theme.muted,
            "xtick.major.size": 3,
            "ytick.major.size": 0,
            "ytick.minor.size": 0,
        }
    ):
        figure = _ShownFigure(
            figsize=(width_inches, height_inches), dpi=dots_per_inch, facecolor=theme.surface
        )
        FigureCanvasAgg(figure)  # attaches itself: text can be measured before it is drawn
        yield figure, figure.subplots(), png
        figure.savefig(png, format="png")


def head_of(figure: Figure, axes: Axes, title: str, note: str, theme: Theme) -> None:
    """Title and note above the axes, from the left edge of the figure; then fit the axes below."""
    width, height = figure.get_size_inches()
    left = 0.08 / width
    figure.text(left, 1 - 0.1 / height, title, va="top", fontsize=12.5, fontweight="bold")
    if width < WIDE_INCHES:
        note = note.replace("; ", ";\n").replace(", in percent", ",\nin percent")
    figure.text(
        left, 1 - 0.38 / height, note, va="top", color=theme.muted, linespacing=1.35, fontsize=9.5
    )
    head = 0.52 + 0.19 * (1 + note.count("\n"))
    figure.tight_layout(pad=0.5, rect=(0, 0, 1, 1 - head / height))


def label_line_ends(
    figure: Figure,
    axes: Axes,
    ends: Mapping[str, float],
    styles: Mapping[str, tuple[str, Dash]],
) -> None:
    """Name every line at its right end; names that would overlap are moved apart."""
    if not ends:
        return
    point = figure.dpi / _POINTS_PER_INCH
    order = sorted(ends, key=lambda arm: ends[arm])
    labels = [
        figure.text(0, 0, shorten(arm), va="center", color=styles[arm][0], fontweight="bold")
        for arm in order
    ]
    widest = max(label.get_window_extent().width for label in labels)
    figure.subplots_adjust(right=1 - (widest + 14 * point) / figure.bbox.width)
    heights = [float(axes.transData.transform((0, ends[arm]))[1]) for arm in order]
    left = (axes.bbox.x1 + 8 * point) / figure.bbox.width
    spread = _spread(heights, 13 * point, axes.bbox.y0, axes.bbox.y1)
    for label, height in zip(labels, spread, strict=True):
        label.set_position((left, height / figure.bbox.height))


def _spread(heights: list[float], distance: float, low: float, high: float) -> list[float]:
    """Move ascending heights at least ``distance`` apart, between ``low`` and ``high``.

    Every cluster lies about its own middle, but for those that would reach beyond an end. One that
    is longer than the whole range begins at ``low``.
    """
    clusters: list[list[float]] = []
    middles: list[float] = []

    def middle() -> float:
        half = distance * (len(clusters[-1]) - 1) / 2
        return max(low + half, min(high - half, sum(clusters[-1]) / len(clusters[-1])))

    for height in heights:
        clusters.append([height])
        middles.append(middle())
        while len(clusters) > 1 and (
            middles[-1] - middles[-2] < distance * (len(clusters[-1]) + len(clusters[-2])) / 2
        ):
            last = clusters.pop()
            clusters[-1] += last
            middles.pop()
            middles[-1] = middle()
    return [
        middle + distance * (place - (len(cluster) - 1) / 2)
        for middle, cluster in zip(middles, clusters, strict=True)
        for place in range(len(cluster))
    ]


def shorten(name: str, length: int = 20) -> str:
    """A name as it fits beside a line."""
    return plain(name if len(name) <= length else f"{name[: length - 1]}…")
