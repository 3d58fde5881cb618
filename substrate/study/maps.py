"""Maps over two axes of a study: the gap, the energy of a training, the feasible border."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize, TwoSlopeNorm, to_rgba
from matplotlib.typing import ColorType

from substrate.record.summary import MetricName
from substrate.report.bill import at_least
from substrate.report.canvas import Drawing, canvas, head_of
from substrate.report.palette import Theme
from substrate.report.wording import gap_number, is_accuracy
from substrate.study.divergences import lost
from substrate.study.drawn_axis import DrawnAxis, NamedAxis
from substrate.study.effects import Array
from substrate.study.energy import ENERGY, energy_of, lacking_at
from substrate.study.limits import LOST

_DRAWS = 400


class _Shown(NamedTuple):
    """How a column of the points is shown.

    Attributes:
        column: its name.
        colours: from its lowest to its highest value.
        scale: of the colours.
        figure: a value in words, for the middle of its cell.
        borders: probabilities of being feasible at which lines are drawn, with each line's width
            and style.
        partial: points whose value is a sum that something is missing from.
    """

    column: str
    colours: Sequence[str]
    scale: Normalize
    figure: Callable[[float], str]
    borders: Sequence[tuple[float, float, str]]
    partial: Sequence[bool] | bool = False


def gap_map(
    points: pd.DataFrame,
    across: NamedAxis,
    up: NamedAxis,
    border: Array | None,
    metric: MetricName,
    theme: Theme,
    width_inches: float,
) -> Drawing:
    """Draw the gap over two axes, with the border up to which the device is feasible.

    Args:
        points: a row a point: gap, tolerance, diverged, shared_error, and a column an axis.
        across: the horizontal axis with its name.
        up: the vertical one.
        border: probability that the gap is within the tolerance, on a square grid over both, the
            vertical axis first (`feasible_map`); None where an axis has no order.
        metric: that the gap is of.
        theme: its colours.
        width_inches: of the picture.
    """
    tolerance, gaps = float(points["tolerance"].iloc[0]), points["gap"]
    sure = bool(points["shared_error"].notna().any())
    lowest, highest = float(np.nanmin([*gaps, 0.0])), float(np.nanmax([*gaps, 2 * tolerance]))
    shown = _Shown(
        "gap",
        [theme.feasible, theme.surface, theme.not_feasible],
        TwoSlopeNorm(tolerance, min(lowest, tolerance - 1e-9), max(highest, tolerance + 1e-9)),
        lambda gap: "×" if math.isnan(gap) else gap_number(gap, metric),
        [(0.025, 0.9, "dotted"), (0.5, 1.9, "solid"), (0.975, 0.9, "dotted")]
        if sure
        else [(0.5, 1.9, "solid")],
    )
    note = "Points behind clean training" if is_accuracy(metric) else "Loss behind clean training"
    note += f"; green: less than the tolerance, {gap_number(tolerance, metric)}; red: more"
    note += "; ×: diverged in some seed" if lost(points).any() else ""
    if border is not None:
        note += "; line: feasible border" + ("; dotted: its 95 % interval" if sure else "")
    return _map("Gap", note, points, (across, up), shown, border, theme, width_inches)


def energy_map(
    points: pd.DataFrame,
    across: NamedAxis,
    up: NamedAxis,
    border: Array | None,
    theme: Theme,
    width_inches: float,
) -> Drawing:
    """Draw the energy of a training over two axes, with the border of what is feasible.

    Args:
        points: a row a point, with a column an axis.
        across: the horizontal axis with its name.
        up: the vertical one.
        border: as of `gap_map`.
        theme: its colours.
        width_inches: of the picture.
    """
    energies = points[ENERGY]
    shown = _Shown(
        ENERGY,
        [theme.surface, theme.arms[0]],
        LogNorm(0.7 * float(energies.min()), 2.5 * float(energies.max())),
        lambda value: "" if math.isnan(value) else energy_of(value),
        [(0.5, 1.9, "solid")],
        [any(each) for each in lacking_at(points)],
    )
    note = "Energy of one training" + ("; line: feasible border" if border is not None else "")
    return _map("Energy", note, points, (across, up), shown, border, theme, width_inches)


def feasible_map(points: pd.DataFrame, across: NamedAxis, up: NamedAxis) -> Array | None:
    """Probability that the gap is within the tolerance, (places up, places across).

    A point where the device diverged, in some seed or all, is far beyond it. What all points share,
    as the test samples, does not average out: every draw has its own error of it. Where nobody
    knows how large that is, no interval can be read off. None where an axis has no order, or there
    are too few points.
    """
    from substrate.randomness import stream_seed
    from substrate.spec.surrogate import Surrogate

    points = points[lost(points) | points["gap"].notna()]
    axes = [DrawnAxis(axis, points) for axis in (across, up)]
    if not all(axis.continuous for axis in axes) or len(points) < 6:
        return None
    coded = np.column_stack([axis.places(points) for axis in axes])
    scale = float(points["tolerance"].iloc[0]) or float(points["gap"].std()) or 1.0
    margin = (points["tolerance"] - points["gap"]).mask(lost(points), -LOST * scale)
    relative = (margin / scale).to_numpy(float)
    at = np.linspace(0, 1, 25)
    where = np.array([[x, y] for y in at for x in at])
    generator = np.random.default_rng(stream_seed(len(points), "border"))
    drawn = Surrogate(coded, np.arcsinh(relative)).draws(where, _DRAWS, generator)
    shared = float(points["shared_error"].fillna(0.0).max())
    drawn = drawn + shared / scale * generator.standard_normal((_DRAWS, 1))
    found: Array = (drawn >= 0).mean(0).reshape(len(at), len(at))
    return found


def _map(
    title: str,
    note: str,
    points: pd.DataFrame,
    by: tuple[NamedAxis, NamedAxis],
    shown: _Shown,
    border: Array | None,
    theme: Theme,
    width_inches: float,
) -> Drawing:
    across, up = (DrawnAxis(axis, points) for axis in by)
    cells = pd.DataFrame(
        {
            "x": across.places(points),
            "y": up.places(points),
            "value": points[shown.column],
            "lost": lost(points),
            "partial": shown.partial,
        }
    )
    if cells.duplicated(["x", "y"]).any():
        note += "; means over the other axes"
    with canvas(theme, width_inches, 4.8) as (figure, axes, png):
        _cells(axes, cells, shown, theme)
        if border is not None:
            at = np.linspace(0, 1, len(border))
            levels, widths, styles = zip(*shown.borders, strict=True)
            axes.contour(
                at, at, border, levels, colors=theme.ink, linewidths=widths, linestyles=styles
            )
        across.label(axes, "x")
        up.label(axes, "y")
        head_of(figure, axes, f"{title} by {across.name} and {up.name}", note, theme)
    return Drawing(png.getvalue(), figure)


def _cells(axes: Axes, cells: pd.DataFrame, shown: _Shown, theme: Theme) -> None:
    """Fill a regular grid, with a figure in every cell; draw dots where the points are no grid."""
    colours = LinearSegmentedColormap.from_list(shown.column, shown.colours)
    grid = cells.pivot_table("value", "y", "x", dropna=False)
    if len(grid.index) * len(grid.columns) > 2 * len(cells):
        axes.scatter(
            cells["x"],
            cells["y"],
            c=cells["value"],
            cmap=colours,
            norm=shown.scale,
            s=46,
            edgecolors=theme.muted,
            linewidths=0.6,
        )
        return
    axes.pcolormesh(
        grid.columns,
        grid.index,
        grid.to_numpy(),
        cmap=colours,
        norm=shown.scale,
        shading="nearest",
    )
    diverged, partial = (
        cells[cells[kind]].groupby(["y", "x"]).size() for kind in ("lost", "partial")
    )
    for y, row in grid.iterrows():
        for x, value in row.items():
            cell = colours(shown.scale(value)) if math.isfinite(value) else to_rgba(theme.surface)
            ink = max(theme.ink, theme.surface, key=lambda each: _contrast(each, cell))
            text = at_least(shown.figure(value), (y, x) in partial.index)
            if (y, x) in diverged.index and "×" not in text:
                text += " ×"
            axes.text(x, y, text, ha="center", va="center", fontsize=9, color=ink)


def _contrast(one: ColorType, other: ColorType) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: ColorType) -> float:
    coded = np.array(to_rgba(colour)[:3])
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
