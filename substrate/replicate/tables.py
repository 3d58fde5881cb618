"""The page's tables, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from substrate.replicate.angles import AngleRun
from substrate.replicate.cells import Cell
from substrate.replicate.experiments import Experiment
from substrate.replicate.measured import TrainingRun, plus_minus
from substrate.replicate.statements import Spread
from substrate.report.sentences import (
    divergence_in_words,
)
from substrate.report.wording import (
    NOTHING,
    gap_number,
    interval,
)

_LOST = "not in our copy"
_COUNTS = (10, 100, 1000, 10_000, 100_000)


def accuracy_table(experiment: Experiment, found: list[Cell]) -> str:
    """Peak accuracies, train / test: the paper's, ours, and the difference."""
    head = ["arm", "budget", "paper", "ours", "difference", "seeds", "epochs", "images"]
    rows = []
    for cell in found:
        reported = _pair(cell.paper_train, cell.paper_test)
        gap = NOTHING if cell.difference is None else points(cell.difference)
        if cell.noteworthy:
            gap = f"**{gap}**"
        if cell.classes is not None and cell.difference is not None:
            gap += f", {cell.classes} classes"
        rows.append([cell.arm, _budget(cell), reported, _accuracies(cell), gap, *_extent(cell)])
    if not experiment.of_paper:
        keep = [place for place, name in enumerate(head) if name not in ("paper", "difference")]
        rows = [[row[place] for place in keep] for row in rows]
        head = [head[place] for place in keep]
    return table(head, rows)


def _pair(train: float | None, test: float | None) -> str:
    if train is None and test is None:
        return _LOST
    return " / ".join(_LOST if each is None else f"{each:.1f}" for each in (train, test))


def _accuracies(cell: Cell) -> str:
    if cell.test_accuracy is None:
        return _nothing(cell)
    both = (cell.train_accuracy, cell.test_accuracy)
    return " / ".join(NOTHING if each is None else plus_minus(each, 1) for each in both)


def points(difference: float) -> str:
    """`+0.4`, `−1.2`."""
    return f"{difference:+.1f}".replace("-", "−")


def _nothing(cell: Cell) -> str:
    return "diverged" if cell.diverged else "not run"


def loss_table(found: list[Cell]) -> str:
    """Test losses of a regression."""
    head = ["arm", "budget", "paper", "final test loss", "lowest test loss", "seeds", "epochs"]

    def written(cell: Cell, loss: Spread | None) -> str:
        return _nothing(cell) if loss is None else plus_minus(loss, 4)

    rows = []
    for cell in found:
        losses = [written(cell, cell.final_test_loss), written(cell, cell.lowest_test_loss)]
        rows.append([cell.arm, _budget(cell), _LOST, *losses, *_extent(cell)])
    return table([*head, "samples"], rows)


def _budget(cell: Cell) -> str:
    return NOTHING if cell.budget is None else f"`{cell.budget}`"


def _extent(cell: Cell) -> list[str]:
    """Seeds, epochs and images; fewer than planned are marked."""
    seeds, epochs = (
        str(done) if done == planned else f"**{done} of {planned}**"
        for done, planned in (
            (cell.seeds, cell.seeds_planned),
            (cell.epochs, cell.epochs_planned),
        )
    )
    if not cell.seeds_planned:
        return [NOTHING] * 3
    if cell.diverged:
        seeds += "; " + "; ".join(divergence_in_words(each) for each in cell.diverged)
    return [seeds, epochs, "all" if cell.images is None else f"{cell.images:,}"]


def angle_table(run: AngleRun) -> str:
    """Angles in every layer, for decades of noise samples."""
    counts = [count for count in run.counts if count in _COUNTS or count == run.counts[-1]]
    head = [
        "arm",
        "budget",
        "noise samples",
        *(f"layer {n}" for n in range(1, len(run.layers) + 1)),
    ]
    rows = []
    for arm, angles in run.angles.items():
        for count in counts:
            row = angles[run.counts.index(count)]
            rows.append([arm, f"`{run.budget}`", f"{count:,}", *(f"{angle:.1f}°" for angle in row)])
    return table(head, rows)


def gap_table(experiment: Experiment, run: TrainingRun) -> list[str]:
    """Final gaps to the clean baselines; nothing where the paper's figures stand instead."""
    if experiment.of_paper or run.summary is None or not run.complete:
        return []
    summary, metric = run.summary, run.metric
    unit = "points of final test accuracy" if run.higher_is_better else "test loss"
    rows = []
    for each in summary.comparisons:
        gap, bounds = gap_number(each.gap, metric), interval(each, metric)
        rows.append([each.arm, f"`{run.budget}`", each.baseline, gap, bounds])
    confidence = f"{100 * summary.confidence:g} % interval"
    head = ["arm", "budget", "baseline", f"behind it by ({unit})", confidence]
    return [table(head, rows)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Any table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
