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
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import yaml

from substrate.nearest import did_you_mean
from substrate.record.folder import RunFolder, read_run_folder, read_run_record
from substrate.record.summary import Arm, MetricName, Summary
from substrate.report.wording import METRIC_TITLE, is_accuracy
from substrate.run.estimate import Estimate, Interval, contrast
from substrate.run.outcomes import BySample, load_outcomes
from substrate.run.verdict import apart
from substrate.scenario.changes import differing
from substrate.scenario.source import ScenarioError

_CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class ReadRun:
    """A run folder, and what is compared of it.

    Attributes:
        name: of the folder, with as much of its path as tells it from the others.
        folder: where it lies.
        content: what was read from it.
        outcomes: what became of each test sample, by arm and seed.
        data: SHA-256 of all its data; None in folders of before.
        units: by arm, what its units are; the same units are the same training.
    """

    name: str
    folder: Path
    content: RunFolder
    outcomes: Mapping[str, Mapping[int, BySample]] = field(repr=False)
    data: str | None
    units: Mapping[str, tuple[str, ...]]

    @property
    def summary(self) -> Summary:
        """What the run came to."""
        return self.content.summary

    def figures(self, arm: str) -> dict[int, float]:
        """The deciding metric at the end of training, of every seed that came so far."""
        summary = self.summary
        measure = summary.arms[arm].measure(summary.metric)
        values = [] if measure is None else measure.values
        ended = self.outcomes.get(arm, {}) if self.outcomes else {}
        return {
            seed: value
            for seed, value in zip(summary.seeds, values, strict=True)
            if value is not None
            and (seed in ended or (not self.outcomes and summary.status == "complete"))
        }


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


def read_runs(folders: Sequence[Path]) -> list[ReadRun]:
    """Read run folders.

    Raises:
        RecordError: one of them holds no run that has come to a summary, or is damaged.
        ScenarioError: a folder is named twice.
    """
    places = [folder.resolve() for folder in folders]
    for place, folder in zip(places, folders, strict=True):
        if places.count(place) > 1:
            raise ScenarioError("is named twice", file=str(folder))
    found = []
    for name, folder in zip(_names(places), folders, strict=True):
        content, record = read_run_folder(folder), read_run_record(folder)
        units: dict[str, tuple[str, ...]] = {}
        for each in record.units if record else ():
            units[each.arm] = (*units.get(each.arm, ()), each.end.key)
        data = record.origin.data if record else None
        found.append(ReadRun(name, folder, content, load_outcomes(folder), data, units))
    return found


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
    return ComparedRuns(runs, arms[0].title, arms, metric, told, _notices(runs))


def _names(places: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that differ."""
    for length in range(1, max(len(place.parts) for place in places) + 1):
        names = ["/".join(place.parts[-length:]) for place in places]
        if len(set(names)) == len(names):
            return names
    raise AssertionError(places)


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


def same_test_data(one: ReadRun, other: ReadRun) -> bool:
    """Whether two runs were tested on the same samples, as far as their folders tell."""
    tests = one.summary.data.test_checksum, other.summary.data.test_checksum
    if None in tests:
        return one is other or (one.data is not None and one.data == other.data)
    return tests[0] == tests[1]


def _notices(runs: Sequence[ReadRun]) -> list[str]:
    """What is not the same in all runs and is no setting that was varied on purpose."""
    first, *others = runs
    said = [
        f"{run.name} {'was interrupted' if run.summary.status == 'interrupted' else 'lost seeds'}:"
        " only seeds that came to their end are compared."
        for run in runs
        if run.summary.status != "complete"
    ]
    for run in runs:
        for name, arm in run.summary.arms.items():
            if arm.diverged:
                where = f"{len(arm.diverged)} of {len(run.summary.seeds)} seeds"
                rest = "the others alone are compared" if run.figures(name) else "none is left"
                said.append(f"{run.name}: {name} diverged in {where}; {rest}.")
    told = {
        "data": {run.name: _data_in_words(run.summary) for run in runs},
        "networks": {run.name: run.summary.network for run in runs},
        "metrics": {run.name: METRIC_TITLE[run.summary.metric] for run in runs},
    }
    for what, values in told.items():
        alike: dict[str, list[str]] = {}
        for name, value in values.items():
            alike.setdefault(value, []).append(name)
        if len(alike) > 1:
            listed = "; ".join(f"{', '.join(names)}: {value}" for value, names in alike.items())
            said.append(f"Different {what}. {listed}.")
    if any(not same_test_data(first, run) for run in others):
        named = ", ".join(run.name for run in others if not same_test_data(first, run))
        said.append(
            f"Not tested on the same samples as {first.name}: {named}. Their figures stand beside"
            " each other, and no difference is told."
        )
    else:
        known = [run.data for run in runs]
        if len(set(known)) > 1:
            said.append("The test data are the same, the training data are not.")
    versions = [run.summary.versions for run in runs]
    changed = sorted(
        {key for each in versions for key in each if each.get(key) != versions[0].get(key)}
        | {key for key in versions[0] if any(key not in each for each in versions)}
    )
    if changed:
        said.append(f"Made with different versions of {', '.join(changed)}.")
    return said


def _data_in_words(summary: Summary) -> str:
    data = summary.data
    return f"{data.name}, {data.train} training and {data.test} test samples"
