"""The verdict on a device arm, by its gaps to clean baselines (`substrate.run.estimate`).

The verdict is `feasible` where the whole interval lies within the tolerance, `not feasible` where
all of it lies beyond, and `undecided` otherwise. Feasible means feasible against every baseline,
which needs no correction; one failure among many fails, so `not feasible` has Holm's (Scand. J.
Stat. 6, 1979): of m comparisons not yet found beyond, intervals at 1 - (1 - confidence) / m decide.

Each device arm has a verdict of its own, the worst of its comparisons. The scenario's is that of
the arm that asks least of its hardware among those that are feasible; to pick one among several is
to look several times, so there Holm's correction applies to feasible too. Where none is feasible,
it is `not feasible` if all arms are.

Seeds may be added to an undecided run, and the verdict asked again, any number of times. Each time
is a look, and with every look there is another chance to err; so their confidence goes up, and what
all of them together may err by is bounded (Bonferroni over looks, with the geometric spending of
Lan and DeMets, Biometrika 70, 1983, in its simplest form):

    look 1:      1 - α                α = 1 - confidence
    look k > 1:  1 - α / 2^(k-1)      of which half lies on either side
    Σ_k          α/2 + α/4 + α/8 + … = α        of wrong `feasible`, and of wrong `not feasible`

A run that is looked at once spends half of what it may, so its verdict is as if nobody had meant to
look again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from substrate.record.summary import Comparison, Verdict
from substrate.run.estimate import Estimate, Interval

_Name = TypeVar("_Name", str, int)


@dataclass(frozen=True)
class Gap:
    """A device arm against a baseline.

    Attributes:
        estimate: over the seeds in which neither diverged; None where there is none.
        diverged: seeds in which the device arm did.
        baseline_diverged: likewise the baseline.
    """

    arm: str
    baseline: str
    estimate: Estimate | None
    diverged: int = 0
    baseline_diverged: int = 0


def confidence_at(look: int, confidence: float) -> float:
    """The confidence of the intervals that decide at the nth look, the first being 1."""
    return confidence if look == 1 else 1 - (1 - confidence) / 2 ** (look - 1)


def seeds_at_next_look(seeds: int) -> int:
    """How many seeds to have before an undecided verdict is asked again: half as many more."""
    return seeds + max(2, seeds // 2)


def beyond(estimates: Sequence[Estimate], bound: float, confidence: float) -> set[int]:
    """Which of several lie above a bound, so that it is true of all of these at once (Holm)."""
    found: set[int] = set()
    while left := [place for place in range(len(estimates)) if place not in found]:
        level = 1 - (1 - confidence) / len(left)
        intervals = {place: estimates[place].interval(level) for place in left}
        more = {place for place, each in intervals.items() if each.whole and each.low > bound}
        if not more:
            break
        found |= more
    return found


def apart(estimates: Sequence[Estimate], confidence: float) -> set[int]:
    """Which of several lie on either side of 0, so that it is true of all of these at once."""
    sized = [each.negated() if sum(each.by_seed) < 0 else each for each in estimates]
    return beyond(sized, 0.0, confidence)


def compare(gaps: Sequence[Gap], tolerance: float, confidence: float) -> list[Comparison]:
    """Judge all comparisons of a scenario."""
    tested = {
        place: gap.estimate
        for place, gap in enumerate(gaps)
        if gap.estimate is not None and not gap.diverged and not gap.baseline_diverged
    }
    places = list(tested)
    far = {places[each] for each in beyond(list(tested.values()), tolerance, confidence)}
    comparisons = []
    for place, gap in enumerate(gaps):
        interval = None if gap.estimate is None else gap.estimate.interval(confidence)
        whole = interval if interval is not None and interval.whole else None
        verdict, reason = _judged(gap, interval, tolerance, len(tested), place in far)
        not_at_once = verdict == "undecided" and whole is not None and whole.low > tolerance
        if whole is not None and gap.estimate is not None and not gap.estimate.paired:
            reason += "; what became of each test sample is unknown, errors count as independent"
        comparisons.append(
            Comparison(
                arm=gap.arm,
                baseline=gap.baseline,
                gap=None if interval is None else interval.centre,
                ci_low=None if whole is None else whole.low,
                ci_high=None if whole is None else whole.high,
                over_seeds=None if interval is None else interval.over_seeds,
                over_samples=None if interval is None else interval.over_samples,
                tolerance=tolerance,
                verdict=verdict,
                reason=reason,
                not_at_once=len(tested) if not_at_once and place in tested else None,
                baseline_doubted=interval is not None and interval.centre < -tolerance,
            )
        )
    return comparisons


def worst(comparisons: Sequence[Comparison]) -> Verdict:
    """An arm's verdict: the worst of its comparisons."""
    return worst_verdict(comparison.verdict for comparison in comparisons)


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several; undecided of none."""
    verdicts = {*verdicts}
    if "not feasible" in verdicts:
        return "not feasible"
    return "undecided" if "undecided" in verdicts or not verdicts else "feasible"


def feasible_at_once(
    gaps: Sequence[Gap], comparisons: Sequence[Comparison], tolerance: float, confidence: float
) -> set[str]:
    """Which device arms are feasible, so that it is true of all of these at once (Holm).

    Args:
        gaps: of all comparisons.
        comparisons: judged, in the same order.
        tolerance: the largest acceptable gap.
        confidence: of the intervals.
    """
    arms = {
        name: [gap.estimate for gap in gaps if gap.arm == name]
        for name in dict.fromkeys(gap.arm for gap in gaps)
        if worst([each for each in comparisons if each.arm == name]) == "feasible"
    }
    return within_at_once(arms, len({gap.arm for gap in gaps}), tolerance, confidence)


def within_at_once(
    estimates: Mapping[_Name, Sequence[Estimate | None]],
    tested: int,
    tolerance: float,
    confidence: float,
) -> set[_Name]:
    """Which of several lie within the tolerance, so that it is true of all of these at once (Holm).

    Args:
        estimates: of those that are feasible by themselves, against every baseline.
        tested: how many there are with those that are not.
        tolerance: the largest acceptable gap.
        confidence: of the intervals.
    """
    found: set[_Name] = set()
    while more := {
        name
        for name, each_baseline in estimates.items()
        if name not in found
        for level in (1 - (1 - confidence) / (tested - len(found)),)
        if all(
            each is not None and each.interval(level).high <= tolerance for each in each_baseline
        )
    }:
        found |= more
    return found


def with_correction(
    comparisons: Sequence[Comparison], feasible: Collection[str]
) -> list[Comparison]:
    """Say of device arms that are feasible by themselves, and not at once with the others, so.

    Args:
        comparisons: of all device arms, judged.
        feasible: arms that are feasible at once.
    """
    arms = {each.arm for each in comparisons}
    alone = {
        arm
        for arm in arms - {*feasible}
        if worst([each for each in comparisons if each.arm == arm]) == "feasible"
    }
    but = f", but not with Holm's correction for {len(arms)} device arms"
    return [
        each.model_copy(update={"reason": each.reason + but, "not_at_once": len(arms)})
        if each.arm in alone
        else each
        for each in comparisons
    ]


def _judged(
    gap: Gap, interval: Interval | None, tolerance: float, tested: int, far: bool
) -> tuple[Verdict, str]:
    if gap.diverged:
        return "not feasible", f"{gap.arm} diverged in {gap.diverged} seed(s)"
    if gap.baseline_diverged:
        return "undecided", f"the baseline {gap.baseline} diverged"
    if interval is None:
        return "undecided", "no seed has a figure of both; run more seeds"
    if interval.over_seeds is None:
        return "undecided", f"{interval.lacks}; run more seeds"
    if interval.over_samples is None:
        return "undecided", f"{interval.lacks}; run it again"
    if interval.lacks:
        return "undecided", interval.lacks
    if interval.high <= tolerance:
        return "feasible", "the whole interval lies within the tolerance"
    if far:
        return "not feasible", "the whole interval lies beyond the tolerance"
    narrower = f"{interval.narrowed_by} would narrow it"
    if interval.low > tolerance:
        return "undecided", (
            f"the interval lies beyond the tolerance, but not with Holm's correction for {tested}"
            f" comparisons; {narrower}"
        )
    return "undecided", f"the interval holds the tolerance; {narrower}"
