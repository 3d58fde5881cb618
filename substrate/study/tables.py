"""A study as tables: a row a run, and a row a comparison of a device arm with a baseline.

Nothing in them depends on when, where or in what order units were done.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from substrate.files import write_atomically
from substrate.record.bill import Amount
from substrate.record.summary import Summary
from substrate.study.energy import LACKING, left_out
from substrate.study.plan import StudyPoint
from substrate.study.together import feasible_together, shared_error

RUNS = "runs"
POINTS = "points"
BILLED = (
    "training_joules",
    "training_seconds",
    "inference_joules",
    "inference_seconds",
    "worst_cell_cycles",
)
"""What of the device arm's bill stands in the table of points (`substrate.record.bill.Bill`)."""


def runs_table(points: Sequence[StudyPoint], summaries: Sequence[Summary]) -> pd.DataFrame:
    """A row for every point, arm and seed: what it ended with.

    Accuracies are fractions, and missing in a regression; of a seed that diverged all figures are.
    """
    rows = []
    for number, (point, summary) in enumerate(zip(points, summaries, strict=True)):
        for name, arm in summary.arms.items():
            lost = {each.seed: each.epoch for each in arm.diverged}
            for place, seed in enumerate(summary.seeds):
                figures = {
                    metric: measure.values[place]
                    for metric in ("test_accuracy", "test_loss", "train_accuracy", "train_loss")
                    if (measure := arm.measure(metric)) is not None
                }
                about = {"point": number, **point.values, "arm": name, "role": arm.role}
                rows.append({**about, "seed": seed, **figures, "diverged_in": lost.get(seed)})
    table = pd.DataFrame(rows)
    return table.astype({"diverged_in": "Int64"})


def points_table(points: Sequence[StudyPoint], summaries: Sequence[Summary]) -> pd.DataFrame:
    """A row for every point and comparison: mean, gap, its interval, verdict, the arm's bill.

    `diverged` counts seeds of the arm that did, and are in no mean and no gap; `not_at_once` and
    `baseline_doubted` are those of `substrate.record.summary.Comparison`. `feasible_at_once` is
    whether the arm is feasible there and at all points that have it, at once; `shared_error` is the
    standard error that the gaps of all points have in common (`substrate.study.together`).
    Energies are in joules and times in seconds; missing where nobody has the figures. What the sums
    of a bill lack stands beside them (`substrate.study.energy.LACKING`).
    """
    rows = []
    pairs = [(each.arm, each.baseline) for each in summaries[0].comparisons]
    at_once = {arm: feasible_together(arm, summaries) for arm in dict(pairs)}
    shared = {pair: shared_error(*pair, summaries) for pair in pairs}
    for number, (point, summary) in enumerate(zip(points, summaries, strict=True)):
        for each in summary.comparisons:
            bill = summary.arms[each.arm].bill
            own, other = (
                summary.arms[name].measure(summary.metric) for name in (each.arm, each.baseline)
            )
            rows.append(
                {
                    "point": number,
                    **point.values,
                    "arm": each.arm,
                    "baseline": each.baseline,
                    "seeds": len(summary.seeds),
                    "diverged": len(summary.arms[each.arm].diverged),
                    "mean": own and own.mean,
                    "std": own and own.std,
                    "baseline_mean": other and other.mean,
                    "gap": each.gap,
                    "ci_low": each.ci_low,
                    "ci_high": each.ci_high,
                    "tolerance": each.tolerance,
                    "verdict": each.verdict,
                    "not_at_once": each.not_at_once,
                    "feasible_at_once": number in at_once[each.arm],
                    "shared_error": shared[each.arm, each.baseline],
                    "baseline_doubted": each.baseline_doubted,
                    **{name: bill and _value(getattr(bill, name)) for name in BILLED},
                    **left_out(bill),
                }
            )
    gaps = ("gap", "ci_low", "ci_high", "tolerance", "not_at_once", "shared_error")
    numbers = ("mean", "std", "baseline_mean", *gaps, *BILLED)
    kinds = dict.fromkeys(numbers, "float64") | dict.fromkeys(LACKING, "str")
    return pd.DataFrame(rows).astype(kinds)


def _value(amount: Amount | float | None) -> float | None:
    return amount.value if isinstance(amount, Amount) else amount


def write_tables(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write every table as CSV and as Parquet."""
    for name, table in tables.items():
        write_atomically(folder / f"{name}.csv", table.to_csv(index=False))
        parquet = BytesIO()
        table.apply(_of_one_kind).to_parquet(parquet, index=False)
        write_atomically(folder / f"{name}.parquet", parquet.getvalue())


def _of_one_kind(column: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers beside words as words, since Parquet has one kind a column."""
    kinds = {isinstance(value, str) for value in column.dropna()}
    return column.map(str, na_action="ignore") if len(kinds) > 1 else column
