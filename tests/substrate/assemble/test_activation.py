"""Activations of the user's own: run in a scenario with the mirror, and refused in words."""

from pathlib import Path

import pytest
import torch
import yaml

from substrate.assemble.chip import build_chip
from substrate.assemble.dataset import checked_dataset
from substrate.assemble.learner import build_learner
from substrate.scenario.load import load_scenario
from substrate.scenario.source import ScenarioError

CPU = torch.device("cpu")

MINE = """
import torch

def three_levels(a):
    return a.mul_(2).round_().clamp_(-1, 1)

def soft(a):
    return torch.tanh(a)

def wrong(a):
    return a.sum()

def fails(a):
    raise RuntimeError("out of order")

number = 3
"""


def scenario(folder: Path, activation: object, rule: str = "weight_mirror", **settings: object):
    (folder / "mine.py").write_text(MINE)
    optimiser = {"name": "sgd", "learning_rate": 0.1}
    learning = {"rule": rule, "optimiser": optimiser}
    if settings:
        learning["settings"] = settings
    path = folder / "own.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": "own",
                "network": {"layers": [16, 16], "activation": activation},
                "arms": {"arm": {"learning": learning}},
                "baselines": {"anp": {"learning": {"rule": "anp", "optimiser": optimiser}}},
            }
        )
    )
    return load_scenario(path)


@pytest.fixture(autouse=True)
def working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_one_without_a_derivative_is_trained_through_its_observed_slope(tmp_path):
    loaded, source = scenario(tmp_path, "mine.py:three_levels", slope="observed")
    assert not loaded.network.differentiable
    loaded = loaded.model_copy(update={"seeds": [0]})
    arm = loaded.arms["arm"].model_copy()
    arm.learning.perturbation.__dict__["sigma"] = 0.2
    dataset = checked_dataset(loaded, source)
    chip = build_chip(loaded, arm, dataset, 0, CPU)
    learner = build_learner(loaded, arm, chip, 0, CPU)
    x, y = dataset.x_train[:200], dataset.y_train[:200]
    before = learner.step(x, y).losses.mean()
    for _ in range(60):
        after = learner.step(x, y).losses.mean()
    assert after < 0.8 * before


def test_one_that_is_differentiable_can_be_backpropagated_through(tmp_path):
    own = {"function": "mine.py:soft", "differentiable": True}
    loaded, source = scenario(tmp_path, own, rule="bp")
    dataset = checked_dataset(loaded, source)
    chip = build_chip(loaded, loaded.arms["arm"], dataset, 0, CPU)
    learner = build_learner(loaded, loaded.arms["arm"], chip, 0, CPU)
    x, y = dataset.x_train[:200], dataset.y_train[:200]
    before = learner.step(x, y).losses.mean()
    for _ in range(30):
        after = learner.step(x, y).losses.mean()
    assert after < before


@pytest.mark.parametrize(
    ("activation", "reason"),
    [
        ("mine.py:wrong", "of the shape and type that it gets"),
        ("mine.py:fails", "RuntimeError: out of order"),
        ("mine.py:number", "is no function"),
        ("mine.py:three_level", "did you mean 'three_levels'"),
    ],
)
def test_what_is_no_activation_is_refused(tmp_path, activation, reason):
    with pytest.raises(ScenarioError, match=reason) as caught:
        scenario(tmp_path, activation, slope="observed")
    assert "network.activation" in str(caught.value)


def test_a_rule_that_needs_the_derivative_is_refused(tmp_path):
    with pytest.raises(ScenarioError, match="has no useful derivative"):
        scenario(tmp_path, "mine.py:three_levels", rule="bp")
