"""The gap of a device arm to a clean baseline, its confidence interval, and the verdict.

The gap is that of the device over new seeds and new test data, of which a run has drawn r seeds and
n test samples, every sample met by every seed:

    d_si = gap + seed_s + sample_i + rest_si      how far the arm is behind on sample i with seed s:
                           1 or -1 where one of the two is right, 0, or a difference of losses
    gap  ≈ d̄,   d̄_s, d̄_i: the means over samples, over seeds
    S²   = Σ_s (d̄_s - d̄)² / (r - 1)                       over seeds; the rest's share is in it
    E²   = Σ_si (d_si - d̄_s - d̄_i + d̄)² / (r - 1)(n - 1)
    C²   = max(0, Σ_i (d̄_i - d̄)² / (n - 1) - E² / r) + 2 b² / n     over samples, without the rest
    interval: d̄ ± √(t²_{r-1} S² / r + t²_{n-1} C² / n)     Student's t at (1 + confidence) / 2

Crossed random effects of readers and cases are what medical imaging compares diagnostic methods by
(Dorfman, Berbaum and Metz, Invest. Radiol. 27, 1992). The squares of two Student half-widths add up
to those of an interval that is never too narrow, however the variance is divided between the two
(Banerjee, Sankhyā 22, 1960); with the degrees of freedom of Satterthwaite or Hillis it is narrower,
and misses one gap in nine at two seeds by 10,000 samples. `substrate bench coverage` counts the
misses. 2 b² / n stands for two more samples, one decided for either arm by as much as a sample can
(b = 1; of losses the largest |d_si|): no difference on few samples is no proof that there is none
(as Bonett and Price, J. Educ. Behav. Stat. 37, 2012, for one seed).

Arms are paired by seed, since they share its data order and initial weights, and by sample. Where
nobody kept what became of each sample, C² is the sum of the two arms' binomial variances p(1 - p),
as if they erred independently; of losses it is unknown. Where S² or C² is unknown, nothing is
decided.

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

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from substrate.record.summary import Comparison, Verdict

Outcomes = npt.NDArray[np.float64]
"""What became of every test sample with every seed, (seeds, samples)."""


class Interval(NamedTuple):
    """A confidence interval, by where its width comes from.

    Attributes:
        centre: of it.
        over_seeds: its half-width if there were no other test data; None with one seed.
        over_samples: its half-width if there were no other seeds; None where that is unknown.
    """

    centre: float
    over_seeds: float | None
    over_samples: float | None

    @property
    def half_width(self) -> float:
        """Of what is known."""
        return math.hypot(self.over_seeds or 0.0, self.over_samples or 0.0)

    @property
    def low(self) -> float:
        """Its lower end."""
        return self.centre - self.half_width

    @property
    def high(self) -> float:
        """Its upper end."""
        return self.centre + self.half_width

    @property
    def whole(self) -> bool:
        """Whether seeds and test data are both in it, so that it may decide something."""
        return None not in (self.over_seeds, self.over_samples) and self.half_width > 0

    @property
    def narrowed_by(self) -> str:
        """Which of the two makes most of its width: `more seeds` or `more test samples`."""
        seeds_make_more = (self.over_seeds or 0.0) >= (self.over_samples or 0.0)
        return "more seeds" if seeds_make_more else "more test samples"


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and test samples: a gap, or another contrast of arms.

    Attributes:
        by_seed: d̄_s.
        samples: n; None where nobody counted them.
        sample_variance: C²; None where it is unknown.
        paired: whether C² is that of the arms' differences, sample by sample.
    """

    by_seed: Sequence[float]
    samples: int | None
    sample_variance: float | None
    paired: bool = True

    def negated(self) -> Estimate:
        """The same the other way round."""
        return replace(self, by_seed=[-each for each in self.by_seed])

    def interval(self, confidence: float) -> Interval:
        """As the module defines it."""
        from scipy import stats

        seeds = len(self.by_seed)
        over_seeds = over_samples = None
        if seeds > 1:
            deviation = float(np.std(self.by_seed, ddof=1))
            quantile = float(stats.t.ppf((1 + confidence) / 2, seeds - 1))
            over_seeds = quantile * deviation / math.sqrt(seeds)
        if self.sample_variance is not None and self.samples is not None and self.samples > 1:
            quantile = float(stats.t.ppf((1 + confidence) / 2, self.samples - 1))
            over_samples = quantile * math.sqrt(self.sample_variance / self.samples)
        return Interval(float(np.mean(self.by_seed)), over_seeds, over_samples)


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


