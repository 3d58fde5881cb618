"""From what the arms did to `summary.json`: means over seeds, gaps, verdict."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from typing import Literal

import numpy as np

from substrate.assemble.chip import chip_reproducibility
from substrate.assemble.layouts import network_title
from substrate.assemble.parameters import device_in_words
from substrate.assemble.rung import rung_of
from substrate.bill.bill import bill_of
from substrate.data.dataset import Dataset
from substrate.environment import versions
from substrate.library import find_rule
from substrate.record.ledger import Ledger, mean_ledger
from substrate.record.metrics import Epoch
from substrate.record.summary import (
    RUNGS,
    Comparison,
    DataSet,
    DivergedSeed,
    FailedSeed,
    LayerNoise,
    Measure,
    MetricName,
    PulseTrains,
    Status,
    Summary,
    Verdict,
)
from substrate.record.summary import Arm as ArmSummary
from substrate.record.unit import UnitEnd
from substrate.run.outcomes import BySample
from substrate.run.training import Divergence
from substrate.run.verdict import (
    Gap,
    compare,
    confidence_at,
    contrast,
    feasible_at_once,
    seeds_at_next_look,
    worst,
)
from substrate.scenario.schema import Arm, Learning, Scenario
from substrate.scenario.schema.chips import chip_title


class ArmOutcome:
    """What one arm did, seed by seed."""

    def __init__(self) -> None:
        """Start with nothing measured."""
        self.last: dict[int, Epoch] = {}
        self._epochs: dict[tuple[int, int], Epoch] = {}
        self.noise: dict[int, list[LayerNoise]] = {}
        self.ledgers: dict[int, Ledger] = {}
        self.by_sample: dict[int, BySample] = {}
        self.divergences: dict[int, Divergence] = {}
        self.failed: dict[int, FailedSeed] = {}

    @property
    def seconds(self) -> float:
        """Time spent on all seeds."""
        return sum((record.seconds for record in self.last.values()), 0.0)

    def epoch(self, record: Epoch) -> None:
        """Take the figures of one epoch."""
        self.last[record.seed] = record
        self._epochs[record.seed, record.epoch] = record

    def end(self, seed: int, end: UnitEnd) -> None:
        """Take what a seed came to, beside its figures."""
        if end.diverged is not None:
            self.divergences[seed] = Divergence(end.diverged.epoch, end.diverged.what)
            return
        self.noise[seed] = end.noise
        if end.ledger is not None:
            self.ledgers[seed] = end.ledger

    def reached(self, seed: int) -> int:
        """The last epoch of a seed, 0 before it is trained."""
        return self.last[seed].epoch if seed in self.last else 0

    def values(
        self, metric: MetricName, seeds: Sequence[int], epoch: int | None = None
    ) -> list[float | None]:
        """The figure of every seed after an epoch, or after its last.

        None where it diverged, or has not come so far.
        """
        return [
            self._epochs[seed, at].figure(metric)
            if (at := self.reached(seed) if epoch is None else epoch)
            and seed not in self.divergences
            and (seed, at) in self._epochs
            else None
            for seed in seeds
        ]


def summarise(
    scenario: Scenario,
    dataset: Dataset,
    outcomes: Mapping[str, ArmOutcome],
    *,
    status: Status,
    look: int,
    started: datetime,
    wall_seconds: float,
    command: str,
) -> Summary:
    """Put together everything that `summary.json` holds."""
    metric: Literal["test_accuracy", "test_loss"] = (
        "test_loss" if dataset.regression else "test_accuracy"
    )
    epoch, seeds = _shared(outcomes.values(), scenario.seeds)
    gaps = [
        _gap(scenario, dataset, arm, baseline, outcomes, epoch, seeds)
        for arm in scenario.arms
        for baseline in scenario.baselines
    ]
    confidence = confidence_at(look, scenario.verdict.confidence)
    bounds = scenario.verdict.tolerance, confidence
    comparisons = compare(gaps, *bounds)
    feasible = feasible_at_once(gaps, comparisons, *bounds)
    if status != "complete":
        reason = _unfinished(status, epoch, seeds)
        comparisons = [
            each.model_copy(update={"verdict": "undecided", "reason": reason})
            for each in comparisons
        ]
        feasible = set()
    verdict, decisive = _decide(scenario, comparisons, feasible)
    return Summary(
        scenario=scenario.name,
        title=scenario.title or scenario.name,
        description=scenario.description,
        status=status,
        verdict=verdict,
        verdict_reason=f"{decisive.arm} against {decisive.baseline}: {decisive.reason}",
        decided_by=decisive.arm,
        metric=metric,
        tolerance=scenario.verdict.tolerance,
        confidence=confidence,
        look=look,
        more_seeds=_more_seeds(scenario.seeds, decisive)
        if status == "complete"
        and verdict == "undecided"
        and not outcomes[decisive.baseline].divergences
        else None,
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
            understood=dataset.understood,
            test_checksum=dataset.test_checksum,
        ),
        network=_network(scenario, dataset),
        arms={
            name: _arm(scenario, dataset, name, outcome, comparisons)
            for name, outcome in outcomes.items()
        },
        comparisons=comparisons,
        versions=versions(),
    )


def _decide(
    scenario: Scenario, comparisons: Sequence[Comparison], feasible: Collection[str]
) -> tuple[Verdict, Comparison]:
    """Give the scenario's verdict, and the comparison that it rests on.

    Of feasible arms the one on the lowest rung speaks, of several there the one with the smallest
    gap; an arm by its largest gap.
    """
    of_arm = {name: [each for each in comparisons if each.arm == name] for name in scenario.arms}
    verdicts = {name: worst(each) for name, each in of_arm.items()}
    verdict: Verdict = "undecided"
    if feasible:
        verdict = "feasible"
    elif set(verdicts.values()) == {"not feasible"}:
        verdict = "not feasible"
    speaks = (
        list(feasible)
        or [name for name, each in verdicts.items() if each == verdict]
        or list(of_arm)  # each is feasible by itself, and none with the correction
    )
    telling = {
        name: max(
            (each for each in of_arm[name] if each.verdict == verdicts[name]),
            key=lambda each: -math.inf if each.gap is None else each.gap,
        )
        for name in speaks
    }

    def cost(name: str) -> tuple[int, float]:
        gap = telling[name].gap
        return RUNGS.index(rung_of(scenario.arms[name])), math.inf if gap is None else gap

    decisive = telling[min(speaks, key=cost)]
    if verdict == "undecided" and decisive.verdict == "feasible":
        reason = f"{decisive.reason}, but not with Holm's correction for {len(of_arm)} device arms"
        decisive = decisive.model_copy(update={"reason": reason})
    return verdict, decisive


def _gap(
    scenario: Scenario,
    dataset: Dataset,
    arm: str,
    baseline: str,
    outcomes: Mapping[str, ArmOutcome],
    epoch: int,
    seeds: Sequence[int],
) -> Gap:
    """Pair an arm with a baseline after an epoch, over the seeds in which both have figures."""
    metric: MetricName = "test_loss" if dataset.regression else "test_accuracy"
    pair = {name: outcomes[name] for name in (arm, baseline)}
    values = {name: each.values(metric, seeds, epoch) for name, each in pair.items()}
    both = [
        seed
        for place, seed in enumerate(seeds)
        if values[arm][place] is not None and values[baseline][place] is not None
    ]
    diverged = (values[arm].count(None), values[baseline].count(None))
    if not both:
        return Gap(arm, baseline, None, *diverged)
    behind = -1.0 if dataset.regression else 1.0
    estimate = contrast(
        {arm: -behind, baseline: behind},
        {
            name: [each for each in found if each is not None]
            for name, found in (
                (name, each.values(metric, both, epoch)) for name, each in pair.items()
            )
        },
        {
            name: np.stack([each.by_sample[seed].astype(float) for seed in both])
            for name, each in pair.items()
            if epoch == scenario.training.epochs and each.by_sample.keys() >= {*both}
        },
        len(dataset.x_test),
        accuracies=not dataset.regression,
    )
    return Gap(arm, baseline, estimate, *diverged)


def _shared(outcomes: Collection[ArmOutcome], seeds: Sequence[int]) -> tuple[int, list[int]]:
    """Give the last epoch that all arms have reached in some seed, and the seeds where they have.

    An arm that diverged has reached its end. In a run that is complete these are the last epoch and
    all seeds.
    """
    shared = {
        seed: min(
            (each.reached(seed) for each in outcomes if seed not in each.divergences), default=None
        )
        for seed in seeds
    }
    epoch = max((at for at in shared.values() if at is not None), default=0)
    return epoch, [seed for seed, at in shared.items() if at is None or at == epoch]


def _unfinished(status: Status, epoch: int, seeds: Sequence[int]) -> str:
    what = "the run was interrupted" if status == "interrupted" else "some seeds failed"
    if epoch == 0:
        return f"{what} before all arms had an epoch in common"
    which = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    return f"{what}; compared after epoch {epoch}, the last that all arms share, in {which}"


def _more_seeds(seeds: Sequence[int], decisive: Comparison) -> list[int] | None:
    """The seeds of the next look, where more would narrow an undecided interval."""
    if decisive.gap is None or decisive.over_samples is None:
        return None
    if (decisive.over_seeds or math.inf) < decisive.over_samples:
        return None
    more = (seed for seed in count() if seed not in seeds)
    return [*seeds, *islice(more, seeds_at_next_look(len(seeds)) - len(seeds))]


def _network(scenario: Scenario, dataset: Dataset) -> str:
    network, training = scenario.network, scenario.training
    layers = network_title(network, dataset.input_shape, dataset.n_out)
    return f"{layers}, {network.activation_title}, {training.loss_title}"


def _arm(
    scenario: Scenario,
    dataset: Dataset,
    name: str,
    outcome: ArmOutcome,
    comparisons: Sequence[Comparison],
) -> ArmSummary:
    arm = scenario.all_arms[name]
    own = [each for each in comparisons if each.arm == name]
    ledger = mean_ledger(list(outcome.ledgers.values())) if outcome.ledgers else None

    def measure(metric: MetricName) -> Measure:
        return _measure(outcome.values(metric, scenario.seeds))

    return ArmSummary(
        role="device" if name in scenario.arms else "baseline",
        chip=chip_title(arm.chip),
        rule=_rule_title(arm.learning),
        learning=_learning(arm),
        rung=rung_of(arm),
        verdict=worst(own) if own else None,
        reproducibility=chip_reproducibility(arm.chip),
        seconds=round(outcome.seconds, 3),
        diverged=[
            DivergedSeed(seed=seed, epoch=divergence.epoch, what=divergence.what)
            for seed, divergence in outcome.divergences.items()
        ],
        failed=list(outcome.failed.values()),
        test_accuracy=None if dataset.regression else measure("test_accuracy"),
        train_accuracy=None if dataset.regression else measure("train_accuracy"),
        test_loss=measure("test_loss"),
        train_loss=measure("train_loss"),
        observed_noise=_noise(list(outcome.noise.values())),
        pulse_trains=_pulse_trains(outcome),
        ledger=ledger,
        bill=None if ledger is None else bill_of(ledger, arm.chip, scenario.costs),
        device=device_in_words(arm.chip),
    )


def _pulse_trains(outcome: ArmOutcome) -> PulseTrains | None:
    pulsed = [record for record in outcome.last.values() if record.trains]
    if not pulsed:
        return None
    return PulseTrains(
        looked_at=sum(record.trains or 0 for record in pulsed),
        cut_short=sum(record.trains_cut_short or 0 for record in pulsed),
    )


def _rule_title(learning: Learning) -> str:
    """A rule as people write it; one of the user's own without its folder."""
    place, _, name = learning.rule.rpartition(":")
    title = name if place else learning.rule.upper().replace("_", " ")
    implied = find_rule(learning.rule, Path()).decorrelates
    return f"{title}, decorrelated" if learning.decorrelation and not implied else title


def _learning(arm: Arm) -> str:
    learning = arm.learning
    words = []
    rule = learning.rule_class.model_fields
    if changed := [
        f"{name.replace('_', ' ')}: {value}"
        for name, value in (learning.settings or {}).items()
        if name in rule and value != rule[name].default
    ]:
        words.append(", ".join(changed))
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
