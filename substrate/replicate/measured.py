"""What lies in run folders, complete or stopped on the way.

A seed's figure is its best over the epochs (peak accuracy, lowest loss), as the paper's table of
peak accuracies; arms are given as mean and standard deviation over seeds. Seeds that diverged are
left out of the mean and named. Where a run was stopped, the seeds that were trained to their end
count, or, if there are none, those that were begun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
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
from substrate.replicate.angles import AngleRun, read_angles
from substrate.replicate.statements import Spread
from substrate.report.wording import is_accuracy
from substrate.run.estimate import Estimate, Interval, contrast
from substrate.run.outcomes import BySample, load_outcomes

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
        scenario: as it was run, all defaults filled in.
        arms: in the order in which they are trained.
        network: its layers, and the rest that the summary says in one line.
        images: training samples; None for all that there are, where no summary counts them.
        classes: of the data, where some were left out.
        summary: None where the run was killed and has left none.
        outcomes: of test samples, by arm and seed; runs of before kept none.
    """

    folder: Path
    budget: str
    scenario: Mapping[str, Any]
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
    outcomes: dict[str, dict[int, BySample]]

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
    def seconds(self) -> float:
        """That all arms and seeds took, one by one; several runs may have trained some each."""
        took = {(row.arm, row.seed): row.seconds for row in self.rows}
        return sum(took.values())

    @cached_property
    def diverged(self) -> dict[str, list[DivergedSeed]]:
        """By arm. What was stopped has no summary to say so: an end before the last epoch tells."""
        if self.summary is not None:
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
        return spread(self._by_seed(arm, metric, seeds, upto, _best(metric)))

    def peak_of_mean(self, arm: str) -> float | None:
        """The best over the epochs of the mean over the seeds that count, in percent.

        None where fewer than two do: it is below the mean of their peaks by how far a seed goes up
        and down by itself.
        """
        curves = self._curves(arm, "test_accuracy", self.trained(arm), self.reached(arm))
        if len(curves) < 2:
            return None
        return float(max(mean(each) for each in zip(*curves, strict=True)))

    def final(
        self, arm: str, metric: MetricName, seeds: list[int] | None = None, upto: int | None = None
    ) -> Spread | None:
        """Each seed's last figure, as `best`."""
        return spread(self._by_seed(arm, metric, seeds, upto, _final))

    def compared(
        self, arms: list[str], layer: int | None = None, samples: int | None = None
    ) -> dict[str, Spread]:
        """Test figures for the seeds that all arms share, up to the same epoch.

        Peak accuracies, but final losses: the paper gives these (Appendix J).
        """
        seeds, by_seed = self._compared(arms)
        return {arm: found for arm, each in by_seed.items() if seeds and (found := spread(each))}

    def contrast(
        self,
        weights: Mapping[str, float],
        arms: list[str],
        layer: int | None = None,
        samples: int | None = None,
    ) -> Estimate:
        """Those figures added up, in points of accuracy or units of the loss.

        What test samples leave open is taken from each arm's last evaluation, peaks included.
        """
        seeds, by_seed = self._compared(arms)
        kept = {arm: self.outcomes.get(arm, {}) for arm in weights}
        unit = 100 if self.higher_is_better else 1
        return contrast(
            {arm: unit * weight for arm, weight in weights.items()},
            {arm: [each / unit for each in by_seed[arm]] for arm in weights},
            {
                arm: np.stack([each[seed].astype(float) for seed in seeds])
                for arm, each in kept.items()
                if each.keys() >= {*seeds}
            },
            None if self.summary is None else self.summary.data.test,
            accuracies=self.higher_is_better,
        )

    def number(self, value: float) -> str:
        """`−1.2` points, or a loss."""
        return f"{value:.{1 if self.higher_is_better else 4}f}".replace("-", "−")

    def without_interval(self, interval: Interval) -> str:
        """One seed, or test samples of which nothing is known."""
        if interval.over_seeds is None:
            return "one seed"
        return "no difference at all" if interval.over_samples == 0 else "test samples unknown"

    def lost(self, arm: str) -> int:
        """Seeds that diverged, and are in no figure."""
        return len(self.diverged.get(arm, []))

    def by_sigma(self, arm: str) -> None:
        """None: a training has no angles."""

    def written(self, spread: Spread) -> str:
        """`44.4 ± 0.3 %`, or a loss."""
        if self.higher_is_better:
            return f"{plus_minus(spread, 1)} %"
        return plus_minus(spread, 4)

    def _compared(self, arms: list[str]) -> tuple[list[int], dict[str, list[float]]]:
        """The seeds that all measured arms share, and each arm's figures of these."""
        measured = [arm for arm in arms if arm in self.arms and self.trained(arm)]
        if not measured:
            return [], {}
        shared = set.intersection(*({*self.trained(arm)} for arm in measured))
        seeds = [seed for seed in self.seeds if seed in shared]
        upto = min((self.last[arm, seed] for arm in measured for seed in seeds), default=0)
        pick = _best(self.metric) if self.higher_is_better else _final
        return seeds, {arm: self._by_seed(arm, self.metric, seeds, upto, pick) for arm in measured}

    def _by_seed(
        self,
        arm: str,
        metric: MetricName,
        seeds: list[int] | None,
        upto: int | None,
        pick: Callable[[list[float]], float],
    ) -> list[float]:
        last = self.epochs if upto is None else upto
        counted = self.trained(arm) if seeds is None else seeds
        return [pick(curve) for curve in self._curves(arm, metric, counted, last)]

    def _curves(
        self, arm: str, metric: MetricName, seeds: Sequence[int], upto: int
    ) -> list[list[float]]:
        """Figures after every epoch but before training, of the seeds that have any."""
        by_seed: dict[int, list[float]] = {}
        scale = 100 if is_accuracy(metric) else 1
        for row in self.rows:
            value = row.figure(metric)
            if row.arm == arm and 0 < row.epoch <= upto and value is not None:
                by_seed.setdefault(row.seed, []).append(scale * value)
        return [by_seed[seed] for seed in seeds if seed in by_seed]


def _best(metric: MetricName) -> Callable[[list[float]], float]:
    return max if is_accuracy(metric) else min


def _final(figures: list[float]) -> float:
    return figures[-1]


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
        return read_angles(folder, budget)
    if (folder / "scenario.yaml").exists():
        return _read_training(folder, budget)
    return None


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
        scenario,
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
        load_outcomes(folder),
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
