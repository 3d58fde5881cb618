"""Running a scenario: its units, one an arm and seed, merged in a run folder.

The folder holds `scenario.yaml` (resolved), `metrics.jsonl` (a line per arm, seed and epoch),
`outcomes.safetensors` (what became of each test sample, per arm and seed), `units.json` (what else
the units came to) and `summary.json`; the report is written from these. All of it is copied from
the units' own folders in the store, and complete without them. The folder is made when everything
that could be refused has been, so bad input leaves none behind.

A run that was stopped goes on from its units, as if it had not been stopped. More seeds or arms are
more units; those that are there already stay as they are, and are put back into a store that has
been pruned meanwhile. The summary that says "complete" is written last.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch

from substrate.data.dataset import Dataset
from substrate.files import remove_unfinished, sole_writer, write_atomically
from substrate.record import RecordError
from substrate.record.folder import (
    METRICS,
    SCENARIO,
    SUMMARY,
    UNITS,
    RunFolder,
    is_complete,
    read_run_record,
    read_scenario,
)
from substrate.record.metrics import Epoch
from substrate.record.summary import FailedSeed, Status, Summary
from substrate.record.unit import EndedUnit, PlannedUnit, RunRecord
from substrate.run.arm_summary import ArmOutcome
from substrate.run.origin import data_checksum, differences, origin
from substrate.run.outcomes import save_outcomes
from substrate.run.put_back import put_back
from substrate.run.store import Store
from substrate.run.summary import summarise
from substrate.run.training import Divergence
from substrate.run.unit import Result, know_dataset
from substrate.run.unit_figures import Done, read_unit
from substrate.run.unit_settings import Unit, units_of
from substrate.run.units import run_units
from substrate.scenario.load import resolved
from substrate.scenario.schema import BenchChip, RemoteChip, Scenario

Tell = Callable[[Path, RunFolder], object]
"""Writes what is told of a run, such as its report, into the run's folder."""


@runtime_checkable
class Display(Protocol):
    """Shows a run while it goes on."""

    def epoch(self, record: Epoch) -> None:
        """Show the figures of one epoch of one arm with one seed."""
        ...

    def ended(self, arm: str, seed: int, how: str) -> None:
        """Show that nothing more comes of an arm with a seed; how is empty if all went well."""
        ...


def run_scenario(
    scenario: Scenario,
    dataset: Dataset,
    folder: Path,
    device: torch.device,
    command: str,
    display: Display,
    tell: Tell,
    executor: Executor,
    jobs: int,
    *,
    resumed: Scenario | None = None,
    isolated: bool = False,
) -> Summary:
    """Train all arms with all seeds, and write the run folder.

    Ctrl-C ends the training, not the writing: what was measured is summarised as interrupted.

    Args:
        scenario: what to run.
        dataset: its data, on the CPU.
        folder: where to write.
        device: where to compute.
        command: the command line, for the summary.
        display: shows epochs as they end.
        tell: writes what is told of the run, before the run counts as complete.
        executor: does the units.
        jobs: how many of them it does side by side.
        resumed: go on with the run of this scenario that lies in the folder; what is run now may
            have more seeds, or other arms.
        isolated: simulate each chip in a process of its own; a run that goes on does as before.

    Raises:
        RecordError: the run cannot be resumed, or what lies in the folder is damaged, or is not of
            this scenario, data, version and device.
        OSError: another process is running in this folder, or it cannot be written.
    """
    store = Store.default()
    know_dataset(scenario, dataset)
    with sole_writer(folder):
        run = _Run(scenario, dataset, folder, device, command, store, isolated=isolated)
        if resumed is not None:
            run.resume(resumed)
        remove_unfinished(folder)
        for log in folder.glob("failed-*.log"):
            log.unlink()
        run.begin()
        with store.using(unit.key for unit in run.units):
            return run.go_on(executor, jobs, display, tell)


def settle(folder: Path) -> None:
    """Finish what a kill left half done where seeds or settings were being added to a run.

    Raises:
        RecordError: what lies in the folder is damaged.
    """
    record = read_run_record(folder)
    if record and record.before and record.before == read_scenario(folder):
        (folder / SUMMARY).unlink(missing_ok=True)
        write_atomically(folder / SCENARIO, record.origin.scenario)


