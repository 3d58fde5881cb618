"""What the points of a study are together: feasible at once, and wrong by the same error.

A point's verdict is as sure as that of a run. Who picks one among n points looks n times, so what
is picked has to be feasible with Holm's correction for n (`substrate.run.verdict`).

All points meet the same test samples, with the same seeds and mostly the same trained baseline, so
that their gaps are off together. How far is told by their mean, whose own noise averages out:

    m_s = mean over points of the gap with seed s       its interval over new seeds and test data is
    C²  = mean over points of C²                        that of `substrate.run.estimate`
    s   = half of that interval at 95 % over 1.96

Test samples that points meet alike but err on differently make C² too large, s with it, and no
interval too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from substrate.record.summary import Comparison, Summary
from substrate.run.estimate import Estimate
from substrate.run.verdict import within_at_once, worst

_FEWEST_NEAR = 3


def feasible_together(arm: str, summaries: Sequence[Summary]) -> set[int]:
    """Which points are feasible, so that it is true of all of these at once.

    Args:
        arm: a device arm.
        summaries: one a point.
    """
    candidates = {}
    for number, summary in enumerate(summaries):
        own = [each for each in summary.comparisons if each.arm == arm]
        if worst(own) == "feasible":
            # less its tolerance, since that may be an axis
            candidates[number] = [_estimate(summary, each, each.tolerance) for each in own]
    strictest = max(summary.confidence for summary in summaries)
    return within_at_once(candidates, len(summaries), 0.0, strictest)


def shared_error(arm: str, baseline: str, summaries: Sequence[Summary]) -> float:
    """The standard error s that the gaps of all points have in common; NaN where it is unknown.

    Args:
        arm: a device arm.
        baseline: that its gaps are to.
        summaries: one a point.
    """
    known = [
        (summary, each)
        for summary in summaries
        for each in summary.comparisons
        if (each.arm, each.baseline) == (arm, baseline)
        and each.gap is not None
        and not summary.arms[arm].diverged
    ]
    # a device that fails is noisier than one at the border, where the error counts
    known.sort(key=lambda each: abs((each[1].gap or 0.0) - each[1].tolerance))
    near = known[: max(_FEWEST_NEAR, len(known) // 2)]
    if not near:
        return math.nan
    by_seed = [_by_seed(*each) for each in near]
    shared = set.intersection(*({*each} for each in by_seed))
    variances = [_sample_variance(*each) for each in near]
    interval = Estimate(
        [float(np.mean([each[seed] for each in by_seed])) for seed in sorted(shared)] or [0.0],
        min(summary.data.test for summary, _ in near),
        None if None in variances else float(np.mean([each or 0.0 for each in variances])),
    ).interval(0.95)
    return interval.half_width / 1.96 if interval.whole else math.nan


def _estimate(summary: Summary, comparison: Comparison, tolerance: float) -> Estimate:
    """Of the gap less the tolerance, from what a summary keeps of it."""
    behind = [each - tolerance for each in _by_seed(summary, comparison).values()]
    return Estimate(behind, summary.data.test, _sample_variance(summary, comparison))


def _by_seed(summary: Summary, comparison: Comparison) -> dict[int, float]:
    """How far the arm is behind, by seeds in which both have a figure."""
    measures = (
        summary.arms[name].measure(summary.metric) for name in (comparison.arm, comparison.baseline)
    )
    own, other = ([] if each is None else each.values for each in measures)
    sign = 1 if summary.metric == "test_loss" else -1
    return {
        seed: sign * (ours - theirs)
        for seed, ours, theirs in zip(summary.seeds, own, other, strict=True)
        if ours is not None and theirs is not None
    }


def _sample_variance(summary: Summary, comparison: Comparison) -> float | None:
    """C², from the half-width that it makes."""
    from scipy import stats

    samples = summary.data.test
    if comparison.over_samples is None or samples < 2:
        return None
    quantile = float(stats.t.ppf((1 + summary.confidence) / 2, samples - 1))
    return samples * (comparison.over_samples / quantile) ** 2
