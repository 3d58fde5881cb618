"""Experiments of the test's own, and run folders as `substrate run` and `align` leave them."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from substrate.record.summary import Arm, DataSet, Measure, Summary
from substrate.replicate import experiments
from substrate.replicate.reported import Reported

SCENARIO = """\
name: small
title: A small experiment
network: {layers: [8]}
training: {epochs: 3}
arms:
  np: {learning: {rule: np, optimiser: {learning_rate: 0.01}}}
baselines:
  bp: {learning: {rule: bp, optimiser: {name: adam, learning_rate: 0.003}}}
seeds: [0, 1]
budgets:
  short: {training.epochs: 2}
"""

Rows = Sequence[tuple[str, int, int, float, float]]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`paper/small` and `crossbar/small` in place of the shipped scenarios, nothing reported."""
    folder = tmp_path / "scenarios"
    for group in ("paper", "crossbar"):
        (folder / group).mkdir(parents=True)
        (folder / group / "small.yaml").write_text(SCENARIO)
    monkeypatch.setattr("substrate.scenario.shipped.scenarios_folder", lambda: folder)
    monkeypatch.setattr(experiments, "reported", dict)
    return folder


@pytest.fixture
def report(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the paper report something, by experiment."""

    def reports(**entries: dict[str, Any]) -> None:
        known = {f"paper/{name}": Reported.model_validate(entry) for name, entry in entries.items()}
        monkeypatch.setattr(experiments, "reported", lambda: known)

    return reports


@pytest.fixture
def leave(tmp_path: Path) -> Callable[..., Path]:
    """Leave a run folder without a summary, as a killed run does.

    Rows are arm, seed, epoch, train and test accuracy.
    """

    def run(
        name: str,
        rows: Rows,
        seeds: Sequence[int] = (0, 1),
        epochs: int = 3,
        data: Mapping[str, object] | None = None,
    ) -> Path:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        scenario = yaml.safe_load(SCENARIO)
        scenario |= {"data": data or {"name": "digits"}, "seeds": list(seeds)}
        scenario["training"]["epochs"] = epochs
        (folder / "scenario.yaml").write_text(yaml.safe_dump(scenario, sort_keys=False))
        lines = [
            {
                "arm": arm,
                "seed": seed,
                "epoch": epoch,
                "train_loss": 1.0,
                "train_accuracy": train if epoch else None,
                "test_loss": 1.0,
                "test_accuracy": test,
                "seconds": 0.1 + epoch,
            }
            for arm, seed, epoch, train, test in rows
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "metrics.jsonl").write_text(text)
        return folder

    return run


@pytest.fixture
def summary() -> Summary:
    """Of a complete run of `np` and `bp`, without comparisons."""
    return Summary(
        scenario="small",
        title="A small experiment",
        description="",
        status="complete",
        verdict="not feasible",
        verdict_reason="np against bp",
        metric="test_accuracy",
        tolerance=0.05,
        confidence=0.95,
        budget="full",
        seeds=[0, 1],
        epochs=3,
        wall_seconds=81.2,
        started="2026-11-23T13:00:00+00:00",
        command="substrate run small.yaml",
        data=DataSet(name="cifar10-jpeg", train=1437, test=400, inputs=64, classes=10),
        network="64-8-10",
        arms={"np": _arm("statistical"), "bp": _arm("bitwise")},
        comparisons=[],
        versions={"torch": "2.12.1"},
    )


def _arm(reproducibility: Literal["bitwise", "statistical"]) -> Arm:
    nothing = Measure(mean=None, std=None, values=[])
    return Arm(
        role="baseline",
        chip="ideal chip",
        rule="NP",
        learning="sgd 0.01",
        reproducibility=reproducibility,
        seconds=1.5,
        diverged=[],
        test_loss=nothing,
        train_loss=nothing,
        observed_noise=[],
    )
