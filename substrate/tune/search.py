"""The highest stable learning rate of an arm, by doubling (Appendix F).

The arm is trained afresh at η₀, 2η₀, 4η₀, …, each time for a few epochs, on the training samples
less a part that is held out (`Dataset.validation`). A rate is stable where the loss stays finite
and that of the held-out samples ends at no more than 1.1 times the lowest seen so far: before
training, or at the end of training with a lower rate. The first rate that is not ends the search.
Test samples have no say: a rate chosen by them would make their accuracy better than new data's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from substrate.data.dataset import Dataset
from substrate.record.metrics import Epoch
from substrate.run.training import ArmRun, Divergence
from substrate.scenario.schema import Scenario

TOLERATED_RISE = 1.1
"""How many times the lowest loss seen so far a stable rate may end at."""

MOST_DOUBLINGS = 30


@dataclass(frozen=True)
class Attempt:
    """What came of one learning rate.

    Attributes:
        learning_rate: η.
        stable: as the module defines it.
        validation_loss: of the held-out samples, at the end of training; None where it diverged.
        validation_accuracy: likewise, None in a regression too.
        reason: why it is not stable, or empty.
    """

    learning_rate: float
    stable: bool
    validation_loss: float | None
    validation_accuracy: float | None
    reason: str = ""


def attempts(
    scenario: Scenario,
    name: str,
    seed: int,
    dataset: Dataset,
    device: torch.device,
    *,
    start: float,
    on_epoch: Callable[[float, Epoch], None] = lambda rate, record: None,
) -> Iterator[Attempt]:
    """Train the arm at doubling rates, up to the first that is unstable.

    Args:
        scenario: its `training.epochs` is how long each rate is tried.
        name: of the arm.
        seed: the one seed that is trained.
        dataset: on `device`; its test samples are those that were held out.
        device: where to compute.
        start: η₀.
        on_epoch: is told of every epoch as it ends.

    Yields:
        Every rate's outcome, as soon as it is known; only the last can be unstable.
    """
    lowest = float("inf")
    for doubling in range(MOST_DOUBLINGS + 1):
        rate = start * 2**doubling
        run = ArmRun(with_rate(scenario, name, rate), name, seed, dataset, device)
        try:
            for record in run.epochs():
                on_epoch(rate, record)
                if record.epoch == 0:
                    lowest = min(lowest, record.test_loss)
        except Divergence as divergence:
            reason = str(divergence).replace("test loss", "validation loss")
            yield Attempt(rate, False, None, None, reason)
            return
        bound = TOLERATED_RISE * lowest
        stable = record.test_loss <= bound
        reason = "" if stable else f"the loss ends above {bound:.4g}"
        yield Attempt(rate, stable, record.test_loss, record.test_accuracy, reason)
        if not stable:
            return
        lowest = min(lowest, record.test_loss)


def highest_stable(tried: list[Attempt]) -> float | None:
    """The highest stable rate, None if not even the first is stable."""
    return max((each.learning_rate for each in tried if each.stable), default=None)


def with_rate(scenario: Scenario, name: str, rate: float) -> Scenario:
    """Give an arm another learning rate."""
    group = "arms" if name in scenario.arms else "baselines"
    arm = scenario.all_arms[name]
    optimiser = arm.learning.optimiser.model_copy(update={"learning_rate": rate})
    learning = arm.learning.model_copy(update={"optimiser": optimiser})
    changed = arm.model_copy(update={"learning": learning})
    return scenario.model_copy(update={group: {**getattr(scenario, group), name: changed}})
