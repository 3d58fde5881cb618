"""What the points of a study cost to train: the least energy that is feasible, and maps of it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, LogNorm

from substrate.record.bill import Amount, Bill
from substrate.record.summary import MetricName
from substrate.report.bill import energy, period
from substrate.report.canvas import Drawing, canvas, head_of
from substrate.report.palette import Theme
from substrate.report.wording import gap_with_unit
from substrate.study.effects import Coder
from substrate.study.plots import Array, label_of, places_of, ticks_of
from substrate.study.schema import StudyAxis

ENERGY = "training_joules"


def energy_of(value: float) -> str:
    """``1.2 mJ``."""
    return energy(Amount(value=value, low=value, high=value))


def time_of(value: float) -> str:
    """``3.1 s``."""
    return period(Amount(value=value, low=value, high=value))


def joules_of(bill: Bill | None) -> float | None:
    """Energy to train, where there is a figure."""
    return None if bill is None or bill.training_joules is None else bill.training_joules.value


def varies(points: pd.DataFrame) -> bool:
    """Whether the axes change what training costs."""
    known = points[ENERGY].dropna()
    return len(known) > 1 and bool(known.max() > 1.001 * known.min())


def least_energy(points: pd.DataFrame, axes: list[str], metric: MetricName) -> str:
    """Say which feasible point takes the least energy to train; empty without any energies.

    Args:
        points: of one arm, a row a point.
        axes: their names.
        metric: that the tolerance is of.
    """
    known = points.dropna(subset=[ENERGY])
    if known.empty:
        return ""
    arm, tolerance = known["arm"].iloc[0], float(known["tolerance"].iloc[0])
    within = f"within {gap_with_unit(tolerance, metric)}"
    feasible = known[known["verdict"] == "feasible"]
    if feasible.empty:
        return f"{arm}: no point is known to be {within}, so none has the least energy."
    best = feasible.loc[feasible[ENERGY].idxmin()]
    where = ", ".join(
        f"{axis} {best[axis]:.4g}" if isinstance(best[axis], float) else f"{axis} {best[axis]}"
        for axis in axes
    )
    said = f"{arm}: the least energy {within} is {energy_of(best[ENERGY])} to train, at {where}"
    cheaper = known[(known["verdict"] == "undecided") & (known[ENERGY] < best[ENERGY])]
    if len(cheaper):
        said += f"; {len(cheaper)} undecided points take less"
    return f"{said}."


def energy_map(
    points: pd.DataFrame,
    across: tuple[str, StudyAxis],
    up: tuple[str, StudyAxis],
    border: Array | None,
    theme: Theme,
    width_inches: float,
) -> Drawing:
    """Draw the energy of a training over two axes, with the border of what is feasible.

    Args:
        points: a row a point, with a column an axis.
        across: the horizontal axis with its name.
        up: the vertical one.
        border: as of `substrate.study.plots.gap_map`.
        theme: its colours.
        width_inches: of the picture.
    """
    coders = [Coder(axis, points[name].tolist()) for name, axis in (across, up)]
    x, y = (
        places_of(coder, points[name])
        for coder, (name, _) in zip(coders, (across, up), strict=True)
    )
    energies = points[ENERGY]
    colours = LinearSegmentedColormap.from_list("energy", [theme.surface, theme.arms[0]])
    norm = LogNorm(0.7 * float(energies.min()), 2.5 * float(energies.max()))
    with canvas(theme, width_inches, 4.8) as (figure, axes, png):
        cells = pd.DataFrame({"x": x, "y": y, "energy": energies})
        grid = cells.pivot_table("energy", "y", "x", dropna=False)
        if len(grid.index) * len(grid.columns) <= 2 * len(cells):
            axes.pcolormesh(
                grid.columns,
                grid.index,
                grid.to_numpy(),
                cmap=colours,
                norm=norm,
                shading="nearest",
            )
            for row_y, row in grid.iterrows():
                for row_x, value in row.items():
                    text = "" if math.isnan(value) else energy_of(value)
                    axes.text(
                        row_x, row_y, text, ha="center", va="center", fontsize=9, color=theme.ink
                    )
        else:
            axes.scatter(
                cells["x"],
                cells["y"],
                c=cells["energy"],
                cmap=colours,
                norm=norm,
                s=46,
                edgecolors=theme.muted,
                linewidths=0.6,
            )
        if border is not None:
            at = np.linspace(0, 1, len(border))
            axes.contour(at, at, border, [0.5], colors=theme.ink, linewidths=[1.9])
        for which, coder, (name, axis) in zip("xy", coders, (across, up), strict=True):
            ticks_of(axes, which, coder, axis)
            axes.set(**{f"{which}label": label_of(name, axis)})
        note = "Energy of one training" + ("; line: feasible border" if border is not None else "")
        head_of(figure, axes, f"Energy by {across[0]} and {up[0]}", note, theme)
    return Drawing(png.getvalue(), figure)
