"""`substrate verify`: exit status, reasons, and programs' output."""

import json
import subprocess
import sys
from pathlib import Path

BROKEN = """
from typing import ClassVar
import torch
from devices.noise import GaussianNoise

class Loud(GaussianNoise):
    title: ClassVar[str] = "too loud"
    def sample(self, signal, memory):
        return 2 * super().sample(signal, memory)
"""


def verify(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "substrate", "verify", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_failure_says_what_and_why_and_ends_with_status_1(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BROKEN)
    run = verify(tmp_path, "mine.py:Loud", "--set", "std=0.1", "--json")
    assert run.returncode == 1
    result = json.loads(run.stdout)
    failed = [each for each in result["checks"] if each["result"] == "failed"]
    assert [each["check"] for each in failed] == [
        "Has the stated variance",
        "Has the spectrum that follows from the stated autocovariance",
    ]
    assert "stated 0.01" in failed[0]["detail"]


def test_what_cannot_be_found_is_answered_with_the_nearest(tmp_path: Path) -> None:
    run = verify(tmp_path, "telegraf")
    assert run.returncode == 2
    assert "did you mean 'telegraph'" in run.stderr
    run = verify(tmp_path, "telegraph", "--set", "dwel_low=1")
    assert run.returncode == 2
    assert "did you mean 'dwell_low'" in run.stderr
