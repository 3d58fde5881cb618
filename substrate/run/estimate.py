"""A gap of a device arm to a clean baseline, or another contrast of arms, with its interval.

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
as if they erred independently; of losses it is unknown. Where S² or C² is unknown, nothing can be
decided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
        return not self.lacks

    @property
    def lacks(self) -> str:
        """Why nothing can be decided by it; empty where it is whole."""
        if self.over_seeds is None:
            return "one seed has no confidence interval"
        if self.over_samples is None:
            return "what became of each test sample is unknown"
        return "" if self.half_width > 0 else "all losses are the same, and give no interval"

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
    # right in some arms, wrong in the others; of one arm alone right, where it might be wrong
    most = max(sum(map(abs, weights.values())) / 2, max(map(abs, weights.values())))
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
