"""Doing a unit of work: one arm with one seed, known by a hash of all that its figures depend on.

A unit is done once and kept in a store (`substrate.run.store`), whoever asks for it: a run, a
survey, a study. It is told to a worker as plain text, and does everything by itself, so that it may
be done in this process, in another one or on another machine that sees the same store and data.

A stop may come between any two writes, so they have an order: the figures of epochs are on the disk
before the checkpoint that counts them, which comes with an epoch's end, but not more often than it
costs a small training little; at the end comes what became of the test samples, then
the record that the unit has ended, then the checkpoint's removal, which makes it done.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import torch

from substrate.assemble.bench import BenchBusy
from substrate.assemble.resumable import without_state
from substrate.data import load_dataset
from substrate.data.dataset import Dataset
from substrate.data.error import DataError
from substrate.files import remove_unfinished, write_atomically
from substrate.plugins import trusting_as_told
from substrate.record import RecordError
from substrate.record.folder import METRICS, epochs
from substrate.record.summary import DivergedSeed
from substrate.record.unit import (
    ARM,
    CHECKPOINT,
    ENDED,
    LOG,
    OUTCOME,
    UNIT,
    Origin,
    UnitEnd,
    UnitProgress,
    UnitRecord,
)
from substrate.record.wire import WireFigures
from substrate.run.checkpoint import drop_checkpoint, load_checkpoint, save_checkpoint
from substrate.run.isolated import isolated_host
from substrate.run.last_figures import LastFigures, last_figures
from substrate.run.origin import data_checksum, differences, origin_of
from substrate.run.outcomes import encoded_outcome
from substrate.run.store import Store, UnitBusy, is_ended
from substrate.run.training import ArmRun, Divergence
from substrate.run.unit_figures import read_bytes, sha256_of
from substrate.run.unit_settings import UnitSettings
from substrate.scenario.schema import RemoteChip, Scenario
from substrate.scenario.source import ScenarioError
from substrate.wire.errors import ChipEnded, ChipRestarted, LeaseLost, LeaseTaken
from substrate.wire.host import RemoteHost, remote_host

STATES = "chip-states"
"""Of a chip in a process of its own; they hold weights, and go when the unit is done."""
CHECKPOINT_SECONDS = 1.0
"""Between two checkpoints of a training, at least; a stop takes away no more than this much work,
and the epoch that it came in."""
_MOST_RESTARTS, _MOST_DEATHS = 100, 2
"""Of a chip on a bench; of the process of a simulated one, which is tried as often as a worker."""
NOTHING_SHA256 = hashlib.sha256(b"").hexdigest()

epoch_written: ContextVar[Callable[[], None]] = ContextVar("epoch_written", default=lambda: None)
"""Called when an epoch's figures are written, by a unit that is done in this process."""


class Result(NamedTuple):
    """What came of the attempt to do a unit.

    Attributes:
        state: ended; busy where another process has it, or its bench, in hand; failed, with a log;
            refused, with the problem that forbids to go on: the folder is damaged, or the disk is
            full.
        warnings: what was warned of on the way, each once. A worker has nobody to show it to.
    """

    state: Literal["ended", "busy", "failed", "refused"]
    log: str = ""
    problem: RecordError | OSError | None = None
    warnings: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """The last line of the log; of an error of ours what it says, without its class."""
        line = (self.log.strip().splitlines() or [""])[-1]
        return line.partition(": ")[2] if line.startswith("substrate.") else line


def do_unit(store: str, key: str, record: str, trust: str) -> Result:
    """Do a unit, or go on with it, unless it is done; everything is said in plain text.

    Ctrl-C goes through, and leaves what a later call goes on from.
    """
    with warnings.catch_warnings(record=True) as seen:
        result = _attempt(store, key, record, trust)
    return result._replace(warnings=tuple(dict.fromkeys(str(each.message) for each in seen)))


def _attempt(store: str, key: str, record: str, trust: str) -> Result:
    folder = Store(Path(store)).folder(key)
    try:
        with Store(Path(store)).held(key), trusting_as_told(trust), _alone_on_one_thread():
            if not is_ended(folder):
                _do(folder, key, record)
    except (UnitBusy, BenchBusy):
        return Result("busy")
    except LeaseTaken as problem:
        warnings.warn(f"waiting for a chip: {problem}", stacklevel=1)
        return Result("busy")
    except (RecordError, OSError) as problem:
        return Result("refused", problem=problem)
    except DataError as problem:
        return Result("refused", problem=RecordError(str(problem)))
    except Exception as problem:
        log = "".join(traceback.format_exception(problem))
        write_atomically(folder / LOG, log)
        return Result("failed", log)
    return Result("ended")


def know_dataset(scenario: Scenario, dataset: Dataset) -> None:
    """Keep units that are done in this process from loading data that is here already."""
    _known.clear()
    _known[scenario.data.model_dump_json()] = (dataset, data_checksum(dataset))


