"""`substrate survey` as a user calls it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from substrate.survey import run

Substrate = Callable[..., CompletedProcess[str]]
PRESETS = ("--presets", "IdealizedPreset,FloatingPointPreset")


def test_the_table_has_the_figures_of_the_record_and_a_second_call_trains_nothing(
    substrate_here: Substrate, two_rules: Path, tmp_path: Path
) -> None:
    command = ("survey", two_rules, *PRESETS, "--out", "out", "--json")
    done = substrate_here(*command)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record == json.loads((tmp_path / "out" / "survey.json").read_text())
    table = (tmp_path / "out" / "survey.md").read_text()
    for cell in record["cells"]:
        (tested,) = cell["tested"]
        shown = f"{100 * tested['accuracy']:.1f} % ({tested['learning_rate']:g})"
        line = cell["preset"] or "Baselines"
        assert shown in re.search(rf"^\|? ?{line}.*$", table, flags=re.MULTILINE)[0]  # type: ignore[index]
    assert "5 of 5 cells, 0:00:00 left" in done.stderr
    again = substrate_here(*command)
    assert json.loads(again.stdout) == record
    assert "cells" not in again.stderr


def test_one_arm_makes_one_column(substrate_here: Substrate, tiny: Path, tmp_path: Path) -> None:
    small = ("--epochs", 1, "--rates", 0.1, "--set", "network.layers=[4]")
    done = substrate_here("survey", tiny, "--presets", "EcRamPreset", *small, "--out", "out")
    assert done.returncode == 0, done.stderr
    table = (tmp_path / "out" / "survey.md").read_text()
    assert re.search(r"^\| preset \| crossbar \|$", table, flags=re.MULTILINE)
    assert re.search(r"^\| EcRamPreset \| \d.* % \(0\.1\) \|$", table, flags=re.MULTILINE)


def test_ctrl_c_says_how_to_go_on(
    substrate_here: Substrate, two_rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run_units", stop)
    command = ("survey", two_rules, "--presets", "EcRamPreset", "--rates", 0.1, "--out", "out")
    stopped = substrate_here(*command)
    assert stopped.returncode == 130
    assert "the same command with --out out goes on" in stopped.stderr
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert substrate_here(*command).returncode == 0


def test_a_folder_of_another_survey_is_refused(
    substrate_here: Substrate, two_rules: Path, tmp_path: Path
) -> None:
    command = ("survey", two_rules, "--presets", "EcRamPreset", "--rates", 0.1, "--out", "out")
    assert substrate_here(*command).returncode == 0
    other = substrate_here(*command, "--epochs", 2)
    assert other.returncode == 2
    assert "scenario.training.epochs is 1 there, and 2 here" in other.stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    assert "is not an empty folder" in substrate_here(*command[:-1], "full").stderr


@pytest.mark.parametrize("rates", ["", "0.1,", "fast", "0", "-1", "nan", "inf", "0.1,0.10"])
def test_rates_are_numbers_above_0(
    substrate_here: Substrate, two_rules: Path, tmp_path: Path, rates: str
) -> None:
    done = substrate_here("survey", two_rules, *PRESETS, f"--rates={rates}", "--out", "out")
    assert done.returncode == 2
    assert "--rates" in done.stderr
    assert not (tmp_path / "out").exists()
