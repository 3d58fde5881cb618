"""What else labs measure of a device: retention, repeated reads, and sweeps of the voltage.

    retention   ln G = ln G_0 - ν ln(t / t_0), a straight line for every device
    reads       ln σ_G = ln c + p ln G over groups of reads, weighted by their numbers
    sweep       I = G V (1 + (V / V_0)²): the bend at the largest voltage

Straight lines by least squares; spreads over devices as in `response.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from substrate.fit.device.data import Series
from substrate.fit.device.population import Estimate

_LEAST = 3
_ROUGH = 0.25
_STRAIGHT = 0.05
"""Root mean square of ln G around its line beyond which drift is not of this form."""


@dataclass(frozen=True)
class DriftFit:
    """Drift exponents.

    Attributes:
        nu: mean over devices.
        nu_spread: a fraction of nu.
        t_0: first time that was measured, s.
        residual: root mean square of ln G around the lines.
    """

    nu: Estimate
    nu_spread: Estimate
    t_0: float
    residual: float

    @property
    def verdict(self) -> str:
        """good where lines are straight, poor otherwise."""
        return "good" if self.residual <= _STRAIGHT else "poor"


@dataclass(frozen=True)
class ReadNoiseFit:
    """σ_G = σ(G_ref) (G / G_ref)^p.

    Attributes:
        at: G_ref, the middle of the measured conductances on a scale of logarithms, S.
        sigma: there, S.
        exponent: p; none where one conductance was read.
        residual: root mean square of ln σ around the line.
        chance: of so much or more by chance.
    """

    at: float
    sigma: Estimate
    exponent: Estimate
    residual: float
    chance: float

    @property
    def verdict(self) -> str:
        """good where the power law's misfit may be chance, usable where it is small, or poor."""
        return "good" if self.chance > 0.01 else "usable" if self.residual < _ROUGH else "poor"

    def sigma_at(self, conductance: float) -> float:
        """σ_G there."""
        return self.sigma[0] * math.pow(abs(conductance) / self.at, max(self.exponent[0], 0.0))


def fit_drift(retention: Sequence[Series]) -> DriftFit:
    """Fit retention series; several of one device count as one, with the mean exponent.

    Raises:
        ValueError: too few times.
    """
    slopes: dict[str, list[float]] = {}
    residuals, first = [], math.inf
    for each in retention:
        usable = (each.places > 0) & (each.readings > 0)
        if usable.sum() < _LEAST:
            continue
        t, g = np.log(each.places[usable]), np.log(each.readings[usable])
        slope, offset = np.polyfit(t, g, 1)
        slopes.setdefault(each.device, []).append(-float(slope))
        residuals.append(float(((g - slope * t - offset) ** 2).mean()))
        first = min(first, float(each.places[usable].min()))
    if not slopes:
        raise ValueError(f"a retention series needs {_LEAST} times after 0 at least")
    nu = np.array([np.mean(of_device) for of_device in slopes.values()])
    spread = float(nu.std(ddof=1)) if len(nu) > 1 else math.inf
    mean = float(nu.mean()), spread / math.sqrt(len(nu))
    known = len(nu) > 1 and mean[0] > 0
    share = spread / mean[0] if known else 0.0
    error = share / math.sqrt(2 * (len(nu) - 1)) if known else math.inf
    return DriftFit(mean, (share, error), first, math.sqrt(float(np.mean(residuals))))


def fit_reads(reads: Sequence[Series]) -> ReadNoiseFit:
    """Fit repeated reads at one conductance or several.

    Raises:
        ValueError: too few reads.
    """
    groups = [each for each in reads if len(each.readings) >= _LEAST and each.readings.std() > 0]
    if not groups:
        raise ValueError(f"read noise needs {_LEAST} reads of an undisturbed cell at least")
    conductance = np.log(np.abs([each.readings.mean() for each in groups]))
    from scipy.special import digamma, polygamma
    from scipy.stats import chi2

    # ln s² of normal reads: ln σ² + ψ(k) - ln k on average, with a variance of ψ'(k), k = (n - 1)/2
    half = np.array([(len(each.readings) - 1) / 2 for each in groups])
    sigma = np.log([each.readings.std(ddof=1) for each in groups])
    sigma -= (digamma(half) - np.log(half)) / 2
    weights = 4 / polygamma(1, half)  # 1 / var(ln s)
    at = float(np.average(conductance, weights=weights))
    off = conductance - at
    information = float((weights * off**2).sum())
    level = float(np.average(sigma, weights=weights))
    if np.ptp(conductance) > 0.3:
        exponent = float((weights * off * sigma).sum() / information), information**-0.5
    else:
        exponent = 0.0, math.inf
    value = math.exp(level)
    off_line = sigma - level - exponent[0] * off
    freedom = len(groups) - 1 - math.isfinite(exponent[1])
    square = float((weights * off_line**2).sum())
    # ln s² has longer tails than a normal variable, so that its squares vary more (Satterthwaite)
    stretch = 1 + float(np.mean(polygamma(3, half) / polygamma(1, half) ** 2)) / 2
    chance = float(chi2.sf(square / stretch, freedom / stretch)) if freedom > 0 else 1.0
    residual = math.sqrt(float(np.average(off_line**2, weights=weights)))
    return ReadNoiseFit(
        math.exp(at), (value, value * float(weights.sum()) ** -0.5), exponent, residual, chance
    )


def bend_of_sweeps(sweeps: Sequence[Series]) -> tuple[float, float]:
    """Largest departure of I / V from its value at small voltages, and the voltage it is at."""
    worst, where = 0.0, 0.0
    for each in sweeps:
        usable = each.places != 0
        v, i = each.places[usable], each.readings[usable]
        (slope, cubic), *_ = np.linalg.lstsq(np.stack([v, v**3], axis=1), i, rcond=None)
        largest = float(np.abs(v).max())
        bend = abs(float(cubic / slope)) * largest**2
        if bend > worst:
            worst, where = bend, largest
    return worst, where