class _Run:
    """A scenario on its way through all units."""

    def __init__(
        self,
        scenario: Scenario,
        dataset: Dataset,
        folder: Path,
        device: torch.device,
        command: str,
        store: Store,
        *,
        isolated: bool,
    ) -> None:
        self._scenario, self._dataset, self._folder = scenario, dataset, folder
        self._device, self._store = device, store
        self._data = data_checksum(dataset)
        self._record = RunRecord(
            origin=origin(scenario, self._data, device),
            command=command,
            started=datetime.now(UTC).isoformat(),
            wall_seconds=0.0,
            isolated=isolated,
            once=secrets.token_hex(8) if _has_real_chip(scenario) else "",
            units=[],
        )
        self._done: dict[tuple[str, int], Done] = {}
        self._failed: dict[tuple[str, int], Result] = {}

    @cached_property
    def units(self) -> list[Unit]:
        """All units, seed by seed."""
        scenario, seeds = self._scenario, self._scenario.seeds
        by_arm = [
            units_of(
                *(scenario, name, seeds, self._data, self._device),
                isolated=self._record.isolated,
                once=self._record.once,
            )
            for name in scenario.all_arms
        ]
        return [each[place] for place in range(len(seeds)) for each in by_arm]

    def resume(self, then: Scenario) -> None:
        found = read_run_record(self._folder)
        if found is None:
            hint = "it is of an earlier version, or was taken away"
            raise RecordError(
                f"{self._folder / UNITS}: no such file; {hint}: run the scenario anew"
            )
        now = origin(then, self._data, self._device)
        if changed := differences(found.origin, now):
            raise RecordError(
                f"{self._folder}: this run cannot be resumed, since not all is as it was when it"
                f" was stopped: {'; '.join(changed)}"
            )
        update = {
            name: getattr(found, name)
            for name in ("look", "command", "started", "wall_seconds", "isolated")
        }
        update["once"] = found.once or self._record.once
        if then != self._scenario:
            update["command"] = f"{found.command}; {self._record.command}"
            update["before"] = resolved(then)
            update["look"] = found.look + is_complete(self._folder)
        update["units"] = found.units
        self._record = self._record.model_copy(update=update)
        put_back(self._folder, found, self.units, self._store)

    def begin(self) -> None:
        """Write of what run this folder is; each step can be the last before a kill."""
        planned = [PlannedUnit(arm=unit.arm, seed=unit.seed, key=unit.key) for unit in self.units]
        self._record = self._record.model_copy(
            update={"planned": planned, "store": str(self._store.root)}
        )
        write_atomically(self._folder / UNITS, self._record.sealed())
        (self._folder / SUMMARY).unlink(missing_ok=True)
        write_atomically(self._folder / SCENARIO, self._record.origin.scenario)

    def go_on(self, executor: Executor, jobs: int, display: Display, tell: Tell) -> Summary:
        clock = time.perf_counter() - self._record.wall_seconds
        status: Status = "complete"
        # side by side, slow arms go first: device arms are those that are simulated
        order = self.units if jobs == 1 else sorted(self.units, key=self._arm_number)
        try:
            for unit, result in run_units(
                order, executor, jobs, self._store, lambda _, record: display.epoch(record)
            ):
                display.ended(unit.arm, unit.seed, self._take(unit, result))
        except KeyboardInterrupt:
            status = "interrupted"
        if status == "complete" and self._failed:
            status = "failed"
        for unit in self.units:
            if (unit.arm, unit.seed) not in self._done:
                self._read(unit)
        return self._merge(status, time.perf_counter() - clock, tell)

    def _arm_number(self, unit: Unit) -> int:
        return [*self._scenario.all_arms].index(unit.arm)

    def _take(self, unit: Unit, result: Result) -> str:
        """Read what a unit came to; gives in words how it ended if not well."""
        if result.state == "failed":
            self._failed[unit.arm, unit.seed] = result
            return f"failed: {result.reason}"
        end = self._read(unit).end
        lost = end.diverged if end else None
        return f"diverged: {Divergence(lost.epoch, lost.what)}" if lost else ""

    def _read(self, unit: Unit) -> Done:
        done = read_unit(self._store.folder(unit.key), unit.key, unit.arm)
        self._done[unit.arm, unit.seed] = done
        return done

    def _merge(self, status: Status, wall_seconds: float, tell: Tell) -> Summary:
        outcomes = {name: ArmOutcome() for name in self._scenario.all_arms}
        rows: list[Epoch] = []
        ended = []
        for unit in self.units:
            done, outcome = self._done[unit.arm, unit.seed], outcomes[unit.arm]
            rows += done.epochs
            outcome.take(unit.seed, done)
            if done.end is not None:
                ended.append(EndedUnit(arm=unit.arm, seed=unit.seed, end=done.end))
            if failed := self._failed.get((unit.arm, unit.seed)):
                outcome.failed[unit.seed] = self._failure(unit, failed)
        self._record = self._record.model_copy(
            update={"units": ended, "wall_seconds": wall_seconds, "before": ""}
        )
        write_atomically(self._folder / METRICS, b"".join(record.as_line() for record in rows))
        save_outcomes(self._folder, {arm: each.by_sample for arm, each in outcomes.items()})
        write_atomically(self._folder / UNITS, self._record.sealed())
        summary = summarise(
            self._scenario,
            self._dataset,
            outcomes,
            status=status,
            look=self._record.look,
            started=datetime.fromisoformat(self._record.started),
            wall_seconds=wall_seconds,
            command=self._record.command,
        )
        tell(self._folder, RunFolder(summary, rows, self._record.origin.scenario))
        write_atomically(self._folder / SUMMARY, summary.as_json() + "\n")
        return summary

    def _failure(self, unit: Unit, failed: Result) -> FailedSeed:
        log = f"failed-{unit.arm}-{unit.seed}.log"
        write_atomically(self._folder / log, failed.log)
        return FailedSeed(seed=unit.seed, what=failed.reason, log=log)


def _has_real_chip(scenario: Scenario) -> bool:
    """Whether some chip is one of which nobody can tell beforehand what it will do."""
    chips = [each.chip for each in scenario.all_arms.values()]
    return any(isinstance(each, RemoteChip | BenchChip) for each in chips)
