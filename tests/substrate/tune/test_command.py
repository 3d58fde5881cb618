"""`substrate tune` as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np

SMALL = """\
name: small
data: {{name: npz, path: {name}.npz}}
network: {{layers: [4]}}
training: {{epochs: 1, batch_size: 20}}
arms:
  arm: {{learning: {{rule: bp, optimiser: {{learning_rate: 1}}}}}}
baselines:
  other: {{learning: {{rule: bp, optimiser: {{learning_rate: 1}}}}}}
seeds: [0]
"""
Substrate = Callable[..., CompletedProcess[str]]


def test_the_printed_setting_is_one_that_check_takes(
    substrate_here: Substrate, tiny: Path, tmp_path: Path
) -> None:
    arguments = ("tune", tiny, "--arm", "backpropagation", "--epochs", 1, "--start", 0.05)
    done = substrate_here(*arguments, "--out", "found", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result == json.loads((tmp_path / "found" / "tune.json").read_text())
    assert result["selected_on"] == {
        "samples": "held out from the training samples",
        "fraction": 0.2,
        "held_out": 287,
        "trained_on": 1150,
    }
    assert "judged by the other 287, held out; test samples are not seen" in done.stderr
    arm = result["arms"]["backpropagation"]
    assert f"learning rate {arm['tried'][0]['learning_rate']:g}" in done.stderr
    assert arm["highest_stable"] in [each["learning_rate"] for each in arm["tried"]]
    checked = substrate_here("check", tiny, *arm["set"].split(), "--json")
    optimiser = json.loads(checked.stdout)["baselines"]["backpropagation"]["learning"]["optimiser"]
    assert optimiser["learning_rate"] == arm["highest_stable"]


def test_an_arm_that_is_not_there_has_a_nearest(substrate_here: Substrate, tiny: Path) -> None:
    done = substrate_here("tune", tiny, "--arm", "backpropagaton")
    assert done.returncode == 2
    assert "did you mean 'backpropagation'" in done.stderr


def test_a_rate_is_chosen_without_the_test_samples(
    substrate_here: Substrate, tmp_path: Path
) -> None:
    """Two data sets that differ in their test samples alone have the same search."""
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(300, 6)).astype("float32"), generator.integers(0, 3, 300)
    searches = []
    for name, test in (("a", slice(0, 100)), ("b", slice(100, 200))):
        np.savez(
            tmp_path / f"{name}.npz",
            x_train=x[200:],
            y_train=y[200:],
            x_test=x[test],
            y_test=y[test],
        )
        (tmp_path / "s.yaml").write_text(SMALL.format(name=name))
        done = substrate_here("tune", "s.yaml", "--start", 0.1, "--out", name, "--json")
        assert done.returncode == 0, done.stderr
        searches.append(json.loads(done.stdout)["arms"])
    assert searches[0] == searches[1]


def test_a_batch_needs_as_many_samples_as_are_left(substrate_here: Substrate, tiny: Path) -> None:
    done = substrate_here("tune", tiny, "--set", "training.batch_size=1200")
    assert done.returncode == 2
    assert "only 1150 training samples left with 287 held out" in done.stderr
