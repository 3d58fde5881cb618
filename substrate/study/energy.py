"""What the points of a study cost to train: the least energy that is feasible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from substrate.record.bill import Amount, Bill
from substrate.record.summary import MetricName
from substrate.report.bill import Lacking, at_least, energy, left_out_of, period
from substrate.report.wording import gap_with_unit

ENERGY = "training_joules"
LACKING = Lacking._fields
"""What is in no sum of a bill, a column a reason; names stand between semicolons."""


def energy_of(value: float, lacks: bool = False) -> str:
    """``1.2 mJ``, or ``≥ 1.2 mJ`` of a sum that lacks something."""
    return at_least(energy(Amount(value=value, low=value, high=value)), lacks)


def time_of(value: float, lacks: bool = False) -> str:
    """``3.1 s``, likewise."""
    return at_least(period(Amount(value=value, low=value, high=value)), lacks)


def joules_of(bill: Bill | None) -> float | None:
    """Energy to train, where there is a figure."""
    return None if bill is None or bill.training_joules is None else bill.training_joules.value


def left_out(bill: Bill | None) -> dict[str, str | None]:
    """What is in no sum of a bill, in the columns `LACKING`; None where nothing is."""
    return {name: "; ".join(getattr(bill, name, ())) or None for name in LACKING}


def lacking_in(row: Mapping[Any, Any]) -> Lacking:
    """What the energy of a row lacks, from the columns `LACKING`."""
    names = (() if pd.isna(row[name]) else tuple(row[name].split("; ")) for name in LACKING)
    return Lacking(*names).of("energy")


def lacking_at(points: pd.DataFrame) -> list[Lacking]:
    """What the energy of every point lacks."""
    return [lacking_in(row) for row in points[[*LACKING]].to_dict("records")]


def varies(points: pd.DataFrame) -> bool:
    """Whether the axes change what training costs."""
    known = points[ENERGY].dropna()
    return len(known) > 1 and bool(known.max() > 1.001 * known.min())


def least_energy(points: pd.DataFrame, axes: list[str], metric: MetricName) -> str:
    """Say which feasible point takes the least energy to train; empty without any energies.

    To pick one among many points is to look many times: of points that are feasible by themselves
    some are so by chance, and the cheapest may well be one of them. So only what is feasible at
    once is named (`substrate.study.together`).

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
    alone = known[known["verdict"] == "feasible"]
    if alone.empty:
        return f"{arm}: no point is known to be {within}, so none has the least energy."
    billed = points[points[[ENERGY, *LACKING]].notna().any(axis=1)]
    lacking = lacking_at(billed[billed["feasible_at_once"]])
    if len(set(lacking)) > 1:
        return (
            f"{arm}: which point has the least energy {within} is not known, since their sums lack"
            f" different things. {left_out_of(lacking, 'feasible points')}"
        )
    feasible = alone[alone["feasible_at_once"]]
    if feasible.empty:
        return (
            f"{arm}: no point is named for the least energy {within}: {len(alone)} of"
            f" {len(points)} points are feasible by their own verdicts, but none of these"
            f" with Holm's correction for picking one among {len(points)}; more seeds may tell."
        )
    best = feasible.loc[feasible[ENERGY].idxmin()]
    where = ", ".join(
        f"{axis} {best[axis]:.4g}" if isinstance(best[axis], float) else f"{axis} {best[axis]}"
        for axis in axes
    )
    least = energy_of(best[ENERGY], any(lacking[0]))
    said = f"{arm}: the least energy {within} is {least} to train, at {where}"
    for verdict, kind in (
        ("undecided", "undecided points"),
        ("feasible", "points that are feasible by their own verdicts alone"),
    ):
        cheaper = known[(known["verdict"] == verdict) & (known[ENERGY] < best[ENERGY])]
        if alike := lacking_at(cheaper).count(lacking[0]):
            said += f"; {alike} {kind} take less"
    return f"{said}. {left_out_of(lacking, 'feasible points')}".rstrip()
