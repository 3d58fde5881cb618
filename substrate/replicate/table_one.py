"""The paper's table of peak accuracies, cell by cell, beside ours at full budget.

    ours        mean over seeds of the best test accuracy over the epochs, with its interval over
                new seeds and new test images (`substrate.run.estimate`)
    of the mean the best over the epochs of the mean over seeds; the paper does not say whether its
                figures are that, or means of peaks
    the paper's p ± z √(p (1 - p) / 10,000): what its test images leave open; its table has no
                spread over seeds

A difference that is larger than both half-widths wants a reason, found by experiment for this arm
(`why` in `reported.yaml`), or is called not explained.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from substrate.replicate.cells import Cell, cells
from substrate.replicate.experiments import Experiment
from substrate.replicate.measured import TrainingRun
from substrate.replicate.statements import CONFIDENCE
from substrate.replicate.tables import points, table
from substrate.report.wording import NOTHING
from substrate.run.estimate import Interval

COLUMNS = {
    "paper/single_layer": "1 layer",
    "paper/three_hidden": "3 hidden",
    "paper/six_hidden": "6 hidden",
    "paper/nine_hidden": "9 hidden",
    "paper/convnet": "ConvNet",
}
"""The table's columns, by experiment."""

_TEST_IMAGES = 10_000
_Z = 1.96

Full = Mapping[str, tuple[Experiment, TrainingRun | None]]
"""Every experiment by name, with its run at full budget."""


def table_one(full: Full) -> str:
    """A line for every cell that the paper has, and for the mirror beside each column."""
    head = ["network", "rule", "paper", "ours", "peak of the mean", "from", "difference"]
    head.append("beyond both intervals")
    rows = [
        [title, *row]
        for name, title in COLUMNS.items()
        if name in full
        for row in _rows(*full[name])
    ]
    return table(head, rows)


def paper_half_width(percent: float) -> float:
    """Of a test accuracy in the paper, in points."""
    share = percent / 100
    return 100 * _Z * math.sqrt(share * (1 - share) / _TEST_IMAGES)


def _rows(experiment: Experiment, run: TrainingRun | None) -> Iterator[list[str]]:
    for cell in cells(experiment, run):
        if cell.paper_test is None and not cell.arm.startswith("mirror"):
            continue
        paper = NOTHING
        if cell.paper_test is not None:
            paper = f"{cell.paper_test:.1f} ± {paper_half_width(cell.paper_test):.1f}"
        if run is None or cell.test_accuracy is None:
            lost = "diverged" if cell.diverged else "not run"
            yield [cell.arm, paper, lost, NOTHING, NOTHING, NOTHING, NOTHING]
            continue
        interval = run.contrast({cell.arm: 1.0}, [cell.arm]).interval(CONFIDENCE)
        ours = f"{interval.centre:.1f}"
        ours += f" ± {interval.half_width:.1f}" if interval.half_width > 0 else ""
        peak = run.peak_of_mean(cell.arm)
        of_mean = NOTHING if peak is None else f"{peak:.1f}"
        gap = _difference(experiment, cell, interval)
        yield [cell.arm, paper, ours, of_mean, _extent(cell), *gap]


def _extent(cell: Cell) -> str:
    """How much was run; what says little is in bold."""
    text = f"{cell.seeds} seeds" if cell.seeds > 1 else "**one seed**"
    if not cell.ended:
        text += f", **{cell.epochs} of {cell.epochs_planned} epochs**"
    return text


def _difference(experiment: Experiment, cell: Cell, interval: Interval) -> list[str]:
    if cell.difference is None or cell.paper_test is None:
        return [NOTHING, NOTHING]
    gap = points(cell.difference)
    if abs(cell.difference) <= max(interval.half_width, paper_half_width(cell.paper_test)):
        return [gap, "no"]
    if not cell.ended:
        return [gap, "not run to its end"]
    why = experiment.reported.why.get(cell.arm)
    return [f"**{gap}**", "not explained" if why is None else " ".join(why.split())]
