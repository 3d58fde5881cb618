"""What a scenario says of its network, activation and loss, checked; as the user reads it."""

from pathlib import Path

import pytest

from substrate.assemble.dataset import checked_dataset
from substrate.scenario.load import load_scenario
from substrate.scenario.source import ScenarioError

SCENARIO = """\
name: tiny
data: {name: gaussian, inputs: 16, outputs: 2, targets: values}
network: {layers: [8]}
training: {epochs: 1, loss: mean_squared_error}
arms:
  anp: {learning: {rule: anp, optimiser: {learning_rate: 0.1}}}
baselines:
  np: {learning: {rule: np, optimiser: {learning_rate: 0.1}}}
"""
WITH_BP = "baselines.np.learning={rule: bp, optimiser: {learning_rate: 0.1}}"
LOSS = "def absolute(output, target):\n    return (output - target).abs().mean(1)\n"


@pytest.fixture
def scenario(working_folder: Path) -> Path:
    (working_folder / "mine.py").write_text(LOSS)
    path = working_folder / "tiny.yaml"
    path.write_text(SCENARIO)
    return path


def refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        checked_dataset(*load_scenario(path, overrides))
    return str(caught.value)


def test_cross_entropy_of_a_regression_is_refused(scenario: Path) -> None:
    said = refusal(scenario, "training.loss=cross_entropy")
    assert "training.loss: gaussian is a regression" in said
    assert "use mean_squared_error" in said


def test_a_layer_that_does_not_fit_is_named_by_its_line(scenario: Path) -> None:
    said = refusal(scenario, "network.layers=[{conv: 4}]")
    assert "network.layers.0: layer 1: a convolution needs an image" in said


def test_data_that_is_missing_is_named(scenario: Path) -> None:
    said = refusal(scenario, "data={name: npz, path: nowhere.npz}")
    assert f"data: there is no {scenario.parent / 'nowhere.npz'}" in said


def test_an_unknown_data_set_has_a_nearest(scenario: Path) -> None:
    assert "did you mean 'cifar10'" in refusal(scenario, "data={name: cifar1}")


def test_a_path_of_another_data_set_is_refused(scenario: Path) -> None:
    assert "unknown key" in refusal(scenario, "data={name: digits, path: x}")


@pytest.mark.parametrize("activation", ["sign", "step", "{staircase: 4}"])
def test_backpropagation_through_an_activation_without_derivative_is_refused(
    scenario: Path, activation: str
) -> None:
    said = refusal(scenario, WITH_BP, f"network.activation={activation}")
    assert "baselines.np.learning.rule" in said
    assert "has no useful derivative" in said
    assert "rules that work on this chip: np, dnp" in said


def test_backpropagation_through_a_black_box_is_refused(scenario: Path) -> None:
    said = refusal(scenario, WITH_BP, "training.loss=mine.py:absolute")
    assert "loss mine.py:absolute is not declared differentiable" in said
    declared = "training.loss={function: mine.py:absolute, differentiable: true}"
    checked_dataset(*load_scenario(scenario, [WITH_BP, declared]))


def test_a_loss_is_found_beside_the_scenario_and_stays_found(scenario: Path) -> None:
    loaded, _ = load_scenario(scenario, ["training.loss=mine.py:absolute"])
    resolved = loaded.model_dump()["training"]["loss"]["function"]
    assert resolved == f"{scenario.parent / 'mine.py'}:absolute"


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("mine.py:absolut", "did you mean 'absolute'"),
        ("mime.py:absolute", "did you mean"),
        ("cross_entrpy", "did you mean 'cross_entropy'"),
    ],
)
def test_a_loss_that_is_not_there_has_a_nearest(scenario: Path, loss: str, said: str) -> None:
    message = refusal(scenario, f"training.loss={loss}")
    assert "training.loss" in message
    assert said in message


def test_an_activation_that_is_not_there_has_a_nearest(scenario: Path) -> None:
    assert "did you mean 'leaky_relu'" in refusal(scenario, "network.activation=leaky_rely")
    assert "staircase" in refusal(scenario, "network.activation={staircase: 1}")
