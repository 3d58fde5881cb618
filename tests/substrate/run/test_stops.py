"""A stop between any two writes of a run."""

import os
from pathlib import Path

import pytest

from substrate.record.folder import METRICS, is_complete, read_summary
from substrate.record.unit import CHECKPOINT, ENDED
from substrate.run import experiment, unit
from substrate.run.store import Store, is_ended
from substrate.run.unit import do_unit
from substrate.run.units import run_units
from substrate.run.workers import InProcess
from tests.substrate.run.test_units import units, unseen
from tests.torture import stops
from tests.torture.runs import FILES, command, end, store_of, write_scenario


class Killed(BaseException):
    """Ends a run as a kill does."""


def test_a_disk_that_is_full_at_any_write_is_one_message_and_the_run_goes_on_later(tmp_path):
    disks, failures = stops.full_disks(tmp_path, step=12)
    assert disks > 4
    assert not failures


@pytest.mark.parametrize("last", ["outcomes", "report", "summary"])
def test_a_run_that_is_killed_over_its_last_writes_is_finished(tmp_path, monkeypatch, last):
    scenario = write_scenario(tmp_path)
    few = ["--set", "training.epochs=1"]
    assert command("run", scenario, "--out", tmp_path / "whole", *few)[0] == 0
    folder = tmp_path / "killed"
    write = experiment.write_atomically

    def kill(path: Path, *content: object) -> None:
        if last == "summary" and path.name != "summary.json":
            write(path, *content)
        else:
            raise Killed

    places = {"report": "RunFolder", "summary": "write_atomically", "outcomes": "save_outcomes"}
    with monkeypatch.context() as killed:
        killed.setattr(experiment, places[last], kill)
        with pytest.raises(Killed):
            command("run", scenario, "--out", folder, *few)
    assert (folder / "report.html").exists() == (last == "summary")
    assert read_summary(folder) is None
    assert not is_complete(folder)
    status, errors = command("run", "--resume", folder)
    assert status == 0, errors
    assert end(folder) == end(tmp_path / "whole")
    assert {path.name for path in folder.iterdir()} == FILES


def test_a_unit_with_weights_beside_its_end_is_not_done_and_loses_them(tmp_path, monkeypatch):
    scenario = write_scenario(tmp_path)
    folder = tmp_path / "killed"

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(unit, "drop_checkpoint", kill)
        with pytest.raises(Killed):
            command("run", scenario, "--out", folder)
    (weights,) = store_of(folder).rglob(CHECKPOINT)
    assert (weights.parent / ENDED).exists()
    assert not is_ended(weights.parent)
    assert command("run", "--resume", folder)[0] == 0
    assert command("run", scenario, "--out", tmp_path / "whole")[0] == 0
    assert end(folder) == end(tmp_path / "whole")
    assert not list(store_of(folder).rglob(CHECKPOINT))


@pytest.mark.parametrize(("seconds", "count"), [(0.0, 4), (1e9, 1)])
def test_checkpoints_keep_their_distance_and_the_last_epoch_has_one(
    tmp_path, monkeypatch, seconds, count
):
    saved, save = [], unit.save_checkpoint

    def keep(folder, tensors, progress) -> None:
        saved.append(progress.metrics_bytes)
        save(folder, tensors, progress)

    monkeypatch.setattr(unit, "CHECKPOINT_SECONDS", seconds)
    monkeypatch.setattr(unit, "save_checkpoint", keep)
    (native,) = units(write_scenario(tmp_path), "native")
    (_, result), *_ = run_units([native], InProcess(), 1, Store(tmp_path / "store"), unseen)
    assert result.state == "ended"
    assert len(saved) == count
    assert saved[-1] == (Store(tmp_path / "store").folder(native.key) / METRICS).stat().st_size


def test_a_unit_that_begins_anew_does_so_in_another_file(tmp_path, monkeypatch):
    """Who watches it knows by the file that the figures are not those that were seen."""
    monkeypatch.setattr(unit, "CHECKPOINT_SECONDS", 1e9)
    (native,) = units(write_scenario(tmp_path), "native")
    store = Store(tmp_path / "store")
    path = store.folder(native.key) / METRICS

    def kill() -> None:
        raise Killed

    token = unit.epoch_written.set(kill)
    with pytest.raises(Killed):
        do_unit(str(store.root), native.key, native.record, native.trust)
    unit.epoch_written.reset(token)
    with path.open() as before:
        do_unit(str(store.root), native.key, native.record, native.trust)
        assert os.fstat(before.fileno()).st_ino != path.stat().st_ino
    assert len(path.read_text().splitlines()) == 4


def test_metrics_are_on_the_disk_before_the_checkpoint_that_counts_them(tmp_path, monkeypatch):
    on_disk = 0
    save, fsync = unit.save_checkpoint, os.fsync

    def synced(descriptor: int) -> None:
        nonlocal on_disk
        fsync(descriptor)
        if Path(os.readlink(f"/proc/self/fd/{descriptor}")).name == "metrics.jsonl":
            on_disk = os.fstat(descriptor).st_size

    counted = []

    def saved(folder, tensors, progress) -> None:
        assert on_disk == progress.metrics_bytes
        counted.append(progress.metrics_bytes)
        save(folder, tensors, progress)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr(unit, "save_checkpoint", saved)
    scenario = write_scenario(tmp_path)
    assert command("run", scenario, "--out", tmp_path / "run")[0] == 0
    assert len(counted) == len((tmp_path / "run" / "metrics.jsonl").read_bytes().splitlines())
