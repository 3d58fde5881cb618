"""Runs stopped at any moment: resumed until they end, they end as the undisturbed run did.

python -m tests.torture.stops 50      so many kills at random moments, and every full disk
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import torch

from substrate.record.folder import is_complete
from tests.torture.runs import FILES, command, end, write_scenario

torch.set_num_threads(1)
# a run is a fork of this process, which has imported and compiled everything
_FORKS = multiprocessing.get_context("fork")


def arguments(scenario: Path, folder: Path) -> list[object]:
    """Resume what can be resumed; run what was stopped before it began."""
    begun = (folder / "scenario.yaml").exists()
    return ["run", "--resume", folder] if begun else ["run", scenario, "--out", folder]


def run(words: list[object], folder: Path) -> None:
    """Run a command to its end; what went wrong is written beside the folder."""
    status, errors = command(*words)
    if status:
        folder.with_suffix(".errors").write_text(f"{status}: {errors}")
        os._exit(1)


def kills(root: Path, count: int, seed: int) -> tuple[int, int, list[str]]:
    """Kill runs at random moments until there were so many kills; gives kills, runs, failures."""
    scenario = write_scenario(root)
    whole = root / "whole"
    for folder in (root / "first", whole):  # the first one imports and compiles
        began = time.perf_counter()
        run(["run", scenario, "--out", folder], folder)
    lasts = time.perf_counter() - began
    draw, killed, runs, failures = random.Random(seed), 0, 0, []
    while killed < count:
        folder = root / f"run{runs}"
        runs += 1
        for attempt in range(30):
            if folder.exists() and is_complete(folder):
                break
            process = _FORKS.Process(target=run, args=(arguments(scenario, folder), folder))
            process.start()
            process.join(draw.uniform(0.0, 1.2) * lasts * (1 + attempt / 5))
            process.kill()
            process.join()
            if process.exitcode != -signal.SIGKILL:
                break
            killed += 1
        failures += [f"{folder.name}: {each}" for each in shortcomings(folder, whole)]
    return killed, runs, failures


def full_disks(root: Path, step: int = 1) -> tuple[int, list[str]]:
    """Let the disk be full at one write after the other; gives how many, and failures."""
    scenario = write_scenario(root)
    whole = root / "whole"
    run(["run", scenario, "--out", whole], whole)
    failures = []
    for number in range(1, 1000, step):
        folder, writes, fsync = root / f"run{number}", 0, os.fsync

        def full(descriptor: int) -> None:
            nonlocal writes
            writes += 1
            if writes == number:  # noqa: B023
                raise OSError(28, "No space left on device")
            fsync(descriptor)  # noqa: B023

        words = arguments(scenario, folder)
        with mock.patch("os.fsync", full):
            status, errors = command(*words)
        if status == 0:
            return len(range(1, number, step)), failures
        if status != 1 or not errors.endswith("No space left on device\n"):
            failures.append(f"write {number}: status {status}: {errors}")
        run(arguments(scenario, folder), folder)
        failures += [f"write {number}: {each}" for each in shortcomings(folder, whole)]
    raise AssertionError("the run never came to its end")


def shortcomings(folder: Path, whole: Path) -> list[str]:
    """Say in what a run that was stopped and resumed differs from one that was not."""
    errors = folder.with_suffix(".errors")
    if errors.exists():
        return [errors.read_text()]
    names = {path.name for path in folder.iterdir()}
    if names != FILES:
        return [f"the folder holds {sorted(names ^ FILES)}"]
    return [] if end(folder) == end(whole) else ["ends otherwise"]


def main(count: int) -> int:
    """Try all of them; gives how many fell short."""
    failures = []
    with tempfile.TemporaryDirectory() as root:
        killed, runs, failed = kills(Path(root), count, seed=0)
        failures += failed
        print(f"{killed} kills at random moments of {runs} runs: {len(failed)} fell short")
    with tempfile.TemporaryDirectory() as root:
        disks, failed = full_disks(Path(root))
        failures += failed
        print(f"{disks} full disks: {len(failed)} fell short")
    for each in failures:
        print(each)
    return len(failures)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50) > 0)
