"""Running a scenario: every arm with every seed, recorded in a run folder as it goes.

The folder holds `scenario.yaml` (resolved), `metrics.jsonl` (a line per arm, seed and epoch),
`outcomes.safetensors` (what became of each test sample, per arm and seed) and `summary.json`; the
report is written from these. It is made when everything that could be refused has been, so bad
input leaves none behind. Until the run ends, a checkpoint of every epoch lies there too, from which
a stopped run goes on as if it had not been stopped.

A stop may come between any two writes, so they have an order. Metrics and outcomes are on the disk
before the checkpoint that counts them. At the end come the report, the summary that says
"complete", and then the checkpoint's removal; a run stopped among these is finished by resuming it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

import torch
from torch import Tensor

from substrate.assemble.resumable import without_state
from substrate.data.dataset import Dataset
from substrate.files import remove_unfinished, sole_writer, write_atomically
from substrate.record import RecordError
from substrate.record.folder import (
    CHECKPOINT,
    METRICS,
    OUTCOMES,
    SCENARIO,
    SUMMARY,
    RunFolder,
    epochs,
    read_metrics,
)
from substrate.record.metrics import Epoch
from substrate.record.progress import EndedSeeds, MeasuredNoise, Origin, Progress
from substrate.record.summary import DivergedSeed, Status, Summary
from substrate.run.checkpoint import drop_checkpoint, load_checkpoint, save_checkpoint
from substrate.run.origin import differences, origin
from substrate.run.outcomes import BySample, load_outcomes, outcomes_sha256, save_outcomes
from substrate.run.summary import ArmOutcome, summarise
from substrate.run.training import ArmRun, Divergence
from substrate.scenario.load import resolved
from substrate.scenario.schema import Scenario

Tell = Callable[[Path, RunFolder], object]
"""Writes what is told of a run, such as its report, into the run's folder."""


@runtime_checkable
class Display(Protocol):
    """Shows a run while it goes on."""

    def epoch(self, record: Epoch) -> None:
        """Show the figures of one epoch of one arm with one seed."""
        ...

    def diverged(self, arm: str, seed: int, divergence: Divergence) -> None:
        """Show that an arm with a seed has stopped."""
        ...


def run_scenario(
    scenario: Scenario,
    dataset: Dataset,
    folder: Path,
    device: torch.device,
    command: str,
    display: Display,
    tell: Tell,
    *,
    resume: bool = False,
) -> Summary:
    """Train all arms, seed by seed, and write the run folder.

    Ctrl-C ends the training, not the writing: what was measured is summarised as interrupted.

    Args:
        scenario: what to run.
        dataset: its data.
        folder: where to write.
        device: where to compute.
        command: the command line, for the summary.
        display: shows epochs as they end.
        tell: writes what is told of the run, before the run counts as complete.
        resume: go on from the folder's last checkpoint; with none there, from the start.

    Raises:
        RecordError: the run cannot be resumed, or what lies in the folder is damaged, or is not of
            this scenario, data, version and device.
        OSError: another process is running in this folder, or it cannot be written.
    """
    with sole_writer(folder):
        experiment = _Experiment(scenario, dataset, folder, device, command, display)
        if resume:
            experiment.resume()
        remove_unfinished(folder)
        return experiment.run(tell)


