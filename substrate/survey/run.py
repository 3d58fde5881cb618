"""Training a survey's cells, one after the other; each is on disk as soon as it is finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

import torch

from substrate.assemble.layouts import network_title
from substrate.data.dataset import Dataset
from substrate.environment import versions
from substrate.files import sole_writer
from substrate.record.metrics import Epoch
from substrate.run.training import ArmRun, Divergence
from substrate.scenario.schema import Scenario
from substrate.survey.plan import Place, Plan
from substrate.survey.record import Cell, Survey, Training, begin_or_go_on, write_record
from substrate.tune.search import with_rate


def run_survey(
    plan: Plan,
    dataset: Dataset,
    folder: Path,
    command: str,
    on_epoch: Callable[[Place, float, Epoch, Survey], None] = lambda *_: None,
    on_cell: Callable[[Cell, Survey], None] = lambda *_: None,
) -> Survey:
    """Train every cell that the folder does not hold yet, on the processor.

    Args:
        plan: what to train.
        dataset: the scenario's.
        folder: where `survey.json` is written after every cell.
        command: the command line, for the record.
        on_epoch: is told of every epoch: where, at which learning rate, its figures (of held-out
            training data while the rate is chosen), and what was finished before.
        on_cell: is told of every cell as it is finished.

    Raises:
        SurveyError: the folder holds another survey.
        OSError: another process is writing in this folder, or it cannot be written.
    """
    split = dataset.validation() if len(plan.rates) > 1 else None
    asked = Survey(
        scenario=plan.scenario.model_dump(mode="json", exclude_none=True),
        rates=list(plan.rates),
        samples={"training": len(dataset.x_train), "held out": len(split.x_test) if split else 0},
        network=_network(plan.scenario, dataset),
        metric="test_loss" if dataset.regression else "test_accuracy",
        versions=versions(),
        command=command,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    with sole_writer(folder):
        survey = begin_or_go_on(folder, asked)
        write_record(folder, survey)
        for place in plan.places:
            if survey.cell(place) is None:
                cell = _train_cell(
                    plan,
                    place,
                    dataset,
                    split,
                    lambda rate, record, place=place, so_far=survey: on_epoch(  # type: ignore[misc]
                        place, rate, record, so_far
                    ),
                )
                survey = survey.model_copy(update={"cells": [*survey.cells, cell]})
                write_record(folder, survey)
                on_cell(cell, survey)
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


def _train_cell(
    plan: Plan,
    place: Place,
    dataset: Dataset,
    split: Dataset | None,
    on_epoch: Callable[[float, Epoch], None],
) -> Cell:
    scenario, name = plan.scenario_of(place), place.arm
    rate: float | None = scenario.all_arms[name].learning.optimiser.learning_rate
    validated: list[Training] = []
    if place.preset is not None and split is not None:
        validated = [
            _train(with_rate(scenario, name, each), name, scenario.seeds[0], split, on_epoch)
            for each in plan.rates
        ]
        rate = chosen_rate(validated)
    elif place.preset is not None:
        (rate,) = plan.rates
    tested: list[Training] = []
    if rate is not None:
        chosen = with_rate(scenario, name, rate)
        tested = [_train(chosen, name, seed, dataset, on_epoch) for seed in scenario.seeds]
    perturbation = scenario.all_arms[name].learning.perturbation
    return Cell(
        preset=place.preset,
        arm=name,
        injected=perturbation != plan.scenario.all_arms[name].learning.perturbation,
        validated=validated,
        tested=tested,
    )


def _train(
    scenario: Scenario,
    name: str,
    seed: int,
    dataset: Dataset,
    on_epoch: Callable[[float, Epoch], None],
) -> Training:
    rate = scenario.all_arms[name].learning.optimiser.learning_rate
    started = time.perf_counter()
    loss: float | None = None
    accuracy: float | None = None
    diverged_in: int | None = None
    try:
        for record in ArmRun(scenario, name, seed, dataset, torch.device("cpu")).epochs():
            on_epoch(rate, record)
            loss, accuracy = record.test_loss, record.test_accuracy
    except Divergence as divergence:
        loss, accuracy, diverged_in = None, None, divergence.epoch
    return Training(
        learning_rate=rate,
        seed=seed,
        loss=loss,
        accuracy=accuracy,
        diverged_in=diverged_in,
        seconds=round(time.perf_counter() - started, 3),
    )


def _network(scenario: Scenario, dataset: Dataset) -> str:
    network, training = scenario.network, scenario.training
    layers = network_title(network, dataset.input_shape, dataset.n_out)
    return f"{layers}, {network.activation_title}, {training.loss_title}, {dataset.name}"
