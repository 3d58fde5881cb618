"""From what the arms did to `summary.json`: gaps, verdict, and what decides it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import count, islice
from typing import Literal

import numpy as np

from substrate.assemble.layouts import network_title
from substrate.assemble.rung import rung_of
from substrate.data.dataset import Dataset
from substrate.environment import versions
from substrate.record.summary import (
    RUNGS,
    Comparison,
    DataSet,
    MetricName,
    Status,
    Summary,
    Verdict,
)
from substrate.run.arm_summary import ArmOutcome, summary_of_arm
from substrate.run.estimate import contrast
from substrate.run.verdict import (
    Gap,
    compare,
    confidence_at,
    feasible_at_once,
    seeds_at_next_look,
    with_correction,
    worst,
)
from substrate.scenario.schema import Scenario


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
            each.model_copy(
                update={
                    "verdict": "undecided",
                    "reason": reason,
                    "not_at_once": None,
                    "baseline_doubted": False,
                }
            )
            for each in comparisons
        ]
        feasible = set()
    else:
        comparisons = with_correction(comparisons, feasible)
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
            understood=dataset.described,
            test_checksum=dataset.test_checksum,
        ),
        network=_network(scenario, dataset),
        arms={
            name: summary_of_arm(
                scenario, name, outcome, comparisons, regression=dataset.regression
            )
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
        # feasible by themselves, and none with the correction
        or [name for name, each in verdicts.items() if each == "feasible"]
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

    return verdict, telling[min(speaks, key=cost)]


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

    An arm that diverged has reached its end; a seed that was given up in some arm counts not.
    In a run that is complete these are the last epoch and all seeds.
    """
    shared = {
        seed: 0
        if any(seed in each.failed for each in outcomes)
        else min(
            (each.reached(seed) for each in outcomes if seed not in each.divergences), default=None
        )
        for seed in seeds
    }
    epoch = max((at for at in shared.values() if at is not None), default=0)
    return epoch, [seed for seed, at in shared.items() if at is None or at == epoch]


def _unfinished(status: Status, epoch: int, seeds: Sequence[int]) -> str:
    what = "the run was interrupted" if status == "interrupted" else "some seeds failed"
    if epoch == 0 and status == "failed":
        return f"{what}, and in no other do all arms have an epoch in common"
    if epoch == 0:
        return f"{what} before all arms had an epoch in common"
    which = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    return f"{what}; compared after epoch {epoch}, the last that all arms share, in {which}"


def _more_seeds(seeds: Sequence[int], decisive: Comparison) -> list[int] | None:
    """The seeds of the next look, where more would narrow an undecided interval."""
    if decisive.gap is None or decisive.over_samples is None:
        return None
    over_seeds = math.inf if decisive.over_seeds is None else decisive.over_seeds
    if over_seeds < decisive.over_samples:
        return None
    more = (seed for seed in count() if seed not in seeds)
    return [*seeds, *islice(more, seeds_at_next_look(len(seeds)) - len(seeds))]


def _network(scenario: Scenario, dataset: Dataset) -> str:
    network, training = scenario.network, scenario.training
    layers = network_title(network, dataset.input_shape, dataset.n_out)
    return f"{layers}, {network.activation_title}, {training.loss_title}"
