"""The cells of an experiment: for every arm, the paper's figures, ours, and the difference."""

from __future__ import annotations

from dataclasses import dataclass

from substrate.record.summary import DivergedSeed
from substrate.replicate.experiments import Experiment
from substrate.replicate.measured import TrainingRun
from substrate.replicate.statements import Spread

NOTEWORTHY_POINTS = 2.0


@dataclass(frozen=True)
class Cell:
    """One arm at one budget; accuracies in percent, best over the epochs, as the paper has them.

    Attributes:
        budget: None where nothing was run.
        seeds: those in the means; `seeds_planned` were to be run.
        epochs: those that each of these seeds reached; `epochs_planned` were to be run.
        images: training samples; None for all that there are.
        classes: of the data, where some were left out: such accuracies are shown beside the
            paper's, not measured by them.
    """

    arm: str
    budget: str | None
    paper_train: float | None
    paper_test: float | None
    train_accuracy: Spread | None = None
    test_accuracy: Spread | None = None
    final_test_loss: Spread | None = None
    lowest_test_loss: Spread | None = None
    seeds: int = 0
    seeds_planned: int = 0
    epochs: int = 0
    epochs_planned: int = 0
    images: int | None = None
    classes: int | None = None
    diverged: tuple[DivergedSeed, ...] = ()

    @property
    def difference(self) -> float | None:
        """Ours less the paper's, on test data, in points."""
        if self.test_accuracy is None or self.paper_test is None:
            return None
        return self.test_accuracy.mean - self.paper_test

    @property
    def ended(self) -> bool:
        """Whether the seeds that count were trained to the end."""
        return self.epochs_planned > 0 and self.epochs == self.epochs_planned

    @property
    def comparable(self) -> bool:
        """Whether the paper has a figure, and ours was trained to the end on as many classes."""
        return self.difference is not None and self.ended and self.classes is None

    @property
    def noteworthy(self) -> bool:
        """Whether ours, trained to the end, differs so much that a reason is wanted."""
        if self.difference is None or not self.ended:
            return False
        return abs(self.difference) > NOTEWORTHY_POINTS


def cells(experiment: Experiment, run: TrainingRun | None) -> list[Cell]:
    """A cell for every arm of the scenario, then of the paper; without a run they are empty."""
    paper = experiment.reported.paper
    arms = experiment.arms if run is None else run.arms
    return [_cell(experiment, run, arm) for arm in dict.fromkeys([*arms, *paper])]


def _cell(experiment: Experiment, run: TrainingRun | None, arm: str) -> Cell:
    paper = experiment.reported.paper.get(arm)
    train = None if paper is None else paper.train
    test = None if paper is None else paper.test
    if run is None or arm not in run.arms:
        return Cell(arm, None if run is None else run.budget, train, test)
    accuracies = run.higher_is_better
    return Cell(
        arm,
        run.budget,
        train,
        test,
        run.best(arm, "train_accuracy") if accuracies else None,
        run.best(arm, "test_accuracy") if accuracies else None,
        run.final(arm, "test_loss"),
        run.best(arm, "test_loss"),
        len(run.trained(arm)),
        len(run.seeds),
        run.reached(arm),
        run.epochs,
        run.images,
        run.classes,
        tuple(run.diverged[arm]),
    )
