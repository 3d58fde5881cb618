"""`substrate tune` as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Substrate = Callable[..., CompletedProcess[str]]


def test_the_printed_setting_is_one_that_check_takes(
    substrate: Substrate, tiny: Path, tmp_path: Path
) -> None:
    arguments = ("tune", tiny, "--arm", "backpropagation", "--epochs", 1, "--start", 0.05)
    done = substrate(*arguments, "--out", "found", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result == json.loads((tmp_path / "found" / "tune.json").read_text())
    arm = result["arms"]["backpropagation"]
    assert f"learning rate {arm['tried'][0]['learning_rate']:g}" in done.stderr
    assert arm["highest_stable"] in [each["learning_rate"] for each in arm["tried"]]
    checked = substrate("check", tiny, *arm["set"].split(), "--json")
    optimiser = json.loads(checked.stdout)["baselines"]["backpropagation"]["learning"]["optimiser"]
    assert optimiser["learning_rate"] == arm["highest_stable"]


def test_an_arm_that_is_not_there_has_a_nearest(substrate: Substrate, tiny: Path) -> None:
    done = substrate("tune", tiny, "--arm", "backpropagaton")
    assert done.returncode == 2
    assert "did you mean 'backpropagation'" in done.stderr
