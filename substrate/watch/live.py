"""What is known of a run while it goes on, read from its folder and its units' own; nothing is run.

Figures of an epoch are on the disk as soon as the epoch has ended, in the folder of its unit. The
run's own folder has them when it has ended. Either is read as it stands, whole lines only.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from substrate.record import RecordError
from substrate.record.folder import METRICS, epochs, read_run_record, read_summary
from substrate.record.metrics import Epoch
from substrate.record.summary import (
    Comparison,
    DivergedSeed,
    LayerNoise,
    MetricName,
    Summary,
)
from substrate.record.unit import ENDED, RunRecord, UnitEnd
from substrate.run.estimate import contrast
from substrate.run.store import Store
from substrate.run.verdict import Gap, compare, confidence_at


@dataclass
class Live:
    """A run, as far as it has come.

    Attributes:
        title: of the scenario.
        arms: names, device arms first.
        baselines: those of them that are baselines.
        seeds: of the run.
        epochs: of every seed.
        tolerance: of the verdict.
        metric: that decides.
        rows: figures of all arms.
        noise: of every layer, by arm, where a seed has ended.
        diverged: seeds by arm.
        ended: how many units have.
        units: how many there are.
        comparisons: of the run, or so far.
        summary: where the run has ended.
        changed: when a figure was last written, in seconds since 1970; 0 before there is any.
        versions: of the packages that compute.
        command: that began the run.
    """

    title: str
    arms: list[str]
    baselines: list[str]
    seeds: list[int]
    epochs: int
    tolerance: float
    metric: MetricName
    command: str
    versions: dict[str, str]
    units: int
    rows: list[Epoch] = field(default_factory=list)
    noise: dict[str, list[LayerNoise]] = field(default_factory=dict)
    diverged: dict[str, list[DivergedSeed]] = field(default_factory=dict)
    ended: int = 0
    comparisons: list[Comparison] = field(default_factory=list)
    summary: Summary | None = None
    changed: float = 0.0


def read_live(folder: Path) -> Live:
    """Read a run's folder, and its units' in the store.

    Raises:
        RecordError: there is no run, or what lies there is damaged.
    """
    record = read_run_record(folder)
    if record is None:
        raise RecordError(f"{folder}: there is no run, or it has not begun yet")
    live = _begun(record)
    store = Store(Path(record.store)) if record.store else Store.default()
    for unit in record.planned:
        _add_unit(live, store.folder(unit.key), unit.arm)
    known = {(row.arm, row.seed) for row in live.rows}
    with suppress(OSError):
        # units that are no longer in the store stand in the run's own folder
        path = folder / METRICS
        others = [row for row in _rows(path) if (row.arm, row.seed) not in known]
        live.rows += others
        live.changed = max(live.changed, path.stat().st_mtime if others else 0.0)
    if live.rows and live.rows[0].test_accuracy is None:
        live.metric = "test_loss"
    live.summary = read_summary(folder)
    if live.summary is not None and live.summary.status == "complete":
        live.comparisons = live.summary.comparisons
        live.noise = {name: arm.observed_noise for name, arm in live.summary.arms.items()}
        live.ended = live.units
    else:
        live.comparisons = _so_far(live, record)
    return live


def last_common_epoch(rows: Sequence[Epoch], arms: Sequence[str], seeds: Sequence[int]) -> int:
    """The last epoch that all of some arms have reached, in all of some seeds; 0 before."""
    reached = {(row.arm, row.seed): row.epoch for row in rows}
    return min((reached.get((arm, seed), 0) for arm in arms for seed in seeds), default=0)


def _begun(record: RunRecord) -> Live:
    scenario: dict[str, Any] = yaml.safe_load(record.origin.scenario)
    arms, baselines = list(scenario["arms"]), list(scenario["baselines"])
    return Live(
        title=str(scenario.get("title") or scenario["name"]),
        arms=[*arms, *baselines],
        baselines=baselines,
        seeds=list(scenario["seeds"]),
        epochs=int(scenario["training"]["epochs"]),
        tolerance=float(scenario["verdict"]["tolerance"]),
        metric="test_accuracy",
        command=record.command,
        versions=record.origin.versions,
        units=len(record.planned) or (len(arms) + len(baselines)) * len(scenario["seeds"]),
        diverged={name: [] for name in (*arms, *baselines)},
    )


def _add_unit(live: Live, folder: Path, arm: str) -> None:
    with suppress(OSError):
        rows = _rows(folder / METRICS)
        live.rows += [row.model_copy(update={"arm": arm}) for row in rows]
        live.changed = max(live.changed, (folder / METRICS).stat().st_mtime)
    with suppress(OSError):
        end = UnitEnd.read_sealed((folder / ENDED).read_bytes(), folder / ENDED)
        live.ended += 1
        if end.diverged is not None:
            live.diverged[arm].append(end.diverged)
        elif arm not in live.noise:
            live.noise[arm] = end.noise


def _rows(path: Path) -> list[Epoch]:
    content = path.read_bytes()
    return epochs(content[: content.rfind(b"\n") + 1], path)


def _so_far(live: Live, record: RunRecord) -> list[Comparison]:
    """Compare arms after the last epoch that both have reached, in the seeds where they have."""
    scenario = yaml.safe_load(record.origin.scenario)
    confidence = confidence_at(record.look, float(scenario["verdict"]["confidence"]))
    behind = 1.0 if live.metric == "test_accuracy" else -1.0
    found = {(row.arm, row.seed, row.epoch): row.figure(live.metric) for row in live.rows}
    gaps = []
    for arm in (each for each in live.arms if each not in live.baselines):
        for baseline in live.baselines:
            pair = (arm, baseline)
            shared = {seed: last_common_epoch(live.rows, pair, [seed]) for seed in live.seeds}
            epoch = max(shared.values(), default=0)
            seeds = [seed for seed, at in shared.items() if at == epoch and epoch > 0]
            figures = {
                name: [value for seed in seeds if (value := found[name, seed, epoch]) is not None]
                for name in pair
            }
            estimate = (
                contrast(
                    {arm: -behind, baseline: behind},
                    figures,
                    {},
                    None,
                    accuracies=live.metric == "test_accuracy",
                )
                if seeds and all(len(each) == len(seeds) for each in figures.values())
                else None
            )
            gaps.append(Gap(arm, baseline, estimate))
    return compare(gaps, live.tolerance, confidence)
