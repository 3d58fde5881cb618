"""What `substrate fit-device` shows of a fit."""

from pathlib import Path

import pytest

from substrate.cli.fit_device import for_programs, tell_fit
from substrate.fit.device.data import Measured
from substrate.fit.device.fit import DeviceFit
from substrate.terminal import Console


def test_readings_that_clip_are_told_where_the_verdict_stands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clipped = "300 of 1000 readings are 3e-05 exactly, the highest of all: if"
    found = DeviceFit(verdicts={"response": "good", "sweep": "good"})
    tell_fit(Console(), Measured(clipped=[clipped]), found)
    lines = capsys.readouterr().out.splitlines()
    (verdict,) = [place for place, line in enumerate(lines) if line == "Response: good; it fits."]
    assert lines[verdict + 1] == f"But {clipped}."
    assert lines[verdict + 2] == "Sweep: good; it fits."
    assert for_programs(Measured(clipped=[clipped]), found, Path("a.png"))["clipped"] == [clipped]