def sample_variance(differences: Outcomes, largest: float) -> float | None:
    """C² of the differences d_si.

    Args:
        differences: one row a seed, one column a test sample.
        largest: b, the most that one sample can differ by.

    Returns:
        None of a single sample.
    """
    seeds, samples = len(differences), len(differences[0])
    if samples < 2:
        return None
    by_sample = differences.mean(0)
    variance = float(by_sample.var(ddof=1))
    if seeds > 1:
        rest = differences - by_sample - differences.mean(1, keepdims=True) + by_sample.mean()
        variance -= float((rest**2).sum()) / ((seeds - 1) * (samples - 1)) / seeds
    return max(0.0, variance) + 2 * largest**2 / samples


def contrast(
    weights: Mapping[str, float],
    figures: Mapping[str, Sequence[float]],
    outcomes: Mapping[str, Outcomes],
    samples: int | None,
    *,
    accuracies: bool,
) -> Estimate:
    """Add arms up, each with its weight; 1 and -1 give a difference.

    Args:
        weights: by arm; those of a difference add up to 0.
        figures: accuracies, as fractions, or losses, by arm, one a seed.
        outcomes: by arm, of the same seeds; arms may be missing.
        samples: n, for where they are.
        accuracies: whether the figures are.
    """
    by_seed = np.sum([weight * np.array(figures[arm]) for arm, weight in weights.items()], 0)
    most = sum(map(abs, weights.values())) / 2  # right in some arms, wrong in the others
    if weights.keys() <= outcomes.keys():
        differences = np.sum([weight * outcomes[arm] for arm, weight in weights.items()], 0)
        largest = most if accuracies else float(np.abs(differences).max())
        variance = sample_variance(differences, largest)
        return Estimate(by_seed.tolist(), differences.shape[1], variance)
    variance = None
    if accuracies and samples is not None:
        means = {arm: float(np.mean(figures[arm])) for arm in weights}
        variance = sum(weight**2 * means[arm] * (1 - means[arm]) for arm, weight in weights.items())
        variance += 2 * most**2 / samples
    return Estimate(by_seed.tolist(), samples, variance, paired=False)


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
            )
        )
    return comparisons


def worst(comparisons: Sequence[Comparison]) -> Verdict:
    """An arm's verdict: the worst of its comparisons."""
    verdicts = {comparison.verdict for comparison in comparisons}
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
    tested = len({gap.arm for gap in gaps})
    found: set[str] = set()
    while more := {
        name
        for name, estimates in arms.items()
        if name not in found
        for level in (1 - (1 - confidence) / (tested - len(found)),)
        if all(each is not None and each.interval(level).high <= tolerance for each in estimates)
    }:
        found |= more
    return found


def _judged(
    gap: Gap, interval: Interval | None, tolerance: float, tested: int, far: bool
) -> tuple[Verdict, str]:
    if gap.diverged:
        return "not feasible", f"{gap.arm} diverged in {gap.diverged} seed(s)"
    if gap.baseline_diverged:
        return "undecided", f"the baseline {gap.baseline} diverged"
    if interval is None or interval.over_seeds is None:
        return "undecided", "one seed has no confidence interval; run more seeds"
    if interval.over_samples is None:
        return "undecided", "what became of each test sample is unknown; run it again"
    if not interval.whole:
        return "undecided", "all losses are the same, and give no interval"
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
