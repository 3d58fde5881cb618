"""Local workers: what they give, what their deaths cost, and that none outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from substrate.data import load_dataset
from substrate.run import workers
from substrate.run.workers import InProcess, default_jobs, local_workers, unit_bytes
from substrate.scenario.load import load_scenario

PATIENCE = 300
"""Seconds until something is taken to hang: a busy machine starts a process in a minute."""


def test_one_job_is_done_in_this_process() -> None:
    with local_workers(1) as executor:
        assert isinstance(executor, InProcess)
        assert executor.submit(os.getpid).result() == os.getpid()
        assert isinstance(executor.submit(int, "no number").exception(), ValueError)


def test_a_worker_that_is_killed_takes_its_own_task_alone() -> None:
    with local_workers(2) as executor:
        ids = {executor.submit(os.getpid).result() for _ in range(6)}
        assert os.getpid() not in ids
        assert executor.submit(torch.get_num_threads).result() == 1
        sleeping = executor.submit(time.sleep, 1.0)
        killed = executor.submit(signal.raise_signal, signal.SIGKILL)
        assert killed.exception(PATIENCE) is not None
        assert sleeping.result(PATIENCE) is None
        assert executor.submit(os.getpid).result(PATIENCE) != os.getpid()


def test_jobs_are_limited_by_cores_and_by_memory(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario, _ = load_scenario(tiny)
    dataset, cpu = load_dataset(scenario.data), torch.device("cpu")
    each = unit_bytes(scenario, dataset)
    assert 3e8 < each < 1e9
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(8)})
    monkeypatch.setattr(workers, "memory_at_hand", lambda: 100 * each)
    assert default_jobs(scenario, dataset, cpu) == 8
    monkeypatch.setattr(workers, "memory_at_hand", lambda: 3 * each + 1)
    assert default_jobs(scenario, dataset, cpu) == 3
    monkeypatch.setattr(workers, "memory_at_hand", lambda: 0)
    assert default_jobs(scenario, dataset, cpu) == 1


_PARENT = """
import os, sys, time
from substrate.run.workers import local_workers
if __name__ == "__main__":
    with local_workers(2) as executor:
        busy = [executor.submit(time.sleep, 600) for _ in range(2)]
        while sum(each.running() for each in busy) < 2:
            time.sleep(0.05)
        time.sleep(1)
        print("ready", flush=True)
        time.sleep(600)
"""


def test_no_worker_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(_PARENT)
    mark = f"orphans-of-{os.getpid()}"
    environment = {**os.environ, "SUBSTRATE_MARK": mark}
    parent = subprocess.Popen(
        [sys.executable, program], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    assert len(_marked(mark)) >= 4  # the parent, the server and two workers
    parent.kill()
    parent.wait()
    left = _marked(mark)
    for _ in range(10 * PATIENCE):
        if not (left := _marked(mark)):
            break
        time.sleep(0.1)
    assert not left


def _marked(mark: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
