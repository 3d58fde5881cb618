"""Whether a fitted sum of noises is what the trace shows, by itself and not next to others.

Traces are simulated from the sum, and three curves are compared, each within an interval that
holds the whole curve of a right model in 99 of 100 cases:

    spectrum          ln of the mean periodogram in bands of frequency
    distribution      share of samples below quantiles of the trace
    autocorrelation   at lags spread over their logarithm

    |y - m| ≤ t_{R-1}(1 - 0.01 / 2P) · s √(1 + 1/R),    m and s over R simulations, P points

The longer a trace the less escapes this, so what lies outside is also measured: a model that is off
and yet within `USABLE` of the trace everywhere may be used for what it is good for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float64

from devices.noise import DriftNoise, NoiseModel
from devices.noise.base import Memory
from substrate.fit.predictive import Samples

SIMULATIONS = 40
_AT_ONCE = 4
_ALARM = 0.01
_BANDS = 16
_LEAST_IN_BAND = 24
_QUANTILES = np.concatenate([[0.001, 0.01], np.arange(0.05, 0.96, 0.05), [0.99, 0.999]])
_MOST_LAG = 20

USABLE = {"spectrum": 0.3, "distribution": 0.03, "autocorrelation": 0.1}
"""ln of a ratio of powers, share of samples, correlation."""

Curve = Float64[np.ndarray, " points"]
Verdict = Literal["good", "usable", "poor"]


@dataclass(frozen=True)
class Check:
    """One curve of the trace against the model's.

    Attributes:
        places: frequencies in Hz, values, or lags in seconds.
        measured: of the trace.
        expected: mean over simulations.
        half_width: of the interval around it.
    """

    places: Curve
    measured: Curve
    expected: Curve
    half_width: Curve

    @property
    def outside(self) -> int:
        """Number of points beyond the interval."""
        return int((np.abs(self.measured - self.expected) > self.half_width).sum())

    @property
    def furthest(self) -> float:
        """How far the trace lies beyond the interval at most."""
        return float((np.abs(self.measured - self.expected) - self.half_width).max().clip(0))


@dataclass(frozen=True)
class Adequacy:
    """The verdict on a fit, and what it rests on.

    Attributes:
        verdict: good where all curves lie in their intervals, usable where none is further out
            than `USABLE`, poor otherwise.
        checks: by name.
    """

    verdict: Verdict
    checks: dict[str, Check]

    @property
    def why(self) -> str:
        """For people."""
        off = [
            f"{name} off at {check.outside} of {len(check.places)} points, by up to "
            f"{check.furthest:.2g}"
            for name, check in self.checks.items()
            if check.outside
        ]
        return "; ".join(off) or "spectrum, distribution and autocorrelation within 99 % intervals"


def judge(trace: Samples, models: Sequence[NoiseModel], interval: float) -> Adequacy:
    """Compare a trace with simulations of a sum of noises.

    Args:
        trace: without its mean.
        models: the sum.
        interval: seconds between samples.
    """
    levels = np.quantile(trace, _QUANTILES)
    lags = np.unique(np.geomspace(1, max(2, len(trace) // _MOST_LAG), 16).astype(int))
    edges = _bands(len(trace))

    def curves(samples: Samples) -> list[Curve]:
        power = np.abs(np.fft.rfft(samples)) ** 2 / len(samples)
        size = 2 * len(samples)
        covariance = np.fft.irfft(np.abs(np.fft.rfft(samples, size)) ** 2, size)
        bands = np.add.reduceat(power, edges[:-1])[: len(edges) - 1] / np.diff(edges)
        shares = np.searchsorted(np.sort(samples), levels, side="right") / len(samples)
        return [np.log(bands), shares, covariance[lags] / covariance[0]]

    measured = curves(trace)
    simulated: list[list[Curve]] = []
    generator = torch.Generator().manual_seed(0)
    while len(simulated) < SIMULATIONS:
        drawn = simulate(models, len(trace), _AT_ONCE, interval, generator)
        simulated.extend(curves(samples - samples.mean()) for samples in drawn)
    from scipy.stats import t

    centres = (edges[:-1] + edges[1:] - 1) / 2 / len(trace) / interval
    places = [centres, levels, lags * interval]
    checks = {}
    for number, name in enumerate(USABLE):
        of_all = np.stack([each[number] for each in simulated])
        width = t.ppf(1 - _ALARM / len(USABLE) / 2 / of_all.shape[1], len(of_all) - 1)
        half = width * of_all.std(0, ddof=1) * np.sqrt(1 + 1 / len(of_all))
        checks[name] = Check(places[number], measured[number], of_all.mean(0), half)
    return Adequacy(_verdict(checks), checks)


def simulate(
    models: Sequence[NoiseModel],
    samples: int,
    traces: int,
    interval: float,
    generator: torch.Generator,
) -> Float64[np.ndarray, "traces samples"]:
    """Draw traces of a sum; a drift is the straight line that was fitted."""
    total = np.zeros((traces, samples))
    still = torch.zeros(samples, traces, dtype=torch.float64)
    for model in models:
        if isinstance(model, DriftNoise):
            times = (np.arange(samples) + 0.5) * interval - samples * interval / 2
            total += model.per_second * times
        else:
            total += model.sample(still, Memory(generator)).T.numpy()
    return total


def _bands(n: int) -> np.ndarray:
    """Edges of bands of frequency, the lowest wide enough for a mean to mean something."""
    half = n // 2
    edges = [1]
    for edge in np.geomspace(_LEAST_IN_BAND, half, _BANDS).astype(int):
        if edge - edges[-1] >= _LEAST_IN_BAND - 1:
            edges.append(int(edge))
    return np.array(edges)


def _verdict(checks: dict[str, Check]) -> Verdict:
    if not any(check.outside for check in checks.values()):
        return "good"
    within = all(check.furthest <= USABLE[name] for name, check in checks.items())
    return "usable" if within else "poor"
