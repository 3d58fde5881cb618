"""The highest stable learning rate of an arm, by doubling (Appendix F).

The arm is trained afresh at η₀, 2η₀, 4η₀, …, each time for a few epochs, on the training samples
less a part that is held out (`Dataset.validation`). A rate is stable where the loss stays finite
and that of the held-out samples ends at no more than 1.1 times the lowest seen so far: before
training, or at the end of training with a lower rate. The first rate that is not ends the search.
Test samples have no say: a rate chosen by them would make their accuracy better than new data's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import torch

from substrate.data.dataset import Dataset
from substrate.record.metrics import Epoch
from substrate.record.summary import DivergedSeed
from substrate.run.origin import data_checksum
from substrate.run.store import Store
from substrate.run.unit import know_dataset
from substrate.run.unit_settings import Unit, units_of
from substrate.run.units import read_result, run_units
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


class Search:
    """The search of one arm: rates to be tried, one after the other, and what came of them."""

    def __init__(self, start: float) -> None:
        """Begin with η₀."""
        self.tried: list[Attempt] = []
        self._start = start
        self._lowest = float("inf")

    @property
    def next_rate(self) -> float | None:
        """The rate to be tried now; None where the search has ended."""
        if (self.tried and not self.tried[-1].stable) or len(self.tried) > MOST_DOUBLINGS:
            return None
        return float(self._start * 2 ** len(self.tried))

    def take(self, epochs: Sequence[Epoch], diverged: DivergedSeed | None) -> Attempt:
        """Judge what came of the next rate: its epochs, and where it diverged."""
        rate = self.next_rate
        assert rate is not None
        if epochs:
            self._lowest = min(self._lowest, epochs[0].test_loss)
        if diverged is not None:
            what = diverged.what.replace("test loss", "validation loss")
            attempt = Attempt(rate, False, None, None, f"{what} in epoch {diverged.epoch}")
        else:
            bound, last = TOLERATED_RISE * self._lowest, epochs[-1]
            stable = last.test_loss <= bound
            reason = "" if stable else f"the loss ends above {bound:.4g}"
            attempt = Attempt(rate, stable, last.test_loss, last.test_accuracy, reason)
            self._lowest = min(self._lowest, last.test_loss)
        self.tried.append(attempt)
        return attempt


def search_rates(
    scenario: Scenario,
    arms: Sequence[str],
    dataset: Dataset,
    device: torch.device,
    executor: Executor,
    jobs: int,
    *,
    start: float,
    on_epoch: Callable[[str, float, Epoch], None] = lambda arm, rate, record: None,
    on_attempt: Callable[[str, Attempt], None] = lambda arm, attempt: None,
) -> dict[str, list[Attempt]]:
    """Train arms at doubling rates, each up to the first that is unstable, and side by side.

    Args:
        scenario: its `training.epochs` is how long each rate is tried; its first seed is trained.
        arms: their names.
        dataset: all of it, on the CPU.
        device: where to compute.
        executor: does the units.
        jobs: how many of them it does side by side.
        start: η₀.
        on_epoch: is told of every epoch as it ends.
        on_attempt: is told of every rate's outcome.

    Returns:
        Every rate's outcome by arm; only the last can be unstable.

    Raises:
        UnitFailed: a unit was given up.
    """
    store, data = Store.default(), data_checksum(dataset)
    know_dataset(scenario, dataset)
    searches = {arm: Search(start) for arm in arms}
    waiting, open_ = deque(searches), {*searches}
    rates: dict[Unit, float] = {}

    def units() -> Iterator[Unit | None]:
        while open_:
            if not waiting:
                yield None
                continue
            arm = waiting.popleft()
            rate = searches[arm].next_rate
            assert rate is not None
            changed = with_rate(scenario, arm, rate)
            (unit,) = units_of(changed, arm, scenario.seeds[:1], data, device, held_out=True)
            rates[unit] = rate
            yield unit

    def seen(unit: Unit, record: Epoch) -> None:
        on_epoch(unit.arm, rates[unit], record)

    for unit, result in run_units(units(), executor, jobs, store, seen):
        done = read_result(store, unit, result)
        search = searches[unit.arm]
        on_attempt(unit.arm, search.take(done.epochs, done.diverged))
        if search.next_rate is None:
            open_.discard(unit.arm)
        else:
            waiting.append(unit.arm)
    return {arm: each.tried for arm, each in searches.items()}


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
