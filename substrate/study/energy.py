"""What the points of a study cost to train: the least energy that is feasible."""

from __future__ import annotations

import pandas as pd

from substrate.record.bill import Amount, Bill
from substrate.record.summary import MetricName
from substrate.report.bill import energy, period
from substrate.report.wording import gap_with_unit

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
