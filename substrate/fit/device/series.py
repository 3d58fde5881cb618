"""What else labs measure of a device: retention, repeated reads, and sweeps of the voltage.

    retention   ln G = ln G_0 - ν ln(t / t_0), a straight line for every device
    reads       ln σ_G = ln c + p ln G over groups of reads, weighted by their numbers
    sweep       I = G V (1 + (V / V_0)²): the bend at the largest voltage

Straight lines by least squares; the spread of ν beyond the errors of the lines' slopes, as in
`population.py`:    s² = r / Σ (ln t - mean)²,    r of n times the variance around a line, with
n - 2 degrees of freedom, added up over devices by Satterthwaite's rule (see `_bends`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from substrate.fit.device.branch_points import Curve
from substrate.fit.device.data import Series
from substrate.fit.device.population import Estimate, spread_beyond, std
from substrate.fit.device.response_fit import GOOD, USABLE

_LEAST = 3
_ROUGH = 0.25
_ALARM = 0.01
"""Of curves that are of the form this part is said not to be."""
_MOST_POWERS = 5
"""Of ln t, in the curve that a line is held against; fewer where there are few times."""
_UNSEEN = 0.01
"""Root mean square of a bend in ln G that matters to nobody: cells are read no closer."""


@dataclass(frozen=True)
class DriftFit:
    """Drift exponents.

    Attributes:
        nu: mean over devices.
        nu_spread: a fraction of nu.
        t_0: first time that was measured, s.
        residual: root mean square of ln G around the lines.
        bend: root mean square of what polynomials in ln t have beyond them and beyond chance.
        bent: the same as a part of what ln G changes by along the lines.
        chance: of so much bend or more where lines are straight; NaN where three times a series
            cannot say.
    """

    nu: Estimate
    nu_spread: Estimate
    t_0: float
    residual: float
    bend: float
    bent: float
    chance: float

    @property
    def verdict(self) -> str:
        """good where a bend may be chance or is small, else by its part of the change."""
        if self.chance > _ALARM or self.bend <= _UNSEEN or self.bent <= GOOD:
            return "good"
        return "usable" if self.bent <= USABLE or math.isnan(self.chance) else "poor"


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
        return "good" if self.chance > _ALARM else "usable" if self.residual < _ROUGH else "poor"

    def sigma_at(self, conductance: float) -> float:
        """σ_G there."""
        return self.sigma[0] * math.pow(abs(conductance) / self.at, max(self.exponent[0], 0.0))


def fit_drift(retention: Sequence[Series]) -> DriftFit:
    """Fit retention series; several of one device count as one, with the mean exponent.

    Raises:
        ValueError: too few times.
    """
    slopes: dict[str, list[float]] = {}
    squares: dict[str, list[tuple[float, float]]] = {}
    residuals, first, lines = [], math.inf, []
    for each in retention:
        usable = (each.places > 0) & (each.readings > 0)
        if usable.sum() < _LEAST:
            continue
        t, g = np.log(each.places[usable]), np.log(each.readings[usable])
        slope, offset = np.polyfit(t, g, 1)
        slopes.setdefault(each.device, []).append(-float(slope))
        rest = float(((g - slope * t - offset) ** 2).sum())
        residuals.append(rest / len(t))
        spare = len(t) - 2
        along = max(float(((t - t.mean()) ** 2).sum()), 1e-300)
        squares.setdefault(each.device, []).append((rest / spare / along, spare))
        lines.append((t, g, float(slope)))
        first = min(first, float(each.places[usable].min()))
    if not slopes:
        raise ValueError(f"a retention series needs {_LEAST} times after 0 at least")
    nu = np.array([np.mean(of_device) for of_device in slopes.values()])
    mean = float(nu.mean()), std(nu) / math.sqrt(len(nu))
    spread = spread_beyond(nu, *_of_mean(squares.values()))
    share = (spread[0] / mean[0], spread[1] / mean[0]) if mean[0] > 0 else (0.0, math.inf)
    residual = math.sqrt(float(np.mean(residuals)))
    return DriftFit(mean, share, first, residual, *_bends(lines))


def _of_mean(devices: Collection[Sequence[tuple[float, float]]]) -> tuple[float, float]:
    """Mean square error of devices' mean slopes, and its degrees of freedom."""
    square, freedom = np.array(
        [(s / len(series) ** 2 / len(devices), f) for series in devices for s, f in series]
    ).T
    total = float(square.sum())
    return total, total**2 / max(float((square**2 / (freedom + 2)).sum()), 1e-300)


def _bends(lines: Sequence[tuple[Curve, Curve, float]]) -> tuple[float, float, float]:
    """Bend, its part of the change, and its chance, of (ln t, ln G, slope) of every series.

    With S of the lines, R of the curves (sums of squares), e more parameters and f left over,

        F = ((S - R) / e) / (R / f),    Σ R over series has f' = (Σ R)² / Σ (R² / (f + 2)) ≤ Σ f,

    since series scatter by unlike amounts (Satterthwaite, Biometrics Bull. 2, 110, 1946). Of
    simulated lines 1 % had a chance below 0.01, and 4 % where ln G scattered from one to the next
    by factors that were e apart in the root mean square.
    """
    from scipy.stats import f as f_distribution

    rows = []
    for t, g, slope in lines:
        degree = min(_MOST_POWERS, max(2, (len(t) - 1) // 2), len(np.unique(t)) - 1)
        squares = [
            float(((g - np.polynomial.Polynomial.fit(t, g, of)(t)) ** 2).sum())
            for of in (1, degree)
        ]
        spare = len(t) - 1 - degree
        rows.append((*squares, degree - 1, spare, len(t), len(t) * (slope * np.ptp(t)) ** 2))
    straight, curved, more, left, count, change = np.array(rows).T
    freedom, rest = float(left.sum()), float(curved.sum())
    gained = float(straight.sum()) - rest
    chance, noise = math.nan, 0.0
    if freedom and more.any():
        noise = rest / freedom
        of_mixture = rest**2 / max(float((curved**2 / (left + 2)).sum()), 1e-300)
        part = min(of_mixture / freedom, 1.0)
        ratio = gained / float(more.sum()) / max(noise, 1e-300)
        chance = float(f_distribution.sf(ratio, part * float(more.sum()), part * freedom))
    square = max(gained - float(more.sum()) * noise, 0.0)
    bend = math.sqrt(square / float(count.sum()))
    return bend, math.sqrt(square / max(float(change.sum()), 1e-300)), chance


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


def gap_of_sweeps(sweeps: Sequence[Series]) -> float:
    """Largest difference of currents at one voltage beyond chance, a part of the current.

    Of what is left of I by the law above, d² between readings next to each other in voltage is held
    against d² between those that follow one another: it is larger where I hangs on what came
    before. Either has some 2/3 n degrees of freedom (von Neumann, Ann. Math. Stat. 12, 367, 1941).
    """
    from scipy.stats import f as f_distribution

    worst = 0.0
    for each in sweeps:
        v, i = each.places, each.readings
        powers = np.stack([v, v**3], axis=1)
        rest = i - powers @ np.linalg.lstsq(powers, i, rcond=None)[0]
        along, across = (
            float((np.diff(of) ** 2).mean()) for of in (rest, rest[np.argsort(v, kind="stable")])
        )
        freedom = 2 * len(v) / 3
        chance = float(f_distribution.sf(across / max(along, 1e-300), freedom, freedom))
        if chance < _ALARM / len(sweeps):
            worst = max(worst, math.sqrt((across - along) / float((i**2).mean())))
    return worst
