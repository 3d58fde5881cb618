"""From what the arms did to `summary.json`: means over seeds, gaps, verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import numpy as np

from substrate.assemble.chip import chip_reproducibility, chip_title
from substrate.assemble.layouts import network_title
from substrate.data.dataset import Dataset
from substrate.environment import versions
from substrate.record.metrics import Epoch
from substrate.record.summary import Arm as ArmSummary
from substrate.record.summary import (
    DataSet,
    DivergedSeed,
    LayerNoise,
    Measure,
    MetricName,
    Status,
    Summary,
)
from substrate.run.training import Divergence
from substrate.run.verdict import compare, overall
from substrate.scenario.schema import Arm, Scenario


class ArmOutcome:
    """What one arm did, seed by seed."""

    def __init__(self) -> None:
        """Start with nothing measured."""
        self.last: dict[int, Epoch] = {}
        self.noise: dict[int, list[LayerNoise]] = {}
        self.divergences: dict[int, Divergence] = {}

    @property
    def seconds(self) -> float:
        """Time spent on all seeds."""
        return sum((record.seconds for record in self.last.values()), 0.0)

    def epoch(self, record: Epoch) -> None:
        """Take the figures of one epoch."""
        self.last[record.seed] = record

    def ended(self, seed: int) -> bool:
        """Whether a seed was trained to its end, or diverged."""
        return seed in self.noise or seed in self.divergences

    def values(self, figure: MetricName, seeds: Sequence[int]) -> list[float | None]:
        """The last figure of every seed; None where it diverged or has not begun to train."""
        return [
            self.last[seed].figure(figure)
            if seed not in self.divergences and seed in self.last and self.last[seed].epoch
            else None
            for seed in seeds
        ]


def summarise(
    scenario: Scenario,
    dataset: Dataset,
    outcomes: Mapping[str, ArmOutcome],
    *,
    status: Status,
    started: datetime,
    wall_seconds: float,
    command: str,
) -> Summary:
    """Put together everything that `summary.json` holds."""
    metric: Literal["test_accuracy", "test_loss"] = (
        "test_loss" if dataset.regression else "test_accuracy"
    )
    comparisons = [
        compare(
            arm,
            baseline,
            outcomes[arm].values(metric, scenario.seeds),
            outcomes[baseline].values(metric, scenario.seeds),
            scenario.verdict.tolerance,
            scenario.verdict.confidence,
            higher_is_better=not dataset.regression,
        )
        for arm in scenario.arms
        for baseline in scenario.baselines
    ]
    if status == "interrupted":
        comparisons = [
            each.model_copy(update={"verdict": "undecided", "reason": "the run was interrupted"})
            for each in comparisons
        ]
    verdict = overall(comparisons)
    decisive = next(each for each in comparisons if each.verdict == verdict)
    return Summary(
        scenario=scenario.name,
        title=scenario.title or scenario.name,
        description=scenario.description,
        status=status,
        verdict=verdict,
        verdict_reason=f"{decisive.arm} against {decisive.baseline}: {decisive.reason}",
        metric=metric,
        tolerance=scenario.verdict.tolerance,
        confidence=scenario.verdict.confidence,
        budget=scenario.budget,
        seeds=list(scenario.seeds),
        epochs=scenario.training.epochs,
        wall_seconds=round(wall_seconds, 3),
        started=started.isoformat(timespec="seconds"),
        command=command,
        data=DataSet(
            name=dataset.name,
            train=len(dataset.x_train),
            test=len(dataset.x_test),
            inputs=dataset.x_train[0].numel(),
            classes=None if dataset.regression else dataset.n_out,
        ),
        network=_network(scenario, dataset),
        arms={name: _arm(scenario, dataset, name, outcome) for name, outcome in outcomes.items()},
        comparisons=comparisons,
        versions=versions(),
    )


def _network(scenario: Scenario, dataset: Dataset) -> str:
    network, training = scenario.network, scenario.training
    layers = network_title(network, dataset.input_shape, dataset.n_out)
    return f"{layers}, {network.activation_title}, {training.loss_title}"


def _arm(scenario: Scenario, dataset: Dataset, name: str, outcome: ArmOutcome) -> ArmSummary:
    arm = scenario.all_arms[name]

    def measure(metric: MetricName) -> Measure:
        return _measure(outcome.values(metric, scenario.seeds))

    return ArmSummary(
        role="device" if name in scenario.arms else "baseline",
        chip=chip_title(arm.chip),
        rule=arm.learning.rule.upper(),
        learning=_learning(arm),
        reproducibility=chip_reproducibility(arm.chip),
        seconds=round(outcome.seconds, 3),
        diverged=[
            DivergedSeed(seed=seed, epoch=divergence.epoch, what=divergence.what)
            for seed, divergence in outcome.divergences.items()
        ],
        test_accuracy=None if dataset.regression else measure("test_accuracy"),
        train_accuracy=None if dataset.regression else measure("train_accuracy"),
        test_loss=measure("test_loss"),
        train_loss=measure("train_loss"),
        observed_noise=_noise(list(outcome.noise.values())),
    )


def _learning(arm: Arm) -> str:
    learning = arm.learning
    words = []
    if perturbation := learning.perturbation:
        baseline = {"clean": "clean baseline pass", "noisy": "two noisy passes"}
        words.append(baseline[perturbation.baseline])
        source = {
            "intrinsic": "the device's own noise",
            "injected": f"injected noise (σ = {perturbation.sigma:g})",
            "both": f"the device's own and injected noise (σ = {perturbation.sigma:g})",
        }
        words.append(source[perturbation.source])
        if perturbation.resamples > 1:
            words.append(f"{perturbation.resamples} resamples")
    if learning.decorrelation:
        words.append(f"decorrelation rate {learning.decorrelation.rate:g}")
    optimiser = learning.optimiser
    how = "pulses in place" if optimiser.write == "pulses" else "dense ΔW"
    words.append(f"{optimiser.name} {optimiser.learning_rate:g}, {how}")
    return "; ".join(words)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _measure(values: list[float | None]) -> Measure:
    known = np.array([value for value in values if value is not None])
    return Measure(
        mean=_mean(values),
        std=float(known.std(ddof=1)) if len(known) > 1 else None,
        values=values,
    )


def _noise(seeds: list[list[LayerNoise]]) -> list[LayerNoise]:
    return [
        LayerNoise(
            layer=layers[0].layer,
            noise_std=_mean([layer.noise_std for layer in layers]),
            signal_std=_mean([layer.signal_std for layer in layers]),
        )
        for layers in zip(*seeds, strict=True)
    ]
