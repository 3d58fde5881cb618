"""What lies in run folders, complete or stopped on the way.

A seed's figure is its best over the epochs (peak accuracy, lowest loss), as the paper's table of
peak accuracies; arms are given as mean and standard deviation over seeds. Seeds that diverged are
left out of the mean and named. Where a run was stopped, the seeds that were trained to their end
count, or, if there are none, those that were begun.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean, stdev

import yaml

from substrate.record.folder import (
    METRICS,
    epochs,
    is_complete,
    read_metrics,
    read_scenario,
    read_summary,
)
from substrate.record.metrics import Epoch
from substrate.record.summary import DivergedSeed, MetricName, Summary
from substrate.replicate.statements import Spread
from substrate.report.wording import is_accuracy

JPEG_COPY = "CIFAR-10 (JPEG copy)"


def spread(values: Iterable[float]) -> Spread | None:
    """Mean and standard deviation; None of nothing."""
    known = list(values)
    if not known:
        return None
    return Spread(mean(known), stdev(known) if len(known) > 1 else None, len(known))


@dataclass(frozen=True)
class TrainingRun:
    """A folder of `substrate run`.

    Attributes:
        arms: in the order in which they are trained.
        network: its layers, and the rest that the summary says in one line.
        images: training samples; None for all that there are, where no summary counts them.
        classes: of the data, where some were left out.
        summary: None where the run was killed and has left none.
    """

    folder: Path
    budget: str
    complete: bool
    metric: MetricName
    arms: list[str]
    seeds: list[int]
    epochs: int
    network: str
    data: str
    images: int | None
    classes: int | None
    rows: list[Epoch]
    summary: Summary | None

    @property
    def higher_is_better(self) -> bool:
        """True of accuracies, not of losses."""
        return self.metric == "test_accuracy"

    @cached_property
    def last(self) -> dict[tuple[str, int], int]:
        """The last epoch that was measured, by arm and seed."""
        reached: dict[tuple[str, int], int] = {}
        for row in self.rows:
            reached[row.arm, row.seed] = row.epoch
        return reached

    @cached_property
    def diverged(self) -> dict[str, list[DivergedSeed]]:
        """By arm. What was stopped has no summary to say so: an end before the last epoch tells."""
        if self.summary is not None and self.complete:
            return {arm: entry.diverged for arm, entry in self.summary.arms.items()}
        order = [(arm, seed) for seed in self.seeds for arm in self.arms]
        begun = [place for place, key in enumerate(order) if key in self.last]
        ended = order[: begun[-1]] if begun else []
        found: dict[str, list[DivergedSeed]] = {arm: [] for arm in self.arms}
        for arm, seed in ended:
            epoch = self.last.get((arm, seed), -1) + 1
            if epoch <= self.epochs:
                found[arm].append(DivergedSeed(seed=seed, epoch=epoch, what="no finite loss"))
        return found

    def trained(self, arm: str) -> list[int]:
        """The seeds that count for an arm."""
        lost = {each.seed for each in self.diverged[arm]}
        reached = {seed: self.last.get((arm, seed), 0) for seed in self.seeds if seed not in lost}
        finished = [seed for seed, epoch in reached.items() if epoch == self.epochs]
        return finished or [seed for seed, epoch in reached.items() if epoch > 0]

    def reached(self, arm: str) -> int:
        """The epoch up to which an arm was trained with the seeds that count."""
        return min((self.last[arm, seed] for seed in self.trained(arm)), default=0)

    def best(
        self, arm: str, metric: MetricName, seeds: list[int] | None = None, upto: int | None = None
    ) -> Spread | None:
        """Each seed's best over its epochs, up to one of them, accuracies in percent."""
        pick: Callable[[list[float]], float] = max if is_accuracy(metric) else min
        return self._over_seeds(arm, metric, seeds, upto, pick)

    def final(
        self, arm: str, metric: MetricName, seeds: list[int] | None = None, upto: int | None = None
    ) -> Spread | None:
        """Each seed's last figure, as `best`."""
        return self._over_seeds(arm, metric, seeds, upto, lambda figures: figures[-1])

    def compared(
        self, arms: list[str], layer: int | None = None, samples: int | None = None
    ) -> dict[str, Spread]:
        """Test figures for the seeds that all arms share, up to the same epoch.

        Peak accuracies, but final losses: the paper gives these (Appendix J).
        """
        measured = [arm for arm in arms if arm in self.arms and self.trained(arm)]
        if not measured:
            return {}
        shared = set.intersection(*({*self.trained(arm)} for arm in measured))
        seeds = [seed for seed in self.seeds if seed in shared]
        upto = min((self.last[arm, seed] for arm in measured for seed in seeds), default=0)
        figure = self.best if self.higher_is_better else self.final
        found = {arm: figure(arm, self.metric, seeds, upto) for arm in measured}
        return {arm: each for arm, each in found.items() if each is not None}

    def by_sigma(self, arm: str) -> None:
        """None: a training has no angles."""

    def written(self, spread: Spread) -> str:
        """`44.4 ± 0.3 %`, or a loss."""
        if self.higher_is_better:
            return f"{plus_minus(spread, 1)} %"
        return plus_minus(spread, 4)

    def _over_seeds(
        self,
        arm: str,
        metric: MetricName,
        seeds: list[int] | None,
        upto: int | None,
        pick: Callable[[list[float]], float],
    ) -> Spread | None:
        last = self.epochs if upto is None else upto
        by_seed: dict[int, list[float]] = {}
        for row in self.rows:
            value = row.figure(metric)
            if row.arm == arm and 0 < row.epoch <= last and value is not None:
                by_seed.setdefault(row.seed, []).append(value)
        scale = 100 if is_accuracy(metric) else 1
        counted = self.trained(arm) if seeds is None else seeds
        return spread(scale * pick(by_seed[seed]) for seed in counted if seed in by_seed)


