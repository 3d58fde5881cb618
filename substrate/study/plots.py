"""A study in pictures: gaps along an axis with intervals, and maps with the feasible border."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.ticker import FuncFormatter

from substrate.record.summary import MetricName
from substrate.report.canvas import Drawing, canvas, head_of
from substrate.report.palette import DASHES, Theme
from substrate.report.wording import gap_number, is_accuracy
from substrate.study.effects import Coder
from substrate.study.schema import StudyAxis

Array = npt.NDArray[np.float64]

MOST_LINES = 6


def gap_curves(
    points: pd.DataFrame,
    axis: tuple[str, StudyAxis],
    lines: str | None,
    metric: MetricName,
    theme: Theme,
    width_inches: float,
) -> Drawing:
    """Draw the gap along an axis with its intervals, a line for every value of another axis.

    Args:
        points: a row a point: gap, ci_low, ci_high, tolerance, verdict, and a column an axis.
        axis: along which, with its name.
        lines: the other axis; None for a single line.
        metric: that the gap is of.
        theme: its colours.
        width_inches: of the picture.
    """
    name, settings = axis
    coder = Coder(settings, points[name].tolist())
    tolerance = float(points["tolerance"].iloc[0])
    with canvas(theme, width_inches, 4.2) as (figure, axes, png):
        groups = [("", points)] if lines is None else list(points.groupby(lines, sort=True))
        for number, (value, group) in enumerate(groups):
            group = group.assign(place=places_of(coder, group[name])).sort_values("place")
            known = group.dropna(subset=["gap"])
            # side by side, so that no interval hides another
            beside = 0.012 * (number - (len(groups) - 1) / 2) * (len(groups) > 1)
            colour = theme.arms[number % len(theme.arms)]
            places = known["place"] + beside
            axes.errorbar(
                places,
                known["gap"],
                [known["gap"] - known["ci_low"], known["ci_high"] - known["gap"]],
                color=colour,
                fmt="o",
                markersize=4.5,
                elinewidth=1.2,
                label=str(value) if lines else None,
            )
            means = known.groupby("place")["gap"].mean()
            if lines or len(known) <= len(coder.levels):
                (line,) = axes.plot(means.index + beside, means, color=colour, linewidth=1.5)
                if dash := DASHES[number // len(theme.arms) % len(DASHES)]:
                    line.set_dashes(dash)
            lost = group[group["gap"].isna()]["place"]
            axes.plot(lost + beside, np.full(len(lost), tolerance), "X", color=colour)
        axes.axhline(tolerance, color=theme.feasible, linewidth=1.4, linestyle=(0, (5, 3)))
        axes.axhline(0, color=theme.muted, linewidth=0.8)
        # of two seeds an interval may be wider than all gaps together
        finite = [*points["gap"].dropna(), 0.0, tolerance]
        room = 0.15 * (max(finite) - min(finite))
        axes.set_ylim(min(finite) - room, max(finite) + room)
        ticks_of(axes, "x", coder, settings)
        axes.set_xlabel(label_of(name, settings))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: gap_number(y, metric)))
        axes.set_ylabel("points behind" if is_accuracy(metric) else "loss behind")
        axes.grid(visible=True, axis="y", color=theme.rule, linewidth=0.7)
        if lines:
            axes.legend(
                title=lines, frameon=False, labelcolor=theme.ink, fontsize=9, title_fontsize=9
            ).get_title().set_color(theme.muted)
        note = f"Bars: intervals; dashed: the tolerance, {gap_number(tolerance, metric)}"
        note += "; ×: diverged" if points["gap"].isna().any() else ""
        head_of(figure, axes, f"Gap to clean training by {name}", note, theme)
    return Drawing(png.getvalue(), figure)


def gap_map(
    points: pd.DataFrame,
    across: tuple[str, StudyAxis],
    up: tuple[str, StudyAxis],
    border: Array | None,
    metric: MetricName,
    theme: Theme,
    width_inches: float,
) -> Drawing:
    """Draw the gap over two axes, with the border up to which the device is feasible.

    Args:
        points: a row a point: gap, tolerance, and a column an axis.
        across: the horizontal axis with its name.
        up: the vertical one.
        border: probability that the gap is within the tolerance, on a square grid over both, the
            vertical axis first (`feasible_map`); None where an axis has no order.
        metric: that the gap is of.
        theme: its colours.
        width_inches: of the picture.
    """
    coders = [Coder(axis, points[name].tolist()) for name, axis in (across, up)]
    places = [
        places_of(coder, points[name])
        for coder, (name, _) in zip(coders, (across, up), strict=True)
    ]
    tolerance, gaps = float(points["tolerance"].iloc[0]), points["gap"]
    lowest, highest = float(np.nanmin([*gaps, 0.0])), float(np.nanmax([*gaps, 2 * tolerance]))
    norm = TwoSlopeNorm(tolerance, min(lowest, tolerance - 1e-9), max(highest, tolerance + 1e-9))
    colours = LinearSegmentedColormap.from_list(
        "gap", [theme.feasible, theme.surface, theme.not_feasible]
    )
    with canvas(theme, width_inches, 4.8) as (figure, axes, png):
        cells = pd.DataFrame({"x": places[0], "y": places[1], "gap": gaps})
        grid = cells.pivot_table("gap", "y", "x", dropna=False)
        regular = len(grid.index) * len(grid.columns) <= 2 * len(cells)
        if regular:
            axes.pcolormesh(
                grid.columns,
                grid.index,
                grid.to_numpy(),
                cmap=colours,
                norm=norm,
                shading="nearest",
            )
            for y, row in grid.iterrows():
                for x, gap in row.items():
                    text = "×" if math.isnan(gap) else gap_number(gap, metric)
                    axes.text(x, y, text, ha="center", va="center", fontsize=9, color=theme.ink)
        else:
            axes.scatter(
                cells["x"],
                cells["y"],
                c=cells["gap"],
                cmap=colours,
                norm=norm,
                s=46,
                edgecolors=theme.muted,
                linewidths=0.6,
            )
        if border is not None:
            at = np.linspace(0, 1, len(border))
            axes.contour(
                at,
                at,
                border,
                [0.025, 0.5, 0.975],
                colors=theme.ink,
                linewidths=[0.9, 1.9, 0.9],
                linestyles=["dotted", "solid", "dotted"],
            )
        for which, coder, (name, axis) in zip("xy", coders, (across, up), strict=True):
            ticks_of(axes, which, coder, axis)
            axes.set(**{f"{which}label": label_of(name, axis)})
        note = (
            "Points behind clean training" if is_accuracy(metric) else "Loss behind clean training"
        )
        if border is not None:
            note += "; line: feasible border; dotted: its 95 % interval"
        head_of(figure, axes, f"Gap by {across[0]} and {up[0]}", note, theme)
    return Drawing(png.getvalue(), figure)


def feasible_map(
    points: pd.DataFrame, across: tuple[str, StudyAxis], up: tuple[str, StudyAxis]
) -> Array | None:
    """Probability that the gap is within the tolerance, (places up, places across).

    None where an axis has no order, or there are too few points.
    """
    from substrate.randomness import stream_seed
    from substrate.spec.surrogate import Surrogate

    points = points.dropna(subset=["gap"])
    coders = [Coder(axis, points[name].tolist()) for name, axis in (across, up)]
    ordered = [each.ordered and len(each.levels) > 2 for each in coders]
    if not all(ordered) or len(points) < 6:
        return None
    coded = np.column_stack(
        [
            places_of(coder, points[name])
            for coder, (name, _) in zip(coders, (across, up), strict=True)
        ]
    )
    scale = float(points["tolerance"].iloc[0]) or float(points["gap"].std()) or 1.0
    relative = ((points["tolerance"] - points["gap"]) / scale).to_numpy(float)
    at = np.linspace(0, 1, 25)
    where = np.array([[x, y] for y in at for x in at])
    generator = np.random.default_rng(stream_seed(len(points), "border"))
    drawn = Surrogate(coded, np.arcsinh(relative)).draws(where, 400, generator)
    found: Array = (drawn >= 0).mean(0).reshape(len(at), len(at))
    return found


def places_of(coder: Coder, values: pd.Series) -> Array:
    """Where values lie along a drawn axis, in 0…1; levels without an order are evenly spaced."""
    if coder.ordered:
        return coder.code(values.tolist())[:, 0]
    last = max(1, len(coder.levels) - 1)
    return np.array([coder.levels.index(each) / last for each in values])


def ticks_of(axes: Axes, which: str, coder: Coder, axis: StudyAxis) -> None:
    """Label a drawn axis, `x` or `y`, with its values."""
    levels: Sequence[object] = coder.levels
    if len(levels) <= 10:
        places = places_of(coder, pd.Series(coder.levels))
        labels = [f"{each:.4g}" if isinstance(each, float) else str(each) for each in levels]
    else:
        low, high = axis.range or (0.0, 1.0)
        places = np.linspace(0, 1, 5)
        values = (
            low * (high / low) ** places if axis.scale == "log" else low + places * (high - low)
        )
        labels = [f"{each:.3g}" for each in values]
    getattr(axes, f"set_{which}ticks")(places, labels)


def label_of(name: str, axis: StudyAxis) -> str:
    """The axis' name with its unit."""
    return f"{name}, {axis.unit}" if axis.unit else name
