"""Training a survey's cells, side by side; each is on disk as soon as it is finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

import torch

from substrate.assemble.layouts import network_title
from substrate.data.dataset import Dataset
from substrate.environment import versions
from substrate.files import sole_writer
from substrate.record.metrics import Epoch
from substrate.run.origin import data_checksum, origin
from substrate.run.store import Store
from substrate.run.unit import know_dataset
from substrate.run.unit_figures import Done
from substrate.run.unit_settings import Unit, units_of
from substrate.run.units import read_result, run_units
from substrate.scenario.schema import Scenario
from substrate.survey.plan import Place, Plan
from substrate.survey.record import Cell, Survey, Training, begin_or_go_on, write_record
from substrate.tune.search import with_rate


def run_survey(
    plan: Plan,
    dataset: Dataset,
    folder: Path,
    command: str,
    executor: Executor,
    jobs: int,
    on_epoch: Callable[[Place, float, Epoch, Survey], None] = lambda *_: None,
    on_cell: Callable[[Cell, Survey], None] = lambda *_: None,
) -> Survey:
    """Train every cell that the folder does not hold yet, on the processor.

    Args:
        plan: what to train.
        dataset: the scenario's.
        folder: where `survey.json` is written after every cell.
        command: the command line, for the record.
        executor: does the units.
        jobs: how many of them it does side by side.
        on_epoch: is told of every epoch: where, at which learning rate, its figures (of held-out
            training data while the rate is chosen), and what was finished before.
        on_cell: is told of every cell as it is finished.

    Raises:
        SurveyError: the folder holds another survey.
        UnitFailed: a unit was given up.
        OSError: another process is writing in this folder, or it cannot be written.
    """
    split = dataset.validation() if len(plan.rates) > 1 else None
    data = data_checksum(dataset)
    made = origin(plan.scenario, data, torch.device("cpu"))
    asked = Survey(
        scenario=plan.scenario.model_dump(mode="json", exclude_none=True),
        rates=list(plan.rates),
        samples={"training": len(dataset.x_train), "held out": len(split.x_test) if split else 0},
        network=_network(plan.scenario, dataset),
        metric="test_loss" if dataset.regression else "test_accuracy",
        versions=versions(),
        data=data,
        code={"substrate": made.versions["code"], **made.files},
        command=command,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    with sole_writer(folder):
        survey = begin_or_go_on(folder, asked)
        write_record(folder, survey)
        store = Store.default()
        know_dataset(plan.scenario, dataset)
        open_ = {
            place: _OpenCell(plan, place, data)
            for place in plan.places
            if survey.cell(place) is None
        }
        waiting = deque(each for cell in open_.values() for each in cell.first())
        of_unit: dict[Unit, _Trial] = {}

        def units() -> Iterator[Unit | None]:
            while open_:
                if waiting:
                    trial = waiting.popleft()
                    of_unit[trial.unit] = trial
                    yield trial.unit
                else:
                    yield None

        def seen(unit: Unit, record: Epoch) -> None:
            trial = of_unit[unit]
            on_epoch(trial.place, trial.rate, record, survey)

        for unit, result in run_units(units(), executor, jobs, store, seen):
            trial = of_unit.pop(unit)
            cell = open_[trial.place]
            # what a cell needs next comes before other cells, so that cells are finished one by one
            waiting.extendleft(reversed(cell.take(trial, read_result(store, unit, result))))
            if (finished := cell.finished()) is not None:
                del open_[trial.place]
                survey = survey.model_copy(update={"cells": [*survey.cells, finished]})
                write_record(folder, survey)
                on_cell(finished, survey)
    return survey


def seconds_left(plan: Plan, survey: Survey) -> float:
    """Guess how long the rest will take: each cell as long as those of its preset, or as the mean.

    Presets differ a hundredfold in the time that they take.
    """
    taken: dict[str | None, list[float]] = {}
    for cell in survey.cells:
        taken.setdefault(cell.preset, []).append(cell.seconds)
    known = [each for preset, cells in taken.items() if preset is not None for each in cells]
    if not known:
        return float("nan")
    left = [place for place in plan.places if survey.cell(place) is None]
    return sum(mean(taken.get(place.preset, known)) for place in left)


def chosen_rate(validated: Sequence[Training]) -> float | None:
    """The rate of the highest accuracy, or else of the lowest loss; None if all diverged."""
    ended = [each for each in validated if each.diverged_in is None]
    if not ended:
        return None
    return min(ended, key=lambda each: (-(each.accuracy or 0), each.loss)).learning_rate


@dataclass(frozen=True)
class _Trial:
    """One training of a cell."""

    place: Place
    rate: float
    unit: Unit
    held_out: bool


class _OpenCell:
    """A cell that is not finished: rates are tried on held-out samples, then one on all seeds."""

    def __init__(self, plan: Plan, place: Place, data: str) -> None:
        self._plan, self._place, self._data = plan, place, data
        self._scenario = plan.scenario_of(place)
        self._validated: dict[float, Training] = {}
        self._tested: dict[int, Training] = {}
        self._to_validate = list(plan.rates) if place.preset and len(plan.rates) > 1 else []
        self._diverged = False

    def first(self) -> list[_Trial]:
        """What can be trained before anything is known."""
        seed = self._scenario.seeds[0]
        trials = [self._trial(rate, seed, held_out=True) for rate in self._to_validate]
        return trials or self._tests(self._own_rate())

    def take(self, trial: _Trial, done: Done) -> list[_Trial]:
        """Take what came of a training; gives those that follow from it."""
        found = _training(trial, done)
        if not trial.held_out:
            self._tested[trial.unit.seed] = found
            return []
        self._validated[trial.rate] = found
        if len(self._validated) < len(self._to_validate):
            return []
        rate = chosen_rate(self._validations())
        self._diverged = rate is None
        return [] if rate is None else self._tests(rate)

    def finished(self) -> Cell | None:
        """The cell, if nothing of it is missing."""
        seeds = self._scenario.seeds
        if not self._diverged and len(self._tested) < len(seeds):
            return None
        name = self._place.arm
        perturbation = self._scenario.all_arms[name].learning.perturbation
        return Cell(
            preset=self._place.preset,
            arm=name,
            injected=perturbation != self._plan.scenario.all_arms[name].learning.perturbation,
            validated=self._validations(),
            tested=[self._tested[seed] for seed in seeds] if not self._diverged else [],
        )

    def _validations(self) -> list[Training]:
        return [self._validated[rate] for rate in self._to_validate]

    def _own_rate(self) -> float:
        if self._place.preset is None:
            own: float = self._scenario.all_arms[self._place.arm].learning.optimiser.learning_rate
            return own
        (rate,) = self._plan.rates
        return rate

    def _tests(self, rate: float) -> list[_Trial]:
        return [self._trial(rate, seed, held_out=False) for seed in self._scenario.seeds]

    def _trial(self, rate: float, seed: int, *, held_out: bool) -> _Trial:
        name = self._place.arm
        changed = with_rate(self._scenario, name, rate)
        device = torch.device("cpu")
        (unit,) = units_of(changed, name, [seed], self._data, device, held_out=held_out)
        return _Trial(self._place, rate, unit, held_out)


def _training(trial: _Trial, done: Done) -> Training:
    last, lost = done.epochs[-1] if done.epochs else None, done.diverged
    ended = last if lost is None else None
    return Training(
        learning_rate=trial.rate,
        seed=trial.unit.seed,
        loss=None if ended is None else ended.test_loss,
        accuracy=None if ended is None else ended.test_accuracy,
        diverged_in=None if lost is None else lost.epoch,
        seconds=0.0 if last is None else round(last.seconds, 3),
    )


def _network(scenario: Scenario, dataset: Dataset) -> str:
    network, training = scenario.network, scenario.training
    layers = network_title(network, dataset.input_shape, dataset.n_out)
    return f"{layers}, {network.activation_title}, {training.loss_title}, {dataset.name}"
