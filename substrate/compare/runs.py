"""Runs that were made at any time, compared from their folders.

Every arm is set against one of them, the reference, as a verdict sets a device arm against a
baseline (`substrate.run.verdict`):

    d_si = reference_si - arm_si        of losses arm_si - reference_si; positive: the arm is behind

over the seeds that both have, sample by sample, with an interval over new seeds and new test data.
Arms differ from the reference where Holm's correction for all that are compared says so. That needs
the same test samples; without them two figures stand beside each other, and no more.
Arms of one scenario share data order and initial weights by seed, those of two runs may not: the
pairs then have less in common, and the interval is as wide as that makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import yaml

from substrate.compare.notices import notices_of, same_test_data
from substrate.compare.read import ReadRun
from substrate.nearest import did_you_mean
from substrate.record.summary import Arm, MetricName
from substrate.report.wording import METRIC_TITLE, is_accuracy
from substrate.run.estimate import Estimate, Interval, contrast
from substrate.run.verdict import apart
from substrate.scenario.changes import differing
from substrate.scenario.source import ScenarioError

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class ComparedArm:
    """An arm of one of the runs.

    Attributes:
        run: the name of the run.
        name: of the arm there.
        arm: what its summary says.
        also_in: runs that have the very same units, and arms of the same run.
        interval: of its own figure over new seeds and new test data.
        behind: of the reference, with its interval; None for the reference itself, and where they
            cannot be compared.
        seeds: how many both have, or the arm itself where it is not compared.
        why_not: why they cannot be.
        differs: from the reference, by Holm's correction for all arms that are compared.
    """

    run: str
    name: str
    arm: Arm
    also_in: Sequence[str]
    interval: Interval | None
    behind: Interval | None
    seeds: int
    why_not: str = ""
    differs: bool = False

    @property
    def title(self) -> str:
        """``run: arm``."""
        return f"{self.run}: {self.name}"


@dataclass(frozen=True)
class ComparedRuns:
    """What a comparison came to.

    Attributes:
        runs: in the order that they were named in.
        reference: the title of the arm that all are set against.
        arms: the reference first.
        metric: of the figures.
        differing: settings that are not the same in all runs: path, and the value of each.
        notices: what a reader must know first.
        confidence: of every interval by itself.
    """

    runs: Sequence[ReadRun]
    reference: str
    arms: Sequence[ComparedArm]
    metric: MetricName
    differing: Sequence[tuple[str, Sequence[object]]]
    notices: Sequence[str]
    confidence: float = _CONFIDENCE

    @property
    def compared(self) -> list[ComparedArm]:
        """The arms that are set against the reference, and of which Holm's correction counts."""
        return [arm for arm in self.arms if arm.behind is not None]


def compare_runs(runs: Sequence[ReadRun], against: str | None = None) -> ComparedRuns:
    """Set every arm of some runs against one of them.

    Args:
        runs: two at least.
        against: ``RUN:ARM``, or an arm that one run alone has; None for the first device arm of the
            first run.

    Raises:
        ScenarioError: there is no such arm.
    """
    home, name = _reference(runs, against)
    metric: MetricName = home.summary.metric
    arms: list[ComparedArm] = []
    estimates: dict[int, Estimate] = {}
    seen: set[tuple[str, ...]] = set()
    order = [(home, name)]
    order += [(run, arm) for run in runs for arm in run.summary.arms if (run, arm) != order[0]]
    for run, arm in order:
        units = run.units.get(arm, ())
        if units and units in seen:
            continue
        seen.add(units)
        twins = [
            each.name if each is not run else f"{run.name}:{twin}"
            for each in runs
            for twin, theirs in each.units.items()
            if units and theirs == units and (each, twin) != (run, arm)
        ]
        own = _contrast({(run, arm): 1.0})
        interval = None if own is None else own.interval(_CONFIDENCE)
        shared = _both(run, arm, home, name)
        behind, why_not = None, ""
        if (run, arm) != (home, name):
            why_not = _why_not(run, home, len(shared))
            if not why_not:
                sign = 1.0 if is_accuracy(metric) else -1.0
                found = _contrast({(home, name): sign, (run, arm): -sign}, shared)
                if found is not None:
                    estimates[len(arms)] = found
                    behind = found.interval(_CONFIDENCE)
        seeds = len(shared) if behind else len(run.figures(arm))
        summary = run.summary.arms[arm]
        arms.append(ComparedArm(run.name, arm, summary, twins, interval, behind, seeds, why_not))
    places = [*estimates]
    for each in apart([*estimates.values()], _CONFIDENCE):
        arms[places[each]] = replace(arms[places[each]], differs=True)
    settings = [yaml.safe_load(run.content.scenario_yaml) for run in runs]
    told = [each for each in differing(settings) if each[0] not in ("title", "description")]
    return ComparedRuns(runs, arms[0].title, arms, metric, told, notices_of(runs))


def _reference(runs: Sequence[ReadRun], against: str | None) -> tuple[ReadRun, str]:
    if against is None:
        first = runs[0]
        device = (name for name, arm in first.summary.arms.items() if arm.role == "device")
        return first, next(device)
    known = {
        written: (run, arm)
        for run in runs
        for arm in run.summary.arms
        for written in (f"{run.name}:{arm}", f"{run.folder}:{arm}")
    }
    having = [(run, against) for run in runs if against in run.summary.arms]
    if against in known:
        return known[against]
    if len(having) == 1:
        return having[0]
    if having:
        message = "several runs have an arm of this name"
        hint = " or ".join(f"{run.name}:{against}" for run, _ in having)
    else:
        message = "the runs have no such arm"
        hint = did_you_mean(against, known)
    raise ScenarioError(message, file="--against", found=against, hint=hint)


def _both(run: ReadRun, arm: str, home: ReadRun, name: str) -> list[int]:
    other = home.figures(name)
    return [seed for seed in run.figures(arm) if seed in other]


def _contrast(
    weights: Mapping[tuple[ReadRun, str], float], seeds: Sequence[int] | None = None
) -> Estimate | None:
    """Add arms up, each with its weight; None without a seed."""
    named = {f"{number}": each for number, each in enumerate(weights)}
    figures = {title: run.figures(arm) for title, (run, arm) in named.items()}
    chosen = [*next(iter(figures.values()))] if seeds is None else list(seeds)
    if not chosen:
        return None
    run = next(iter(named.values()))[0]
    outcomes = {
        title: np.stack([run.outcomes[arm][seed].astype(float) for seed in chosen])
        for title, (run, arm) in named.items()
        if run.outcomes.get(arm, {}).keys() >= {*chosen}
    }
    return contrast(
        {title: weights[each] for title, each in named.items()},
        {title: [each[seed] for seed in chosen] for title, each in figures.items()},
        outcomes,
        run.summary.data.test,
        accuracies=is_accuracy(run.summary.metric),
    )


def _why_not(run: ReadRun, home: ReadRun, shared: int) -> str:
    if run.summary.metric != home.summary.metric:
        return f"its figure is {METRIC_TITLE[run.summary.metric].lower()}"
    if not same_test_data(run, home):
        return "other test data"
    return "" if shared else "no seed in common"
