"""Running a scenario: every arm with every seed, recorded in a run folder as it goes.

The folder holds `scenario.yaml` (resolved), `metrics.jsonl` (a line per arm, seed and epoch),
`summary.json`, the plots and `report.html`. It is made when everything that could be refused has
been, so bad input leaves none behind.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
import yaml

from substrate.data.dataset import Dataset
from substrate.files import write_atomically
from substrate.report.run_folder import Summary
from substrate.run.summary import ArmOutcome, Status, summarise
from substrate.run.training import ArmRun, Divergence, Epoch
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
) -> Summary:
    """Train all arms, seed by seed, and write the run folder up to `summary.json`.

    Ctrl-C ends the training, not the writing: what was measured is summarised as interrupted.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    outcomes = {name: ArmOutcome() for name in scenario.all_arms}
    dataset = dataset.to(device)
    status: Status = "complete"
    folder.mkdir(parents=True, exist_ok=True)
    resolved = scenario.model_dump(mode="json", exclude_none=True)
    write_atomically(folder / "scenario.yaml", yaml.safe_dump(resolved, sort_keys=False))
    try:
        with (folder / "metrics.jsonl").open("w", encoding="utf-8") as metrics:
            for seed in scenario.seeds:
                for name, outcome in outcomes.items():
                    run = ArmRun(scenario, name, seed, dataset, device)
                    try:
                        for record in run.epochs():
                            metrics.write(json.dumps(record.as_row()) + "\n")
                            metrics.flush()
                            outcome.epoch(record)
                            display.epoch(record)
                    except Divergence as divergence:
                        outcome.diverge(seed, divergence)
                        display.diverged(name, seed, divergence)
                    else:
                        outcome.finish(seed, run.observed_noise())
    except KeyboardInterrupt:
        status = "interrupted"
    summary = summarise(
        scenario,
        dataset,
        outcomes,
        status=status,
        started=started,
        wall_seconds=time.perf_counter() - clock,
        command=command,
    )
    write_summary(folder, summary)
    return summary


def write_summary(folder: Path, summary: Mapping[str, object]) -> None:
    """Write `summary.json`."""
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / "summary.json", text + "\n")