def _do(folder: Path, key: str, record: str) -> None:
    about = UnitRecord.read(record, folder / UNIT)
    remove_unfinished(folder)
    if not (folder / UNIT).exists():
        write_atomically(folder / UNIT, record)
    _check_code(about.origin)
    settings = UnitSettings.model_validate_json(about.origin.scenario, context={"folder": Path()})
    dataset, data = _dataset(settings)
    if data != about.origin.data:
        raise RecordError(f"{settings.data.name}: the data here is not that of the run")
    device = torch.device(about.origin.device)
    if about.held_out:
        dataset = dataset.validation()
    scenario = settings.scenario(about.seed)
    restarts = 0
    while True:
        can_be_saved = not without_state(scenario)
        try:
            with _host(scenario, about, dataset, device, folder) as host:
                can_be_saved = can_be_saved and (host is None or host.saves)
                run = ArmRun(scenario, ARM, about.seed, dataset.to(device), device, host)
                (folder / LOG).unlink(missing_ok=True)
                metrics = _restored(folder, key, run)
                told = None if host is None else partial(host.figures, restarts)
                _train(folder, key, run, metrics, about.seed, told, can_be_saved=can_be_saved)
                return
        except (ChipEnded, ChipRestarted, LeaseLost) as problem:
            # somebody else may have had it: as after a stop, from the checkpoint, on what the chip
            # has kept
            restarts += 1
            most = _MOST_DEATHS if isinstance(problem, ChipEnded) else _MOST_RESTARTS
            if not can_be_saved or restarts > most:
                raise


@contextmanager
def _host(
    scenario: Scenario, about: UnitRecord, dataset: Dataset, device: torch.device, folder: Path
) -> Iterator[RemoteHost | None]:
    """Give what has the chip, where it is not this process."""
    chip = scenario.arms[ARM].chip
    if isinstance(chip, RemoteChip):
        with remote_host(chip) as host:
            yield host
    elif about.isolated:
        with isolated_host(scenario, ARM, dataset, device, folder / STATES) as host:
            yield host
    else:
        yield None


def _check_code(named: Origin) -> None:
    """See to it that this process, which may be on another machine, computes as was asked."""
    settings = json.loads(named.scenario)
    del settings["data"]
    try:
        here = origin_of(named.scenario, settings, named.data, torch.device(named.device))
        changed = "; ".join(differences(named, here))
    except ScenarioError as problem:  # of a file that this process has imported before
        changed = f"the file {problem.file} {problem.message}"
    if changed:
        raise RecordError(
            f"a worker on {platform.node()} cannot do the run's units, since not all is there as it"
            f" was where they were named: {changed}"
        )


def _restored(folder: Path, key: str, run: ArmRun) -> bytes:
    """Go on from the checkpoint; gives the figures of the epochs before it."""
    found, path = load_checkpoint(folder), folder / METRICS
    if found is None:
        # another file, not the same one cut short: who watches is to see that it begins anew
        write_atomically(path, b"")
        return b""
    tensors, progress = found
    if progress.key != key:
        raise RecordError(f"{folder / CHECKPOINT}: is of another unit")
    kept = read_bytes(path)[: progress.metrics_bytes]
    if sha256_of(kept) != progress.metrics_sha256:
        raise RecordError(
            f"{path}: is damaged: its first {progress.metrics_bytes} bytes are not those that"
            f" {CHECKPOINT} counted"
        )
    write_atomically(path, kept)
    run.restore(tensors, epochs(kept, path)[-1])
    return kept


def _train(
    folder: Path,
    key: str,
    run: ArmRun,
    written: bytes,
    seed: int,
    wire: Callable[[], WireFigures] | None,
    *,
    can_be_saved: bool,
) -> None:
    told, diverged = epoch_written.get(), None
    sha256, size = hashlib.sha256(written), len(written)
    with (folder / METRICS).open("ab") as file:

        def checkpoint() -> float:
            os.fsync(file.fileno())
            progress = UnitProgress(key=key, metrics_bytes=size, metrics_sha256=sha256.hexdigest())
            save_checkpoint(folder, run.state(), progress)
            return time.monotonic()

        saved_at, all_saved = time.monotonic(), True
        try:
            for record in run.epochs():
                line = record.as_line()
                file.write(line)
                file.flush()
                sha256.update(line)
                size += len(line)
                all_saved = not can_be_saved
                if can_be_saved and time.monotonic() - saved_at >= CHECKPOINT_SECONDS:
                    saved_at, all_saved = checkpoint(), True
                told()
            if not all_saved:
                checkpoint()
        except Divergence as divergence:
            diverged = DivergedSeed(seed=seed, epoch=divergence.epoch, what=divergence.what)
        os.fsync(file.fileno())
    outcome = b"" if diverged else encoded_outcome(run.by_sample().numpy())
    last = LastFigures([], None, [], [])
    if not diverged:
        last = last_figures(run, seed, can_be_saved=can_be_saved)
        write_atomically(folder / OUTCOME, outcome)
    end = UnitEnd(
        key=key,
        noise=last.noise,
        ledger=last.ledger,
        unmeasured=last.unmeasured,
        wire=None if wire is None else wire(),
        afterwards=last.afterwards,
        diverged=diverged,
        metrics_sha256=sha256.hexdigest(),
        outcome_sha256=sha256_of(outcome),
    )
    write_atomically(folder / ENDED, end.sealed())
    drop_checkpoint(folder)
    shutil.rmtree(folder / STATES, ignore_errors=True)


@contextmanager
def _alone_on_one_thread() -> Iterator[None]:
    """Compute on one thread, since sums over several may differ in their last bits.

    Threads of a worker that would do several units at once take turns: how many threads compute is
    the same for all of them, and so are the data at hand.
    """
    with _ONE_UNIT:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


_known: dict[str, tuple[Dataset, str]] = {}
_ONE_UNIT = threading.Lock()


def _dataset(settings: UnitSettings) -> tuple[Dataset, str]:
    """Load the data that the last unit did not have."""
    name = settings.data.model_dump_json()
    if name not in _known:
        dataset = load_dataset(settings.data)
        _known.clear()
        _known[name] = (dataset, data_checksum(dataset))
    return _known[name]
