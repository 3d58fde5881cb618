"""Training what the paper's main example leaves out: comparators, convolutions, own losses."""

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import pytest
import torch

from substrate.assemble.dataset import checked_dataset
from substrate.record.metrics import Epoch
from substrate.report import write_report
from substrate.run.experiment import run_scenario
from substrate.run.multiplications import Multiplications
from substrate.run.outcomes import load_outcomes
from substrate.run.training import ArmRun, layer_noise
from substrate.run.workers import InProcess
from substrate.scenario.load import load_scenario
from substrate.scenario.source import ScenarioError
from tests.statistics import assert_mean

SCENARIO = """\
name: tiny
network: {layers: [64]}
training: {epochs: 3, batch_size: 50}
arms:
  arm:
    learning: {rule: danp, optimiser: {name: adam, learning_rate: 0.003}}
baselines:
  other: {learning: {rule: np, optimiser: {learning_rate: 0.1}}}
"""
MARGIN = """\
import numpy as np

def margin(output, target):
    output = np.asarray(output)
    right = np.take_along_axis(output, np.asarray(target)[:, None], 1)
    return np.maximum(0, 1 - right + output).sum(1)
"""
REGRESSION = (
    "data={name: gaussian, inputs: 10, outputs: 2, targets: values}",
    "training.loss=mean_squared_error",
)
CPU = torch.device("cpu")
# a guess gets a tenth right: of 360 test samples 36 with a standard deviation of 6
ABOVE_CHANCE = 0.1 + 10 * 6 / 360


class Silent:
    """A display that shows nothing."""

    def epoch(self, record: Epoch) -> None:
        pass

    def ended(self, arm: str, seed: int, how: str) -> None:
        pass


def train(path: Path, *overrides: str) -> list[Epoch]:
    path.write_text(SCENARIO)
    scenario, source = load_scenario(path, overrides)
    dataset = checked_dataset(scenario, source)
    return list(ArmRun(scenario, "arm", 0, dataset, CPU).epochs())


def test_comparators_are_trained_by_perturbations_that_flip_them(tmp_path: Path) -> None:
    sigma = "arms.arm.learning.perturbation.sigma"
    layers = ("network.layers=[64, 64]", "network.activation=sign")
    large = train(tmp_path / "a.yaml", *layers, f"{sigma}=0.2")
    small = train(tmp_path / "a.yaml", *layers, f"{sigma}=1e-5")
    assert large[-1].test_accuracy > ABOVE_CHANCE
    assert large[-1].test_accuracy > small[-1].test_accuracy


