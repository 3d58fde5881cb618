"""What the report reads from a run folder: the parts of its files, as types."""

import json
from pathlib import Path
from typing import Literal, NamedTuple, NotRequired, TypedDict, cast

Verdict = Literal["feasible", "not feasible", "undecided"]
MetricName = Literal["test_accuracy", "train_accuracy", "test_loss", "train_loss"]


class Measure(TypedDict):
    """A figure over seeds; ``values`` has one entry a seed, None where it diverged."""

    mean: float | None
    std: float | None
    values: list[float | None]


class LayerNoise(TypedDict):
    """Spread over repeated passes of one input, and over inputs, of a layer's pre-activation."""

    layer: int
    noise_std: float | None
    signal_std: float | None


class Divergence(TypedDict):
    """Where the loss of a seed stopped being finite."""

    seed: int
    epoch: int
    what: str


class PulseTrains(TypedDict):
    """Pulse trains of all seeds: a sample's, or a line's of a dense ΔW."""

    looked_at: int
    cut_short: int


class Arm(TypedDict):
    """One trained arm; the accuracies are fractions and absent in a regression."""

    role: Literal["device", "baseline"]
    chip: str
    rule: str
    learning: str
    reproducibility: Literal["bitwise", "statistical"]
    seconds: float
    diverged: list[Divergence]
    test_accuracy: NotRequired[Measure]
    train_accuracy: NotRequired[Measure]
    test_loss: NotRequired[Measure]
    train_loss: NotRequired[Measure]
    observed_noise: NotRequired[list[LayerNoise]]
    pulse_trains: NotRequired[PulseTrains]


class Comparison(TypedDict):
    """A device arm against a clean baseline; a positive gap means that the device is behind.

    ``over_seeds`` and ``over_samples`` are the half-widths that new seeds alone and new test data
    alone would leave; the squares add up to the interval's. Runs of before have neither.
    """

    arm: str
    baseline: str
    gap: float | None
    ci_low: float | None
    ci_high: float | None
    over_seeds: NotRequired[float | None]
    over_samples: NotRequired[float | None]
    tolerance: float
    verdict: Verdict
    reason: str


class DataSet(TypedDict):
    """Counts of examples, inputs and (in a classification) classes, and all of it in words."""

    name: str
    train: int
    test: int
    inputs: int
    classes: NotRequired[int | None]
    understood: NotRequired[str]


class Summary(TypedDict):
    """``summary.json``."""

    scenario: str
    title: str
    description: str
    status: Literal["complete", "interrupted"]
    verdict: Verdict
    verdict_reason: str
    metric: Literal["test_accuracy", "test_loss"]
    tolerance: float
    confidence: float
    budget: NotRequired[str]
    seeds: list[int]
    epochs: int
    wall_seconds: float
    started: str
    command: str
    data: DataSet
    network: str
    arms: dict[str, Arm]
    comparisons: list[Comparison]
    versions: dict[str, str]


class EpochRow(TypedDict):
    """One line of ``metrics.jsonl``; epoch 0 was measured before training."""

    arm: str
    seed: int
    epoch: int
    seconds: float
    train_loss: NotRequired[float | None]
    train_accuracy: NotRequired[float | None]
    test_loss: NotRequired[float | None]
    test_accuracy: NotRequired[float | None]
    trains: NotRequired[int]
    trains_cut_short: NotRequired[int]


class RunFolder(NamedTuple):
    """The files of a run, parsed; the scenario as text."""

    summary: Summary
    metrics: list[EpochRow]
    scenario_yaml: str


def is_complete(run_dir: Path) -> bool:
    """Whether a run was ended here."""
    summary = run_dir / "summary.json"
    return summary.exists() and cast("Summary", _parse(summary))["status"] == "complete"


def read_run_folder(run_dir: Path) -> RunFolder:
    """Read the three files that a run leaves.

    Raises:
        FileNotFoundError: one of the files is missing.
        ValueError: a file is not the JSON it should be; the message names file and line.
    """
    metrics = run_dir / "metrics.jsonl"
    lines = metrics.read_text(encoding="utf-8").splitlines()
    return RunFolder(
        cast("Summary", _parse(run_dir / "summary.json")),
        [
            cast("EpochRow", _parse(metrics, text, number))
            for number, text in enumerate(lines, start=1)
            if text.strip()
        ],
        (run_dir / "scenario.yaml").read_text(encoding="utf-8"),
    )


def _parse(path: Path, text: str | None = None, first_line: int = 1) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8") if text is None else text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise ValueError(f"{path}, line {line}: not valid JSON: {error.msg}") from error
