"""Training a survey's cells: where the rate comes from, what is kept, what is repeated."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from devices.ledger import Counts
from substrate.assemble.host import ChipHost
from substrate.data.dataset import Dataset
from substrate.record.afterwards import Afterwards
from substrate.record.ledger import Ledger
from substrate.record.metrics import Epoch
from substrate.record.summary import LayerNoise
from substrate.run.training import ArmRun, Divergence
from substrate.run.workers import InProcess
from substrate.scenario.schema import Scenario
from substrate.survey.plan import Place, Plan
from substrate.survey.record import Survey, SurveyError, Training
from substrate.survey.run import chosen_rate, run_survey, seconds_left

DANP = Place("IdealizedPreset", "danp")


class Played(ArmRun):
    """Stands in for training: 0.02 does better on held-out data, 0.1 on the test data."""

    calls: ClassVar[list[tuple[str, float, int, int]]] = []
    test_samples = 50
    diverges = False

    def __init__(
        self,
        scenario: Scenario,
        name: str,
        seed: int,
        dataset: Dataset,
        device: torch.device,
        host: ChipHost | None,
    ) -> None:
        learning = scenario.all_arms[name].learning
        self.arm = {"bp": "bp", "danp": "danp", "dbp": "transposed"}[learning.rule]
        self.seed, self.rate = seed, learning.optimiser.learning_rate
        self.held_out = len(dataset.x_test) != self.test_samples
        self.calls.append((self.arm, self.rate, len(dataset.x_train), len(dataset.x_test)))

    def epochs(self) -> Iterator[Epoch]:
        yield self.played(0, 2.3, 0.1)
        if self.diverges and self.arm != "bp":
            raise Divergence(1, "training loss is nan")
        best = 0.02 if self.held_out else 0.1
        yield self.played(1, 1.0, 0.9 if self.rate == best else 0.3)

    def state(self) -> dict[str, torch.Tensor]:
        return {}

    def by_sample(self) -> torch.Tensor:
        return torch.zeros(self.test_samples, dtype=torch.bool)

    def observed_noise(self) -> list[LayerNoise]:
        return []

    def afterwards(self) -> list[Afterwards]:
        return []

    def ledger(self) -> Ledger:
        nothing = Counts(passes=0, readout_conversions=0, activation_words=0, matrices=[])
        return Ledger(
            steps=0,
            training=nothing,
            inference=nothing,
            learner_multiplications=0,
            learner_words=0,
        )

    def played(self, epoch: int, loss: float, accuracy: float) -> Epoch:
        return Epoch(
            arm=self.arm,
            seed=self.seed,
            epoch=epoch,
            train_loss=loss if epoch else None,
            test_loss=loss,
            test_accuracy=accuracy,
            seconds=0.0,
        )


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> type[Played]:
    monkeypatch.setattr(Played, "calls", [])
    monkeypatch.setattr("substrate.run.unit.ArmRun", Played)
    return Played


def test_the_rate_is_chosen_without_the_test_data(
    plan: Plan, dataset: Dataset, tmp_path: Path, played: type[Played]
) -> None:
    survey = run_survey(plan, dataset, tmp_path / "out", "survey", InProcess(), 1)
    assert played.calls[:4] == [
        ("bp", 0.003, 100, 50),
        ("danp", 0.1, 80, 20),
        ("danp", 0.02, 80, 20),
        ("danp", 0.02, 100, 50),
    ]
    cell = survey.cell(DANP)
    assert cell
    assert [each.accuracy for each in cell.validated] == [0.3, 0.9]
    assert [(each.learning_rate, each.accuracy) for each in cell.tested] == [(0.02, 0.3)]


def test_one_rate_needs_no_search(
    plan: Plan, dataset: Dataset, tmp_path: Path, played: type[Played]
) -> None:
    one = Plan(plan.scenario, ("IdealizedPreset",), (0.1,))
    run_survey(one, dataset, tmp_path / "out", "survey", InProcess(), 1)
    assert played.calls == [
        ("bp", 0.003, 100, 50),
        ("danp", 0.1, 100, 50),
        ("transposed", 0.1, 100, 50),
    ]


def test_where_every_rate_diverges_nothing_more_is_trained(
    plan: Plan,
    dataset: Dataset,
    tmp_path: Path,
    played: type[Played],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Played, "diverges", True)
    cell = run_survey(plan, dataset, tmp_path / "out", "survey", InProcess(), 1).cell(DANP)
    assert cell
    assert [each.diverged_in for each in cell.validated] == [1, 1]
    assert [each.accuracy for each in cell.validated] == [None, None]
    assert cell.tested == []


def training(
    rate: float, accuracy: float | None, loss: float | None, diverged_in: int | None = None
) -> Training:
    return Training(
        learning_rate=rate,
        seed=0,
        loss=loss,
        accuracy=accuracy,
        diverged_in=diverged_in,
        seconds=1.0,
    )


@pytest.mark.parametrize(
    ("validated", "rate"),
    [
        ([training(0.1, 0.5, 1.0), training(0.02, 0.6, 2.0)], 0.02),
        ([training(0.1, 0.5, 1.0), training(0.02, 0.5, 0.9)], 0.02),
        ([training(0.1, None, 1.0), training(0.02, None, 1.1)], 0.1),
        ([training(0.1, None, None, 1), training(0.02, 0.1, 2.3)], 0.02),
        ([training(0.1, None, None, 1), training(0.02, None, None, 2)], None),
    ],
)
def test_accuracy_comes_before_loss(validated: list[Training], rate: float | None) -> None:
    assert chosen_rate(validated) == rate


def test_a_stopped_survey_goes_on_with_the_cell_that_was_not_finished(
    plan: Plan, dataset: Dataset, tmp_path: Path
) -> None:
    def stop(place: Place, rate: float, record: Epoch, so_far: Survey) -> None:
        if place == Place("IdealizedPreset", "transposed"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_survey(plan, dataset, tmp_path / "out", "first", InProcess(), 1, stop)
    begun: list[Place] = []
    survey = run_survey(
        plan,
        dataset,
        tmp_path / "out",
        "second",
        InProcess(),
        1,
        lambda place, rate, record, so_far: begun.append(place),
    )
    assert set(begun) == set(plan.places[2:])
    assert [cell.place for cell in survey.cells] == plan.places
    assert survey.command == "first"
    for cell in survey.cells:
        assert len(cell.tested) == 1
        assert len(cell.validated) == (0 if cell.preset is None else 2)
        assert cell.injected == (cell.place == Place("FloatingPointPreset", "danp"))


def test_other_settings_are_refused_by_name(
    plan: Plan, dataset: Dataset, tmp_path: Path, played: type[Played]
) -> None:
    run_survey(plan, dataset, tmp_path / "out", "survey", InProcess(), 1)
    more = Plan(plan.scenario, (*plan.presets, "PCMPreset"), plan.rates)
    played.calls.clear()
    run_survey(more, dataset, tmp_path / "out", "survey", InProcess(), 1)
    assert {arm for arm, *_ in played.calls} == {"danp", "transposed"}
    longer = plan.scenario.training.model_copy(update={"epochs": 2})
    changed = Plan(plan.scenario.model_copy(update={"training": longer}), plan.presets, plan.rates)
    with pytest.raises(SurveyError, match=r"scenario\.training\.epochs is 1 there, and 2 here"):
        run_survey(changed, dataset, tmp_path / "out", "survey", InProcess(), 1)
    other = Plan(plan.scenario, plan.presets, (0.5,))
    with pytest.raises(SurveyError, match="rates is"):
        run_survey(other, dataset, tmp_path / "out", "survey", InProcess(), 1)


def test_time_left_goes_by_the_preset_where_one_of_its_cells_is_known(
    plan: Plan, dataset: Dataset, tmp_path: Path, played: type[Played]
) -> None:
    survey = run_survey(plan, dataset, tmp_path / "out", "survey", InProcess(), 1)
    assert seconds_left(plan, survey) == 0

    def lasting(preset: str, arm: str, seconds: float) -> object:
        cell = survey.cell(Place(preset, arm))
        assert cell
        trained = cell.tested[0].model_copy(update={"seconds": seconds})
        return cell.model_copy(update={"validated": [], "tested": [trained]})

    slow = lasting("IdealizedPreset", "danp", 30.0)
    one = survey.model_copy(update={"cells": [survey.cells[0], slow]})
    assert seconds_left(plan, one) == 30 + 2 * 30
    quick = lasting("FloatingPointPreset", "danp", 2.0)
    two = survey.model_copy(update={"cells": [survey.cells[0], slow, quick]})
    assert seconds_left(plan, two) == 30 + 2
