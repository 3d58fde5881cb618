"""Runs as the training loop would leave them, small and made up, for the report to show.

They are JSON, as in the files, and as easily changed.
"""

import json
from collections.abc import Callable
from math import exp, sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

Summary = dict[str, Any]
Rows = list[dict[str, Any]]

EPOCHS = 12
FINAL_ACCURACY = {
    "crossbar": [0.912, 0.921, 0.931],
    "bp": [0.967, 0.961, 0.969],
    "danp_clean": [0.939, 0.942, 0.931],
}
T_95_TWO_DEGREES = 4.302653  # Student's t, 97.5 %, two degrees of freedom (three seeds)


def measure(values: list[float | None]) -> dict[str, Any]:
    seen = [value for value in values if value is not None]
    return {
        "mean": mean(seen) if seen else None,
        "std": stdev(seen) if len(seen) > 1 else None,
        "values": values,
    }


def compare(arm: str, baseline: str, tolerance: float) -> dict[str, Any]:
    pairs = zip(FINAL_ACCURACY[baseline], FINAL_ACCURACY[arm], strict=True)
    gaps = [clean - device for clean, device in pairs]
    half = T_95_TWO_DEGREES * stdev(gaps) / sqrt(len(gaps))
    low, high = mean(gaps) - half, mean(gaps) + half
    verdict = (
        "feasible" if high <= tolerance else "not feasible" if low > tolerance else "undecided"
    )
    return {
        "arm": arm,
        "baseline": baseline,
        "gap": mean(gaps),
        "ci_low": low,
        "ci_high": high,
        "tolerance": tolerance,
        "verdict": verdict,
        "reason": "the interval holds the tolerance; more test samples would narrow it"
        if verdict == "undecided"
        else f"the interval lies between {low:.3f} and {high:.3f}",
    }


def arm(role: str, chip: str, rule: str, accuracy: list[float], noisy: bool) -> dict[str, Any]:
    return {
        "role": role,
        "chip": chip,
        "rule": rule,
        "learning": f"{rule}, decorrelation 0.001, SGD 0.1",
        "reproducibility": "statistical" if noisy else "bitwise",
        "seconds": 30.1 if noisy else 4.25,
        "diverged": [],
        "test_accuracy": measure(list(accuracy)),
        "train_accuracy": measure([value + 0.02 for value in accuracy]),
        "test_loss": measure([2 * (1 - value) for value in accuracy]),
        "train_loss": measure([1.6 * (1 - value) for value in accuracy]),
        "observed_noise": [
            {"layer": layer, "noise_std": 0.012 * layer if noisy else 0.0, "signal_std": 0.4}
            for layer in (1, 2, 3)
        ],
    }


@pytest.fixture
def summary() -> Summary:
    """A complete run on three seeds: a device arm between two clean baselines."""
    final = FINAL_ACCURACY
    return {
        "scenario": "crossbar_danp",
        "title": "DANP in place on an analog crossbar",
        "description": "Can a crossbar be trained from observed activities alone?",
        "status": "complete",
        "verdict": "undecided",
        "verdict_reason": "The interval of the gap to bp holds the allowed 5.0 points.",
        "metric": "test_accuracy",
        "tolerance": 0.05,
        "confidence": 0.95,
        "budget": "full",
        "seeds": [0, 1, 2],
        "epochs": EPOCHS,
        "wall_seconds": 81.2,
        "started": "2026-11-23T13:00:00+00:00",
        "command": "substrate run scenarios/crossbar_danp.yaml",
        "data": {"name": "digits", "train": 1437, "test": 360, "inputs": 64, "classes": 10},
        "network": "64-128-128-10, leaky ReLU, cross-entropy",
        "arms": {
            "crossbar": arm("device", "aihwkit IdealizedPreset", "DANP", final["crossbar"], True),
            "bp": arm("baseline", "ideal chip", "BP", final["bp"], False),
            "danp_clean": arm("baseline", "ideal chip", "DANP", final["danp_clean"], False),
        },
        "comparisons": [compare("crossbar", "bp", 0.05), compare("crossbar", "danp_clean", 0.05)],
        "versions": {"python": "3.11.7", "torch": "2.12.1", "aihwkit": "1.1.0"},
    }


