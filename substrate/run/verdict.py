"""The gap of a device arm to a clean baseline, its confidence interval, and the verdict.

    gap_s = baseline_s - arm_s  of an accuracy, arm_s - baseline_s  of a loss,
                                               per seed s: how far the device falls behind
    interval: mean(gap) ± t_{(1+c)/2, n-1} · std(gap) / √n      paired by seed (Student, 1908)

Seeds are paired because both arms have that seed's data order and initial weights. The verdict is
`feasible` where the whole interval lies within the tolerance, `not feasible` where all of it lies
beyond, and `undecided` otherwise; one seed alone has no interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from substrate.record.summary import Comparison, Verdict


def compare(
    arm: str,
    baseline: str,
    arm_values: Sequence[float | None],
    baseline_values: Sequence[float | None],
    tolerance: float,
    confidence: float,
    *,
    higher_is_better: bool = True,
) -> Comparison:
    """Compare final figures, one a seed, in the same order of seeds; None is a diverged run."""
    pairs = [
        (device, clean)
        for device, clean in zip(arm_values, baseline_values, strict=False)
        if device is not None and clean is not None
    ]
    behind = 1 if higher_is_better else -1
    gaps = np.array([behind * (clean - device) for device, clean in pairs])
    gap = float(gaps.mean()) if len(gaps) else None
    low, high = _interval(gaps, confidence)

    def result(verdict: Verdict, reason: str) -> Comparison:
        return Comparison(
            arm=arm,
            baseline=baseline,
            gap=gap,
            ci_low=low,
            ci_high=high,
            tolerance=tolerance,
            verdict=verdict,
            reason=reason,
        )

    if None in arm_values:
        return result("not feasible", f"{arm} diverged in {arm_values.count(None)} seed(s)")
    if None in baseline_values:
        return result("undecided", f"the baseline {baseline} diverged")
    if low is None or high is None:
        return result("undecided", "one seed has no confidence interval; run more seeds")
    if high <= tolerance:
        return result("feasible", "the whole interval lies within the tolerance")
    if low > tolerance:
        return result("not feasible", "the whole interval lies beyond the tolerance")
    return result("undecided", "the interval holds the tolerance; more seeds would narrow it")


def overall(comparisons: Sequence[Comparison]) -> Verdict:
    """The scenario's verdict: the worst of its comparisons."""
    verdicts = {comparison.verdict for comparison in comparisons}
    if "not feasible" in verdicts:
        return "not feasible"
    return "undecided" if "undecided" in verdicts or not verdicts else "feasible"


def _interval(gaps: np.ndarray, confidence: float) -> tuple[float | None, float | None]:
    if len(gaps) < 2:
        return None, None
    from scipy import stats

    half = (
        stats.t.ppf((1 + confidence) / 2, len(gaps) - 1) * gaps.std(ddof=1) / math.sqrt(len(gaps))
    )
    return float(gaps.mean() - half), float(gaps.mean() + half)
