"""How many passes each rule needs until it tests at an accuracy.

    passes(p) = first epoch whose test accuracy is at least p · passes of one sample in an epoch

Test accuracies are measured once an epoch, so counts are whole epochs and rounded up. Passes are
those of the ledger, one sample each: a baseline pass is one, a perturbed pass another,
and a pass of part of a mini-batch counts by its samples. A way back through autograd is none.
"""

from __future__ import annotations

from statistics import mean

from substrate.replicate.measured import TrainingRun
from substrate.replicate.tables import table
from substrate.report.wording import NOTHING

PERCENTS = (40, 45, 50)
"""The accuracies that are asked for on CIFAR-10."""


def passes_table(run: TrainingRun) -> list[str]:
    """A line for every arm of a training on CIFAR-10; nothing where no ledger was kept."""
    if run.summary is None or not run.data.startswith("CIFAR-10") or run.classes is not None:
        return []
    rows = []
    for arm in run.arms:
        of_epoch = _of_an_epoch(run, arm)
        if of_epoch is None or not run.trained(arm):
            continue
        reached = [_passes(run, arm, percent, of_epoch) for percent in PERCENTS]
        rows.append([arm, f"{of_epoch:,.0f}", *reached])
    if not rows:
        return []
    head = ["arm", "passes an epoch", *(f"passes to {percent} %" for percent in PERCENTS)]
    note = "Passes of one sample each, baseline and perturbed, by the ledger; whole epochs."
    return [table(head, rows), note]


def first_epochs(run: TrainingRun, arm: str, percent: float) -> list[int | None]:
    """The first epoch with at least that test accuracy, by seed; None where there was none."""
    found: list[int | None] = []
    for seed in run.trained(arm):
        reached = [
            row.epoch
            for row in run.rows
            if (row.arm, row.seed) == (arm, seed)
            and row.test_accuracy is not None
            and 100 * row.test_accuracy >= percent
        ]
        found.append(min(reached, default=None))
    return found


def _of_an_epoch(run: TrainingRun, arm: str) -> float | None:
    assert run.summary is not None
    ledger = run.summary.arms[arm].ledger if arm in run.summary.arms else None
    return None if ledger is None else ledger.training.passes / run.epochs


def _passes(run: TrainingRun, arm: str, percent: float, of_epoch: float) -> str:
    epochs = first_epochs(run, arm, percent)
    reached = [each for each in epochs if each is not None]
    if not reached:
        return NOTHING
    count = f"{mean(reached) * of_epoch:,.0f}"
    return count if len(reached) == len(epochs) else f"{count} ({len(reached)} of {len(epochs)})"
