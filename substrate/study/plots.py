"""A study in pictures: gaps along an axis, with their intervals."""

from __future__ import annotations

import pandas as pd
from matplotlib.ticker import FuncFormatter

from substrate.record.summary import MetricName
from substrate.report.canvas import WIDE_INCHES, Drawing, canvas, head_of
from substrate.report.palette import DASHES, Theme
from substrate.report.wording import gap_number, is_accuracy
from substrate.study.divergences import lost
from substrate.study.drawn_axis import DrawnAxis, NamedAxis, title_of, value_in_words

MOST_LINES = 6


def gap_curves(
    points: pd.DataFrame,
    axis: NamedAxis,
    lines: NamedAxis | None,
    metric: MetricName,
    theme: Theme,
    width_inches: float,
) -> Drawing:
    """Draw the gap along an axis with its intervals, a line for every value of another axis.

    Args:
        points: a row a point: gap, ci_low, ci_high, tolerance, diverged, and a column an
            axis.
        axis: along which, with its name.
        lines: the other axis, with its name; None for a single line.
        metric: that the gap is of.
        theme: its colours.
        width_inches: of the picture.
    """
    drawn = DrawnAxis(axis, points)
    tolerance = float(points["tolerance"].iloc[0])
    marked = lost(points) | points["gap"].isna()
    with canvas(theme, width_inches, 4.2) as (figure, axes, png):
        groups = [("", points)] if lines is None else list(points.groupby(lines[0], sort=True))
        for number, (value, group) in enumerate(groups):
            group = group.assign(place=drawn.places(group)).sort_values("place")
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
                label=value_in_words(value) if lines else None,
            )
            means = known.groupby("place")["gap"].mean()
            if lines or len(known) <= len(drawn.levels):
                (line,) = axes.plot(means.index + beside, means, color=colour, linewidth=1.5)
                if dash := DASHES[number // len(theme.arms) % len(DASHES)]:
                    line.set_dashes(dash)
            # of seeds that are left at its gap, of none on the tolerance
            crossed = group[marked[group.index]]
            axes.plot(
                crossed["place"] + beside,
                crossed["gap"].fillna(tolerance),
                "X",
                color=colour,
                markersize=8,
                markeredgecolor=theme.surface,
                zorder=3,
            )
        axes.axhline(tolerance, color=theme.feasible, linewidth=1.4, linestyle=(0, (5, 3)))
        axes.axhline(0, color=theme.muted, linewidth=0.8)
        # of two seeds an interval may be wider than all gaps together
        finite = [*points["gap"].dropna(), 0.0, tolerance]
        room = 0.15 * (max(finite) - min(finite)) or 1.0
        axes.set_ylim(min(finite) - room, max(finite) + room)
        cut = (points["ci_low"].min() < min(finite) - room) | (
            points["ci_high"].max() > max(finite) + room
        )
        drawn.label(axes, "x")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: gap_number(y, metric)))
        axes.set_ylabel("points behind" if is_accuracy(metric) else "loss behind")
        axes.grid(visible=True, axis="y", color=theme.rule, linewidth=0.7)
        if lines:  # above the axes, where no interval reaches
            axes.legend(
                title=title_of(lines),
                loc="lower left",
                bbox_to_anchor=(0, 1.01),
                ncols=MOST_LINES if width_inches >= WIDE_INCHES else MOST_LINES // 2,
                alignment="left",
                borderpad=0,
                borderaxespad=0,
                handletextpad=0.4,
                columnspacing=1.4,
                frameon=False,
                labelcolor=theme.ink,
                fontsize=9,
                title_fontsize=9,
            ).get_title().set_color(theme.muted)
        note = f"Bars: intervals; dashed: the tolerance, {gap_number(tolerance, metric)}"
        note += "; some reach beyond the picture" if cut else ""
        note += "; ×: diverged in some seed" if marked.any() else ""
        head_of(figure, axes, f"Gap to clean training by {drawn.name}", note, theme)
    return Drawing(png.getvalue(), figure)