class _Experiment:
    """A scenario on its way through all arms and seeds."""

    def __init__(
        self,
        scenario: Scenario,
        dataset: Dataset,
        folder: Path,
        device: torch.device,
        command: str,
        display: Display,
    ) -> None:
        self._scenario = scenario
        self._dataset = dataset.to(device)
        self._folder = folder
        self._device = device
        self._command = command
        self._display = display
        self._started = datetime.now(UTC)
        self._seconds_before = 0.0
        self._outcomes = {name: ArmOutcome() for name in scenario.all_arms}
        self._restored: tuple[dict[str, Tensor], Progress] | None = None
        self._metrics_bytes = 0
        self._metrics_hash = hashlib.sha256()
        self._outcomes_sha256 = outcomes_sha256({})
        self._origin: Origin | None = None
        if not without_state(scenario):
            self._origin = origin(scenario, dataset, device)

    def resume(self) -> None:
        if self._origin is None:
            reason = "; ".join(without_state(self._scenario))
            raise RecordError(f"{self._folder}: this run cannot be resumed: {reason}")
        found = load_checkpoint(self._folder)
        if found is None:
            self._begin_again()
            return
        _, progress = self._restored = found
        if changed := differences(progress.origin, self._origin):
            raise RecordError(
                f"{self._folder}: this run cannot be resumed, since not all is as it was when it"
                f" was stopped: {'; '.join(changed)}"
            )
        path = self._folder / METRICS
        kept = read_metrics(self._folder)[: progress.metrics_bytes]
        if hashlib.sha256(kept).hexdigest() != progress.metrics_sha256:
            raise RecordError(
                f"{path}: is damaged: its first {progress.metrics_bytes} bytes are not those that"
                f" {CHECKPOINT} counted"
            )
        self._metrics_bytes = len(kept)
        self._metrics_hash.update(kept)
        write_atomically(path, kept)
        self._command = progress.command
        self._started = datetime.fromisoformat(progress.started)
        self._seconds_before = progress.wall_seconds
        for record in epochs(kept, path):
            self._outcomes[record.arm].epoch(record)
            self._display.epoch(record)
        outcomes = self._counted_outcomes(progress)
        for arm, ended in progress.ended.items():
            outcome = self._outcomes[arm]
            outcome.by_sample = outcomes[arm]
            for each in ended.noise:
                outcome.noise[each.seed] = each.layers
                outcome.ledgers[each.seed] = each.ledger
            for lost in ended.diverged:
                outcome.divergences[lost.seed] = Divergence(lost.epoch, lost.what)
                self._display.diverged(arm, lost.seed, outcome.divergences[lost.seed])

    def _counted_outcomes(self, progress: Progress) -> dict[str, dict[int, BySample]]:
        """Of the seeds that were ended; a kill may have left one more, which is ended again."""
        found = load_outcomes(self._folder)
        counted = {
            arm: {
                each.seed: found[arm][each.seed]
                for each in ended.noise
                if each.seed in found.get(arm, {})
            }
            for arm, ended in progress.ended.items()
        }
        self._outcomes_sha256 = outcomes_sha256(counted)
        if self._outcomes_sha256 != progress.outcomes_sha256:
            raise RecordError(
                f"{self._folder / OUTCOMES}: is damaged: what became of the test samples of the"
                f" seeds that were ended is not what {CHECKPOINT} counted"
            )
        return counted

    def _begin_again(self) -> None:
        """Without a checkpoint there is nothing that counts, but for a kill in the first epoch."""
        path = self._folder / METRICS
        if not path.exists():
            return
        lines = read_metrics(self._folder).count(b"\n")
        if lines > 1:
            raise RecordError(
                f"{self._folder / CHECKPOINT}: no such file, and {METRICS} holds {lines} lines:"
                " without it the run cannot go on from there"
            )
        path.unlink()

    def run(self, tell: Tell) -> Summary:
        clock = time.perf_counter() - self._seconds_before
        status: Status = "complete"
        scenario = resolved(self._scenario)
        write_atomically(self._folder / SCENARIO, scenario)
        try:
            with (self._folder / METRICS).open("ab") as metrics:
                for seed in self._scenario.seeds:
                    for name, outcome in self._outcomes.items():
                        if not outcome.ended(seed):
                            self._train(name, seed, metrics, clock)
        except KeyboardInterrupt:
            status = "interrupted"
        summary = summarise(
            self._scenario,
            self._dataset,
            self._outcomes,
            status=status,
            started=self._started,
            wall_seconds=time.perf_counter() - clock,
            command=self._command,
        )
        rows = epochs(read_metrics(self._folder), self._folder / METRICS)
        tell(self._folder, RunFolder(summary, rows, scenario))
        write_atomically(self._folder / SUMMARY, summary.as_json() + "\n")
        if status == "complete":
            drop_checkpoint(self._folder)
        return summary

    def _train(self, name: str, seed: int, metrics: BinaryIO, clock: float) -> None:
        outcome = self._outcomes[name]
        run = ArmRun(self._scenario, name, seed, self._dataset, self._device)
        if self._restored is not None:
            tensors, progress = self._restored
            if (progress.arm, progress.seed) == (name, seed):
                run.restore(tensors, outcome.last[seed])
            self._restored = None
        try:
            for record in run.epochs():
                self._write(record, metrics)
                outcome.epoch(record)
                if self._origin is not None:
                    progress = self._progress(record, self._origin, clock)
                    save_checkpoint(self._folder, run.state(), progress)
                self._display.epoch(record)
        except Divergence as divergence:
            outcome.divergences[seed] = divergence
            self._display.diverged(name, seed, divergence)
        else:
            outcome.noise[seed] = run.observed_noise()
            outcome.ledgers[seed] = run.ledger()
            outcome.by_sample[seed] = run.by_sample().numpy()
            self._write_outcomes()

    def _write(self, record: Epoch, metrics: BinaryIO) -> None:
        line = json.dumps(record.model_dump(), ensure_ascii=False).encode() + b"\n"
        metrics.write(line)
        metrics.flush()
        os.fsync(metrics.fileno())
        self._metrics_bytes += len(line)
        self._metrics_hash.update(line)

    def _write_outcomes(self) -> None:
        outcomes = {arm: each.by_sample for arm, each in self._outcomes.items()}
        save_outcomes(self._folder, outcomes)
        self._outcomes_sha256 = outcomes_sha256(outcomes)

    def _progress(self, last: Epoch, of: Origin, clock: float) -> Progress:
        return Progress(
            origin=of,
            command=self._command,
            started=self._started.isoformat(),
            wall_seconds=time.perf_counter() - clock,
            arm=last.arm,
            seed=last.seed,
            metrics_bytes=self._metrics_bytes,
            metrics_sha256=self._metrics_hash.hexdigest(),
            outcomes_sha256=self._outcomes_sha256,
            ended={
                name: EndedSeeds(
                    noise=[
                        MeasuredNoise(seed=seed, layers=layers, ledger=outcome.ledgers[seed])
                        for seed, layers in outcome.noise.items()
                    ],
                    diverged=[
                        DivergedSeed(seed=seed, epoch=lost.epoch, what=lost.what)
                        for seed, lost in outcome.divergences.items()
                    ],
                )
                for name, outcome in self._outcomes.items()
            },
        )
