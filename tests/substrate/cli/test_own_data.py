"""What `check` and `run` say of arrays of the user's own."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
DATA = "data={name: npz, path: mine.npz}"
LINE = "Data: mine: 60 training and 20 test samples of 4 inputs; 2 classes; labels 1…2 are classes"


def write(path: Path, labels: np.ndarray) -> None:
    x = np.random.default_rng(0).normal(size=(80, 4))
    np.savez(path, x_train=x[:60], y_train=labels[:60], x_test=x[60:], y_test=labels[60:])


def test_what_was_understood_is_said_and_kept(
    tiny: Path, tmp_path: Path, substrate_here: Run
) -> None:
    write(tmp_path / "mine.npz", np.arange(80) % 2 + 1)
    checked = substrate_here("check", tiny, "--set", DATA)
    assert checked.returncode == 0
    assert LINE in checked.stdout
    ran = substrate_here("run", tiny, "--set", DATA, "--set", "training.epochs=1", "--out", "out")
    assert LINE in ran.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert f"Data: {summary['data']['understood']}".startswith(LINE)


@pytest.mark.parametrize("command", ["check", "run"])
def test_what_is_ambiguous_is_asked(
    tiny: Path, tmp_path: Path, substrate_here: Run, command: str
) -> None:
    write(tmp_path / "mine.npz", np.arange(80) % 2 * 1.0)
    asked = substrate_here(command, tiny, "--set", DATA)
    assert asked.returncode == 2
    assert "write data.task: classification or regression" in asked.stderr


def test_data_that_is_not_here_leaves_a_scenario_valid(tiny: Path, substrate_here: Run) -> None:
    checked = substrate_here("check", tiny, "--set", DATA)
    assert checked.returncode == 0
    assert "mine.npz is not here" in checked.stdout