@pytest.fixture
def metrics(summary: Summary) -> Rows:
    """Every arm and seed of ``summary`` rises from chance to its final accuracy."""
    rows: Rows = []
    for name, entry in summary["arms"].items():
        for seed, final in zip(summary["seeds"], entry["test_accuracy"]["values"], strict=True):
            for epoch in range(EPOCHS + 1):
                risen = (1 - exp(-epoch / 3)) / (1 - exp(-EPOCHS / 3))
                accuracy = 0.1 + (final - 0.1) * risen
                rows.append(
                    {
                        "arm": name,
                        "seed": seed,
                        "epoch": epoch,
                        "train_loss": 1.6 * (1 - accuracy),
                        "train_accuracy": accuracy + 0.02 * risen,
                        "test_loss": 2 * (1 - accuracy),
                        "test_accuracy": accuracy,
                        "seconds": 0.3,
                    }
                )
    return rows


@pytest.fixture
def one_seed(summary: Summary) -> Summary:
    """The run with seed 0 alone: no deviations and no intervals."""
    summary["seeds"] = [0]
    for entry in summary["arms"].values():
        for name in ("test_accuracy", "train_accuracy", "test_loss", "train_loss"):
            entry[name] = measure(entry[name]["values"][:1])
    for comparison in summary["comparisons"]:
        device, clean = FINAL_ACCURACY["crossbar"][0], FINAL_ACCURACY[comparison["baseline"]][0]
        comparison |= {"gap": clean - device, "ci_low": None, "ci_high": None}
        comparison["verdict"] = "undecided"
    return summary


@pytest.fixture
def diverged(summary: Summary, metrics: Rows) -> tuple[Summary, Rows]:
    """The device arm lost seed 1 to a NaN in epoch 5."""
    device = summary["arms"]["crossbar"]
    device["diverged"] = [{"seed": 1, "epoch": 5, "what": "loss is NaN"}]
    for name in ("test_accuracy", "train_accuracy", "test_loss", "train_loss"):
        first, _, last = device[name]["values"]
        device[name] = measure([first, None, last])
    for comparison in summary["comparisons"]:
        comparison |= {"gap": None, "ci_low": None, "ci_high": None, "verdict": "not feasible"}
    summary["verdict"] = "not feasible"
    left = [
        row for row in metrics if (row["arm"], row["seed"]) != ("crossbar", 1) or row["epoch"] < 5
    ]
    return summary, left


@pytest.fixture
def regression(summary: Summary, metrics: Rows) -> tuple[Summary, Rows]:
    """A run without accuracies, judged by its loss."""
    summary["metric"] = "test_loss"
    for entry in summary["arms"].values():
        del entry["test_accuracy"], entry["train_accuracy"]
    for comparison in summary["comparisons"]:
        comparison |= {"gap": 0.0123, "ci_low": 0.004, "ci_high": 0.0206}
        comparison["verdict"] = "feasible"
    summary["verdict"] = "feasible"
    summary["data"]["classes"] = None
    for row in metrics:
        del row["test_accuracy"], row["train_accuracy"]
    return summary, metrics


@pytest.fixture
def leave_run(tmp_path: Path) -> Callable[..., Path]:
    """Write the files of a run into a folder, as the training loop does."""

    def leave(summary: Summary, metrics: Rows, scenario: str = "title: a test\n") -> Path:
        (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
        lines = "".join(json.dumps(row) + "\n" for row in metrics)
        (tmp_path / "metrics.jsonl").write_text(lines, encoding="utf-8")
        (tmp_path / "scenario.yaml").write_text(scenario, encoding="utf-8")
        return tmp_path

    return leave