@pytest.mark.parametrize(
    "learning",
    [
        "{rule: weight_mirror, decorrelation: {every: 3}, optimiser: {learning_rate: 0.1}}",
        "{rule: weight_mirror, settings: {regression: lms, output_error: critic}, "
        "optimiser: {learning_rate: 0.1}}",
        "{rule: danp, decorrelation: {every: 2}, optimiser: {learning_rate: 0.1}}",
    ],
)
def test_the_multiplications_of_a_step_are_those_of_its_kind(
    tmp_path: Path, learning: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def total() -> int:
        path = tmp_path / "a.yaml"
        path.write_text(SCENARIO)
        scenario, source = load_scenario(
            path,
            (
                f"arms.arm.learning={learning}",
                "training.epochs=1",
                "data={name: digits, limit_train: 520}",
            ),
        )
        run = ArmRun(scenario, "arm", 0, checked_dataset(scenario, source), CPU)
        assert len(list(run.epochs())) == 2
        return run.ledger().learner_multiplications

    by_kind = total()
    count = Multiplications.count

    def look_at_every_step(self: Multiplications, kind: Hashable, step: Callable[[], Any]) -> Any:
        self._of_kind.clear()
        return count(self, kind, step)

    monkeypatch.setattr(Multiplications, "count", look_at_every_step)
    assert by_kind == total()


def test_a_convolution_is_trained(tmp_path: Path) -> None:
    layers = "network.layers=[{conv: 8, kernel: 3, stride: 2}, flatten, 32]"
    rate = "arms.arm.learning.optimiser.learning_rate=0.01"
    inp = "arms.arm.learning.rule=dinp"
    (*_, last) = train(tmp_path / "a.yaml", layers, rate, inp)
    assert last.test_accuracy > ABOVE_CHANCE


def test_a_loss_in_numpy_beside_the_scenario_is_trained(working_folder: Path) -> None:
    (working_folder / "mine.py").write_text(MARGIN)
    (*_, last) = train(working_folder / "a.yaml", "training.loss=mine.py:margin")
    assert last.test_accuracy > ABOVE_CHANCE


def test_a_loss_that_writes_into_its_labels_changes_no_accuracy(working_folder: Path) -> None:
    (working_folder / "mine.py").write_text(
        "from torch.nn.functional import cross_entropy\n"
        "def honest(output, target):\n"
        "    return cross_entropy(output.double(), target, reduction='none')\n"
        "def vandal(output, target):\n"
        "    loss = honest(output, target)\n"
        "    target.copy_(output.argmax(1))\n"
        "    output.zero_()\n"
        "    return loss\n"
    )
    honest, vandal = (
        [
            (epoch.train_accuracy, epoch.test_accuracy, epoch.test_loss)
            for epoch in train(working_folder / "a.yaml", f"training.loss=mine.py:{name}")
        ]
        for name in ("honest", "vandal")
    )
    assert honest == vandal


@pytest.mark.parametrize("first_failing", ["test", "train"])
def test_a_loss_that_fails_ends_in_one_message(working_folder: Path, first_failing: str) -> None:
    (working_folder / "mine.py").write_text(
        "import sys\n"
        "def leaves(output, target):\n"
        f"    if len(output) {'>' if first_failing == 'test' else '<='} 50:\n"
        "        sys.exit(0)\n"
        "    return output.sum(1)\n"
    )
    with pytest.raises(ScenarioError) as caught:
        train(working_folder / "a.yaml", "training.loss=mine.py:leaves")
    assert str(caught.value) == (
        f"training.loss: the loss mine.py:leaves ({working_folder / 'mine.py'}:4)"
        " ends the program: SystemExit(0)"
    )


def test_classes_are_trained_by_the_squared_error_too(tmp_path: Path) -> None:
    (*_, last) = train(tmp_path / "a.yaml", "training.loss=mean_squared_error")
    assert last.test_accuracy > ABOVE_CHANCE


def test_the_summary_of_a_regression_compares_losses(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(SCENARIO)
    overrides = (*REGRESSION, "training.epochs=1", "seeds=[0, 1]", "verdict.tolerance=10")
    scenario, source = load_scenario(path, overrides)
    dataset = checked_dataset(scenario, source)
    folder = tmp_path / "run"
    summary = run_scenario(
        scenario, dataset, folder, CPU, "run", Silent(), write_report, InProcess(), 1
    )
    arm, other = (summary.arms[name].test_loss.values for name in ("arm", "other"))
    (comparison,) = summary.comparisons
    assert comparison.gap == pytest.approx(sum(arm) / 2 - sum(other) / 2)
    assert comparison.verdict == "feasible"
    for name, losses in (("arm", arm), ("other", other)):
        by_sample = load_outcomes(folder)[name]
        assert [by_sample[seed].mean() for seed in (0, 1)] == pytest.approx(losses)
    assert summary.metric == "test_loss"
    assert not any(
        "accuracy" in key for arm in summary.model_dump()["arms"].values() for key in arm
    )
    assert "accuracy" not in (folder / "metrics.jsonl").read_text()
    assert "Test loss" in (folder / "report.html").read_text()


def test_a_regression_has_a_loss_and_no_accuracy(tmp_path: Path) -> None:
    first, *_, last = train(tmp_path / "a.yaml", *REGRESSION)
    assert last.test_loss < 0.5 * first.test_loss
    assert set(last.model_dump()) == {
        "format",
        "arm",
        "seed",
        "epoch",
        "train_loss",
        "test_loss",
        "seconds",
    }


def test_the_signal_of_a_layer_holds_none_of_the_noise_that_its_mean_has_left():
    """Signal N(0, 0.6²) under noise N(0, 1): 0.36 and 1, where the mean's variance is 0.485."""
    found = []
    for _ in range(400):
        signal = 0.6 * torch.randn(16, 5)
        noise = layer_noise(2, signal + torch.randn(8, 16, 5))
        assert noise.layer == 2
        found.append([noise.signal_std**2, noise.noise_std**2])
    assert_mean(torch.tensor(found), torch.tensor([0.36, 1.0]))


def test_a_signal_of_noise_alone_is_not_below_0():
    found = [layer_noise(1, torch.randn(8, 200, 10)).signal_std for _ in range(20)]
    # six standard errors of the variance, 0.125 √(2 / 1999), in any of 20: false alarms 2e-8
    assert all(0 <= each < (6 * 0.125 * (2 / 1999) ** 0.5) ** 0.5 for each in found)
    assert 0 in found  # false alarms: 2^-20
