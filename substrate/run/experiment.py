"""Running a scenario: every arm with every seed, recorded in a run folder as it goes.

The folder holds `scenario.yaml` (resolved), `metrics.jsonl` (a line per arm, seed and epoch) and
`summary.json`; the report is written from these. It is made when everything that could be refused
has been, so bad input leaves none behind. Until the run ends, a checkpoint of every epoch lies
there too, from which a stopped run goes on as if it had not been stopped.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TextIO, runtime_checkable

import torch
from torch import Tensor

from substrate.data.dataset import Dataset
from substrate.files import sole_writer, write_atomically
from substrate.record.folder import METRICS, SCENARIO, SUMMARY, epochs
from substrate.record.metrics import Epoch
from substrate.record.summary import LayerNoise, Status, Summary
from substrate.run.checkpoint import drop_checkpoint, load_checkpoint, save_checkpoint
from substrate.run.summary import ArmOutcome, summarise
from substrate.run.training import ArmRun, Divergence
from substrate.scenario.load import resolved
from substrate.scenario.schema import Scenario


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
    *,
    resume: bool = False,
) -> Summary:
    """Train all arms, seed by seed, and write the run folder up to `summary.json`.

    Ctrl-C ends the training, not the writing: what was measured is summarised as interrupted.

    Args:
        scenario: what to run.
        dataset: its data.
        folder: where to write.
        device: where to compute.
        command: the command line, for the summary.
        display: shows epochs as they end.
        resume: go on from the folder's last checkpoint; with none there, from the start.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        OSError: another process is running in this folder, or it cannot be written.
    """
    with sole_writer(folder):
        experiment = _Experiment(scenario, dataset, folder, device, command, display)
        if resume:
            experiment.resume()
        return experiment.run()


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
        self._restored: dict[str, Tensor] | None = None
        self._metrics_lines = 0

    def resume(self) -> None:
        checkpoint = load_checkpoint(self._folder)
        if checkpoint is None:
            (self._folder / METRICS).unlink(missing_ok=True)
            return
        self._restored, progress = checkpoint
        self._started = datetime.fromisoformat(progress["started"])
        self._seconds_before = progress["wall_seconds"]
        path = self._folder / METRICS
        self._metrics_lines = progress["metrics_lines"]
        kept = b"".join(path.read_bytes().splitlines(True)[: self._metrics_lines])
        write_atomically(path, kept)
        for record in epochs(kept, path):
            self._outcomes[record.arm].epoch(record)
            self._display.epoch(record)
        for arm, ended in progress["ended"].items():
            outcome = self._outcomes[arm]
            for seed, noise in ended["noise"].items():
                outcome.noise[int(seed)] = [LayerNoise(**layer) for layer in noise]
            for seed, (epoch, what) in ended["divergences"].items():
                outcome.divergences[int(seed)] = Divergence(epoch, what)
                self._display.diverged(arm, int(seed), outcome.divergences[int(seed)])

    def run(self) -> Summary:
        clock = time.perf_counter() - self._seconds_before
        status: Status = "complete"
        write_atomically(self._folder / SCENARIO, resolved(self._scenario))
        try:
            with (self._folder / METRICS).open("a", encoding="utf-8") as metrics:
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
        write_atomically(self._folder / SUMMARY, summary.as_json() + "\n")
        if status == "complete":
            drop_checkpoint(self._folder)
        return summary

    def _train(self, name: str, seed: int, metrics: TextIO, clock: float) -> None:
        outcome = self._outcomes[name]
        run = ArmRun(self._scenario, name, seed, self._dataset, self._device)
        if self._restored is not None and seed in outcome.last:
            run.restore(self._restored, outcome.last[seed])
        self._restored = None
        try:
            for record in run.epochs():
                metrics.write(json.dumps(record.model_dump()) + "\n")
                metrics.flush()
                self._metrics_lines += 1
                outcome.epoch(record)
                save_checkpoint(self._folder, run.state(), self._progress(clock))
                self._display.epoch(record)
        except Divergence as divergence:
            outcome.divergences[seed] = divergence
            self._display.diverged(name, seed, divergence)
        else:
            outcome.noise[seed] = run.observed_noise()

    def _progress(self, clock: float) -> dict[str, Any]:
        return {
            "started": self._started.isoformat(),
            "wall_seconds": time.perf_counter() - clock,
            "metrics_lines": self._metrics_lines,
            "ended": {
                name: {
                    "noise": {
                        seed: [layer.model_dump() for layer in layers]
                        for seed, layers in outcome.noise.items()
                    },
                    "divergences": {
                        seed: (divergence.epoch, divergence.what)
                        for seed, divergence in outcome.divergences.items()
                    },
                }
                for name, outcome in self._outcomes.items()
            },
        }
