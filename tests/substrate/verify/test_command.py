"""`substrate verify`: exit status, reasons, and programs' output."""

import json
from pathlib import Path
from typing import Any

import pytest

from devices.interface import Dense, Outer
from substrate.cli.verify import kit_of_chip
from substrate.scenario.schema import NativeChip

BROKEN = """
from typing import ClassVar
import torch
from devices.noise import GaussianNoise

class Loud(GaussianNoise):
    title: ClassVar[str] = "too loud"
    def sample(self, signal, memory):
        return 2 * super().sample(signal, memory)
"""

TIMID = """
from typing import ClassVar
from learning.rules.activity_node_perturbation import ActivityNodePerturbation

class Timid(ActivityNodePerturbation):
    title: ClassVar[str] = "a hundredth of ANP"
    def errors(self, trial):
        return tuple(error / 100 for error in super().errors(trial))
"""


def test_a_failure_says_what_and_why_and_ends_with_status_1(
    tmp_path: Path, substrate_here: Any
) -> None:
    (tmp_path / "mine.py").write_text(BROKEN)
    run = substrate_here("verify", "mine.py:Loud", "--set", "std=0.1", "--json")
    assert run.returncode == 1
    result = json.loads(run.stdout)
    failed = [each for each in result["checks"] if each["result"] == "failed"]
    assert [each["check"] for each in failed] == [
        "Has the stated variance, whatever the signal",
        "Has the spectrum that follows from the stated autocovariance",
        "Adds to a signal, and converts, what it would sample: these two are what runs use",
    ]
    assert "stated 0.01" in failed[0]["detail"]


def test_what_cannot_be_found_is_answered_with_the_nearest(substrate_here: Any) -> None:
    run = substrate_here("verify", "telegraf")
    assert run.returncode == 2
    assert "did you mean 'telegraph'" in run.stderr
    run = substrate_here("verify", "telegraph", "--set", "dwel_low=1")
    assert run.returncode == 2
    assert "did you mean 'dwell_low'" in run.stderr


def test_a_rule_is_held_to_what_it_says(tmp_path: Path, substrate_here: Any) -> None:
    (tmp_path / "mine.py").write_text(TIMID)
    run = substrate_here("verify", "mine.py:Timid", "--seed", "3", "--json")
    assert run.returncode == 1
    result = json.loads(run.stdout)
    assert result["title"] == "a hundredth of ANP"
    (failed,) = (each for each in result["checks"] if each["result"] == "failed")
    assert failed["check"].startswith("Has the gradient as its expected error in one layer")
    assert "drawn 0.0" in failed["detail"]


def test_rules_are_found_and_misspelt_ones_are_answered_with_the_nearest(
    substrate_here: Any,
) -> None:
    run = substrate_here("verify", "np_observed", "--set", "calibration_trials=3", "--json")
    assert run.returncode == 0, run.stdout
    assert json.loads(run.stdout)["failed"] == 0
    assert "did you mean 'weight_mirror'" in substrate_here("verify", "weight_miror").stderr
    misspelt = substrate_here("verify", "weight_mirror", "--set", "told=perhaps")
    assert misspelt.returncode == 2
    assert "--set told=perhaps: told: must be a valid boolean" in misspelt.stderr
    shown = substrate_here("show", "weight_mirror")
    assert shown.returncode == 2
    assert "nothing to draw" in shown.stderr


def test_twice_a_dense_request_is_found_of_trains_that_are_cut_short() -> None:
    kit = kit_of_chip(NativeChip(crossbar="native", preset="rasch_2019"), 0)

    class Doubled(kit):  # type: ignore[misc, valid-type]
        def make(self, *arguments: Any, **named: Any) -> Any:
            crossbar = super().make(*arguments, **named)
            right = crossbar.update

            def update(request: Outer | Dense) -> None:
                dense = isinstance(request, Dense)
                right(Dense(2 * request.delta) if dense else request)

            crossbar.update = update
            return crossbar

    with pytest.raises(AssertionError, match="Dense: the change made is"):
        Doubled().test_updates()
