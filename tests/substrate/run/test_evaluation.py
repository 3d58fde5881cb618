"""What is tested between epochs changes nothing of what is trained."""

from pathlib import Path

import pytest
import torch

from substrate.assemble.dataset import checked_dataset
from substrate.new.write import write_new
from substrate.record.metrics import Epoch
from substrate.run.training import ArmRun
from substrate.scenario.load import load_scenario

SCENARIO = """\
name: tiny
data: {name: digits, limit_train: 60}
network: {layers: [8]}
training: {epochs: 2, batch_size: 20}
arms:
  arm:
    learning:
      rule: danp
      perturbation: {source: intrinsic, baseline: noisy}
      decorrelation: {rate: 0.001}
      optimiser: {learning_rate: 0.05}
baselines:
  other: {learning: {rule: np, optimiser: {learning_rate: 0.1}}}
"""
MEMORY = "{model: telegraph, at: output}, {model: pink, at: weight}, {model: pink, at: readout}"
AGEING = "{nu: 0.05, nu_spread: 0.2, seconds_per_read: 1.0, start: 30.0}"
CHIPS = {
    "native": "{crossbar: native}",
    "native with a past": f"{{crossbar: native, drift: {AGEING}, noise: [{MEMORY}]}}",
    "native in tiles": f"{{crossbar: native, max_rows: 20, drift: {AGEING}}}",
    "of one's own": "{crossbar: 'own.py:Own'}",
    "aihwkit in torch": "{crossbar: aihwkit, preset: TorchInferenceRPUConfig}",
    "aihwkit that drifts": "{crossbar: aihwkit, preset: TorchInferenceRPUConfig, config:"
    " {noise_model: {class: PCMLikeNoiseModel}}, seconds_per_read: 100.0}",
}
CPU = torch.device("cpu")
pytestmark = pytest.mark.filterwarnings("ignore:Using a non-tuple sequence:UserWarning")


def begin(path: Path, chip: str, *overrides: str) -> ArmRun:
    path.write_text(SCENARIO)
    scenario, source = load_scenario(path, [f"arms.arm.chip={chip}", *overrides])
    return ArmRun(scenario, "arm", 0, checked_dataset(scenario, source), CPU)


def figures_of_training(epochs: list[Epoch]) -> list[tuple[float | None, float | None]]:
    return [(epoch.train_loss, epoch.train_accuracy) for epoch in epochs]


def figures_of_tests(epochs: list[Epoch]) -> list[tuple[float, float | None]]:
    return [(epoch.test_loss, epoch.test_accuracy) for epoch in epochs]


@pytest.fixture(params=CHIPS.values(), ids=CHIPS.keys())
def chip(request: pytest.FixtureRequest, working_folder: Path) -> str:
    write_new("device", "Own", working_folder)
    return str(request.param)


def test_how_much_is_tested_changes_no_trained_figure(tmp_path: Path, chip: str) -> None:
    path = tmp_path / "a.yaml"
    everything = list(begin(path, chip).epochs())
    little = list(begin(path, chip, "data.limit_test=7").epochs())
    assert figures_of_training(everything) == figures_of_training(little)
    assert figures_of_tests(everything) != figures_of_tests(little)


def test_how_often_is_tested_changes_no_figure_and_repeats(tmp_path: Path, chip: str) -> None:
    path = tmp_path / "a.yaml"
    once, often = begin(path, chip), begin(path, chip)
    test, again = often._test, []

    def test_twice() -> tuple[float, float | None]:
        with often._host.aside("evaluation", "another"):
            again.append(test())
        return test()

    often._test = test_twice  # type: ignore[method-assign]
    first, second = list(once.epochs()), list(often.epochs())
    assert figures_of_training(first) == figures_of_training(second)
    assert figures_of_tests(first) == figures_of_tests(second)
    # streams of their own: the same chip, tested by other draws
    assert again != figures_of_tests(second)
    assert once.observed_noise() == often.observed_noise()


def test_a_resumed_run_trains_and_tests_the_same(tmp_path: Path, chip: str) -> None:
    path = tmp_path / "a.yaml"
    whole = begin(path, chip)
    epochs = whole.epochs()
    before = [next(epochs), next(epochs)]
    whole._multiplications.uncounted.add("operation")
    state = whole.state()
    resumed = begin(path, chip)
    resumed.restore(state, before[-1])
    rest = list(epochs)
    after = list(resumed.epochs())
    assert figures_of_training(after) == figures_of_training(rest)
    assert figures_of_tests(after) == figures_of_tests(rest)
    assert "operation" in resumed._multiplications.uncounted
    assert resumed.observed_noise() == whole.observed_noise()


def test_an_inference_bears_its_part_of_what_a_batch_takes(tmp_path: Path) -> None:
    run = begin(tmp_path / "tiny.yaml", CHIPS["aihwkit that drifts"], "data.limit_test=100")
    list(run.epochs())
    weights = run.ledger().inference.matrices[0]
    # each of 64 rows once for a batch of 100, to see how far it has drifted
    assert weights.reads == pytest.approx(1 + 64 / 100)
