"""How much faster units are done side by side, and what the doing itself costs.

The main job is timed as its user waits for it: the command, from its start to its report, in a
store of its own. Equal units are digits by DANP on a native
crossbar, with other seeds and rates. Units that take no
time go through the same executor, files and locks as all others, with nothing trained in between.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from substrate.environment import scenarios_folder
from substrate.files import write_atomically
from substrate.record.unit import ENDED, UNIT, Origin, UnitEnd, UnitRecord
from substrate.run.cluster import cluster_workers
from substrate.run.store import Store
from substrate.run.unit import NOTHING_SHA256, Result
from substrate.run.unit_settings import Unit
from substrate.run.units import run_units
from substrate.run.workers import local_workers
from substrate.terminal import Console, tell

EQUAL = """\
name: equal_units
data: {name: digits}
network: {layers: [256, 256]}
training: {epochs: 20, batch_size: 50}
arms:
  one:
    chip: {crossbar: native}
    learning: {rule: danp, decorrelation: {rate: 0.001}, optimiser: {learning_rate: 0.05}}
baselines:
  other:
    chip: {crossbar: native}
    learning: {rule: danp, decorrelation: {rate: 0.001}, optimiser: {learning_rate: 0.04}}
"""
EQUAL_SEEDS = 20
NULL_UNITS = 10_000
NULL_JOBS = 4
_PATIENCE = 300
"""Seconds for a cluster to begin in."""


@dataclass(frozen=True)
class Speed:
    """A command with one job and with more.

    Attributes:
        seconds: by number of jobs, the best of all rounds.
    """

    what: str
    units: int
    seconds: dict[int, float]

    @property
    def faster(self) -> float:
        """How many times, with the most jobs."""
        return self.seconds[1] / self.seconds[max(self.seconds)]


@dataclass(frozen=True)
class NullUnits:
    """Units that take no time.

    Attributes:
        workers: of which kind.
        bytes_per_unit: by how much this process grew, for each of them.
    """

    workers: str
    units: int
    jobs: int
    seconds: float
    bytes_per_unit: float


def bench_jobs(jobs: int, repeats: int) -> Iterator[Speed]:
    """Time the main job, and equal units, with one job and with several, in turn."""
    main = scenarios_folder() / "crossbar_danp.yaml"
    with tempfile.TemporaryDirectory() as folder:
        equal = Path(folder) / "equal_units.yaml"
        equal.write_text(EQUAL)
        seeds = ",".join(map(str, range(EQUAL_SEEDS)))
        for what, units, words in (
            ("the main job", 9, [str(main)]),
            ("equal units", 2 * EQUAL_SEEDS, [str(equal), "--seeds", seeds]),
        ):
            seconds: dict[int, float] = {}
            for _ in range(repeats):
                for count in (1, jobs):
                    took = seconds_of_run([*words, "--jobs", str(count)])
                    seconds[count] = min(took, seconds.get(count, took))
            yield Speed(what, units, seconds)


def bench_null_units(
    units: int = NULL_UNITS, jobs: int = NULL_JOBS, *, dask: bool = False
) -> NullUnits:
    """Do units that take no time, with local workers or with a Dask cluster of as many.

    The cluster's scheduler and workers are processes of their own, as they are in use.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        if dask:
            address = stack.enter_context(local_cluster(jobs, Path(folder)))
            executor, _ = stack.enter_context(cluster_workers(address))
        else:
            executor = stack.enter_context(local_workers(jobs))
        store = Store(Path(folder) / "store")
        _through(store, null_units(max(200, units // 10), "first"), executor, jobs)  # all is there
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        clock = time.perf_counter()
        done = _through(store, null_units(units, "timed"), executor, jobs)
        seconds = time.perf_counter() - clock
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert done == units
    workers = "Dask workers" if dask else "local workers"
    return NullUnits(workers, units, jobs, seconds, 1024 * grown / units)


@contextmanager
def local_cluster(workers: int, folder: Path) -> Iterator[str]:
    """A Dask scheduler and workers of one thread on this machine; gives the cluster's address."""
    from distributed import Client

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = f"127.0.0.1:{port}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def begin(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{words[0]}", *words[1:]]
        return subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    started = [
        begin("dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    ]
    words = ("dask_worker", f"tcp://{place}", "--no-dashboard", "--nthreads", "1")
    started += [begin(*words) for _ in range(workers)]
    try:
        with Client(f"tcp://{place}", timeout=_PATIENCE, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=_PATIENCE)
        yield f"dask://{place}"
    finally:
        for each in reversed(started):
            each.terminate()
        for each in started:
            each.wait()


def do_nothing(store: str, key: str, record: str, trust: str) -> Result:
    """Do a unit without training: what is left is its record and its end."""
    with Store(Path(store)).held(key) as folder:
        end = UnitEnd(
            key=key,
            noise=[],
            ledger=None,
            diverged=None,
            metrics_sha256=NOTHING_SHA256,
            outcome_sha256=NOTHING_SHA256,
        )
        write_atomically(folder / UNIT, record)
        write_atomically(folder / ENDED, end.sealed())
    return Result("ended")


def null_units(count: int, name: str) -> Iterator[Unit]:
    """Name units of nothing."""
    origin = Origin(scenario=name, data="", files={}, versions={}, device="cpu")
    for seed in range(count):
        record = UnitRecord(origin=origin, seed=seed, held_out=False)
        yield Unit(name, seed, record.key, record.as_json() + "\n", "NOTHING")


def _through(store: Store, units: Iterator[Unit], executor: Executor, jobs: int) -> int:
    done = run_units(units, executor, jobs, store, lambda _, record: None, do_nothing)
    return sum(result.state == "ended" for _, result in done)


def seconds_of_run(words: list[str]) -> float:
    """Time `substrate run` as its user waits for it, with a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "substrate", "run", *words, "--out", f"{folder}/run"]
        environment = {**os.environ, "SUBSTRATE_STORE": f"{folder}/store"}
        clock = time.perf_counter()
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - clock


def show_jobs(speeds: list[Speed], nothing: list[NullUnits], as_json: bool) -> None:
    """Print the figures."""
    if as_json:
        told = [{**asdict(each), "faster": each.faster} for each in speeds]
        tell(
            json.dumps({"speeds": told, "null units": [asdict(each) for each in nothing]}, indent=2)
        )
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("What", "Units", "One job", "Several", "Faster"):
        table.add_column(heading, justify="left" if heading == "What" else "right")
    for each in speeds:
        jobs = max(each.seconds)
        table.add_row(
            each.what,
            str(each.units),
            f"{each.seconds[1]:.1f} s",
            f"{each.seconds[jobs]:.1f} s with {jobs}",
            f"{each.faster:.2f} times",
        )
    if speeds:
        Console().print(table)
    for null in nothing:
        tell(
            f"{null.units:,} units that take no time: {null.seconds:.1f} s with {null.jobs}"
            f" {null.workers}, and {null.bytes_per_unit:.0f} bytes each in the parent"
        )
