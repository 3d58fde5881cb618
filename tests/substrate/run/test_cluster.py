"""Units on a Dask cluster of local processes: the same figures, whatever becomes of a worker."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from substrate.record import RecordError
from substrate.record.metrics import Epoch
from substrate.run import units as run_units_module
from substrate.run.cluster import cluster_workers
from substrate.run.session import How
from substrate.run.store import Store
from substrate.run.unit import Result, do_unit
from substrate.run.unit_settings import Unit
from substrate.run.units import run_units
from substrate.run.workers import InProcess
from substrate.scenario.source import ScenarioError
from tests.substrate.run.test_units import figures, units, unseen
from tests.torture.runs import write_scenario

distributed = pytest.importorskip("distributed", reason="the optional extra dask is not installed")
ROOT = Path(__file__).parents[3]
PATIENCE = 300


def begin(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"] = "120s"
    command = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler, and two workers: one of a thread, as it should be, and one of two."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    host, port = place.split(":")
    started = [begin(folder, "dask_scheduler", "--host", host, "--port", port, "--no-dashboard")]
    workers = ["dask_worker", f"tcp://{place}", "--no-dashboard", "--nthreads"]
    started += [begin(folder, *workers, count) for count in ("1", "2")]
    try:
        with distributed.Client(f"tcp://{place}", timeout=PATIENCE, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
        yield f"dask://{place}"
    finally:
        for each in reversed(started):
            each.terminate()
        for each in started:
            try:
                each.wait(PATIENCE / 5)
            except subprocess.TimeoutExpired:  # a nanny may wait for ever for what it has closed
                each.kill()


def killed_once(store: str, key: str, record: str, trust: str) -> Result:
    """Let the first unit be stopped by a kill after its first epochs, checkpoint and all."""
    said = Path(store) / "killed"
    if not said.exists():
        said.parent.mkdir(parents=True, exist_ok=True)
        said.touch()
        from substrate.run import unit

        unit.CHECKPOINT_SECONDS = 0.0  # of this process, which ends here
        seen = []

        def kill() -> None:
            seen.append(1)
            if len(seen) == 2:
                os.kill(os.getpid(), signal.SIGKILL)

        unit.epoch_written.set(kill)
    return do_unit(store, key, record, trust)


def test_a_worker_killed_in_between_changes_no_figure(
    tmp_path: Path, own_store: Path, address: str
) -> None:
    path = write_scenario(tmp_path)
    every = units(path, "native", seeds=(0, 1)) + units(path, "backpropagation", seeds=(0, 1))
    alone, store = Store(tmp_path / "alone"), Store(own_store)
    list(run_units(every, InProcess(), 1, alone, unseen))
    seen: list[tuple[str, int, int]] = []

    def see(unit: Unit, record: Epoch) -> None:
        seen.append((unit.arm, unit.seed, record.epoch))

    with cluster_workers(address) as (executor, count):
        assert count == 2
        done = dict(run_units(every, executor, count, store, see, killed_once))
    assert (own_store / "killed").exists()
    assert {result.state for result in done.values()} == {"ended"}
    for unit in every:
        assert figures(store, unit) == figures(alone, unit)
        assert {e for arm, seed, e in seen if (arm, seed) == (unit.arm, unit.seed)} == {0, 1, 2, 3}


def test_code_of_ones_own_runs_where_the_worker_has_another_working_folder(
    working_folder: Path, own_store: Path, address: str
) -> None:
    path = write_scenario(working_folder)
    mine = working_folder / "mine.py"
    mine.write_text("def loss(output, target):\n    return (output**2).sum(1)\n")
    own = (
        f"training.loss={mine}:loss",
        "baselines.backpropagation={learning: {rule: np, optimiser: {learning_rate: 0.01}}}",
    )
    with cluster_workers(address) as (executor, count):
        ((_, result),) = run_units(
            units(path, "native", *own), executor, count, Store(own_store), unseen
        )
        assert result.state == "ended", result.log
        changed = units(path, "native", *own, seeds=(1,))
        mine.write_text("def loss(output, target):\n    return (output**4).sum(1)\n")
        with pytest.raises(RecordError, match=f"the file {mine}"):
            list(run_units(changed, executor, count, Store(own_store), unseen))
        mine.unlink()
        with pytest.raises(RecordError, match=f"the file {mine}"):
            list(run_units(changed, executor, count, Store(own_store), unseen))


def writes_elsewhere(store: str, key: str, record: str, trust: str) -> Result:
    return do_unit(f"{store}-of-another-machine", key, record, trust)


def test_a_worker_that_does_not_see_the_store_is_told_of(
    tmp_path: Path, own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_units_module, "_FILES_SECONDS", 0)
    path = write_scenario(tmp_path)
    every = units(path, "backpropagation")
    with pytest.raises(RecordError, match="into another store"):
        list(run_units(every, InProcess(), 1, Store(own_store), unseen, writes_elsewhere))


def test_the_command_line_joins_a_cluster(
    substrate, tmp_path: Path, own_store: Path, address: str
) -> None:
    path = write_scenario(tmp_path)
    few = ("--set", "training.epochs=1", "--seeds", "0")
    done = substrate("run", path, "--out", "run", "--cluster", address, *few)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize("wrong", ["10.0.0.1:8786", "slurm://here", "dask://"])
def test_what_names_no_cluster_is_refused(wrong: str) -> None:
    with pytest.raises(ScenarioError, match="names no cluster"):
        How(cluster=wrong)


def test_where_no_scheduler_answers_that_is_said() -> None:
    from dask import config

    with (
        config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(ScenarioError, match="no Dask scheduler answers"),
        cluster_workers("dask://127.0.0.1:1"),
    ):
        pass


def test_messages_that_were_sent_are_not_kept(address: str) -> None:
    with cluster_workers(address) as (executor, _):
        for each in [executor.submit(abs, -number) for number in range(50)]:
            each.result()
        assert len(executor._client.scheduler_comm.recent_message_log) <= 10  # type: ignore[attr-defined]