@dataclass(frozen=True)
class AngleRun:
    """A folder of `substrate align`; angles in degrees to backpropagation's update."""

    folder: Path
    budget: str
    layers: list[str]
    inputs: int
    counts: list[int]
    angles: dict[str, list[list[float]]]
    sigmas_squared: list[float]
    angles_by_sigma: dict[str, list[list[float]]]
    higher_is_better: bool = False
    complete: bool = True

    @property
    def arms(self) -> list[str]:
        """All that perturb."""
        return list(self.angles)

    def compared(
        self, arms: list[str], layer: int | None = None, samples: int | None = None
    ) -> dict[str, Spread]:
        """Angles for a number of noise samples (the largest), in a layer (mean over all)."""
        if samples is not None and samples not in self.counts:
            return {}
        if layer is not None and layer > len(self.layers):
            return {}
        place = self.counts.index(samples) if samples is not None else -1
        found = {arm: self.angles[arm][place] for arm in arms if arm in self.angles}
        return {
            arm: Spread(mean(row) if layer is None else row[layer - 1], None, 1)
            for arm, row in found.items()
        }

    def by_sigma(self, arm: str) -> list[tuple[float, float]] | None:
        """Pairs of σ² and angle, mean over the layers."""
        if arm not in self.angles_by_sigma:
            return None
        rows = self.angles_by_sigma[arm]
        return [(each, mean(row)) for each, row in zip(self.sigmas_squared, rows, strict=True)]

    def written(self, spread: Spread) -> str:
        """`44.1°`."""
        return f"{spread.mean:.1f}°"


Run = TrainingRun | AngleRun


def plus_minus(spread: Spread, decimals: int) -> str:
    """`44.4 ± 0.3`, or the mean alone for one seed."""
    text = f"{spread.mean:.{decimals}f}"
    return text if spread.deviation is None else f"{text} ± {spread.deviation:.{decimals}f}"


def is_measured(folder: Path) -> bool:
    """Whether a run, or a measurement of angles, was ended here."""
    return (folder / "align.json").exists() or is_complete(folder)


def read_run(folder: Path, budget: str) -> Run | None:
    """Read what lies in a folder; None where nothing was run."""
    if (folder / "align.json").exists():
        return _read_angles(folder, budget)
    if (folder / "scenario.yaml").exists():
        return _read_training(folder, budget)
    return None


def _read_angles(folder: Path, budget: str) -> AngleRun:
    found = json.loads((folder / "align.json").read_text(encoding="utf-8"))
    arms = found["arms"]
    return AngleRun(
        folder,
        budget,
        found["layers"],
        found["inputs"],
        found["noise_samples"],
        {name: arm["angles"] for name, arm in arms.items()},
        found["sigmas_squared"],
        {name: arm["by_sigma"] for name, arm in arms.items() if arm["by_sigma"]},
    )


def _read_training(folder: Path, budget: str) -> TrainingRun:
    summary = read_summary(folder)
    scenario = yaml.safe_load(read_scenario(folder))
    rows = _rows(folder)
    data = scenario["data"]
    name = Path(data.get("path", data["name"])).name if summary is None else summary.data.name
    regression = any(row.test_accuracy is None for row in rows)
    return TrainingRun(
        folder,
        budget,
        is_complete(folder),
        "test_loss" if regression else "test_accuracy",
        [*scenario["arms"], *scenario["baselines"]],
        scenario["seeds"],
        scenario["training"]["epochs"],
        _layers(scenario["network"]["layers"]) if summary is None else summary.network,
        JPEG_COPY if name == "cifar10-jpeg" else name,
        data.get("limit_train") if summary is None else summary.data.train,
        data.get("limit_classes"),
        rows,
        summary,
    )


def _rows(folder: Path) -> list[Epoch]:
    """All whole lines; a kill may have cut the last."""
    if not (folder / METRICS).exists():
        return []
    content = read_metrics(folder)
    return epochs(content[: content.rfind(b"\n") + 1], folder / METRICS)


def _layers(layers: list[object]) -> str:
    named = (f"conv {each['conv']}" if isinstance(each, dict) else str(each) for each in layers)
    return f"hidden layers {', '.join(named)}"
