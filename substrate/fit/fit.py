"""Fitting every candidate to a trace, and ranking them.

Maximum likelihood; errors are standard errors from the curvature of the log-likelihood (observed
information), carried over to the parameters as people know them:

    AIC = 2 k - 2 ln L,   Cov(θ) = (-∂² ln L)⁻¹
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from pydantic import ValidationError

from devices.noise import NoiseModel, TelegraphNoise, UniformNoise
from substrate.fit.candidates import (
    Autoregressive,
    Candidate,
    Gaussian,
    Pink,
    TwoLevels,
    Vector,
)
from substrate.fit.two_levels import Samples

CANDIDATES: tuple[type[Candidate], ...] = (Gaussian, Autoregressive, Pink, TwoLevels)
LARGEST_EXPONENT = 60.0


@dataclass(frozen=True)
class Fit:
    """One model fitted to a trace.

    Attributes:
        model: with the best parameters.
        log_likelihood: ln p of the trace; infinite for levels without any Gaussian part.
        parameters: how many were fitted, the mean included.
        errors: standard errors of the parameters that were fitted.
        note: what to know about it.
    """

    model: NoiseModel
    log_likelihood: float
    parameters: int
    errors: dict[str, float]
    note: str = ""

    @property
    def aic(self) -> float:
        """Akaike's information criterion: smaller is better."""
        return 2 * self.parameters - 2 * self.log_likelihood


def fit_all(trace: Samples, interval: float) -> list[Fit]:
    """Fit every model, best first by AIC.

    Args:
        trace: samples, in units of the signal.
        interval: seconds between them.

    Raises:
        ValueError: the trace is too short, or never changes.
    """
    if len(trace) < 100:
        raise ValueError(f"a fit needs 100 samples at least; found {len(trace)}")
    x = trace - trace.mean()
    if not x.std() > 0:
        raise ValueError("the trace never changes: there is no noise to fit")
    fits = [_uniform(x)]
    if len(np.unique(trace)) == 2:
        fits.append(_telegraph(x, interval))
    else:
        fits += [fit for each in CANDIDATES if (fit := _maximise(each(x, interval))) is not None]
    return sorted(fits, key=lambda fit: fit.aic)


def _uniform(x: Samples) -> Fit:
    """The range is the best width; its error is the expected gap at either end."""
    half = float(x.max() - x.min()) / 2
    likelihood = -len(x) * math.log(2 * half)
    return Fit(UniformNoise(half_width=half), likelihood, 2, {"half_width": half / len(x)})


def _telegraph(x: Samples, interval: float) -> Fit:
    """Two values and nothing between: the hops are seen, and rates are counted."""
    low, high = float(x.min()), float(x.max())
    up = x > (low + high) / 2
    before, after = up[:-1], up[1:]
    rise = ((~before) & after).sum() / max(1, (~before).sum())
    fall = (before & ~after).sum() / max(1, before.sum())
    keep = 1 - rise - fall
    if not 0 < keep < 1:
        raise ValueError("the trace hops at every sample; sample it faster")
    total = -math.log(keep) / interval
    dwell_low = (rise + fall) / (rise * total)
    dwell_high = (rise + fall) / (fall * total)
    hops = int((before != after).sum())
    model = TelegraphNoise(
        low=low, high=high, dwell_low=dwell_low, dwell_high=dwell_high, read_interval=interval
    )
    errors = {
        "dwell_low": dwell_low * math.sqrt(2 / hops),
        "dwell_high": dwell_high * math.sqrt(2 / hops),
    }
    note = "two values and nothing between: a density is infinite, and no other model fits"
    return Fit(model, math.inf, 5, errors, note)


def _maximise(candidate: Candidate) -> Fit | None:
    """Climb from the moments of the trace; None where the likelihood leads out of the model."""
    from scipy.optimize import minimize

    def cost(theta: Vector) -> float:
        if np.abs(theta).max() > LARGEST_EXPONENT:
            return math.inf
        try:
            value = -candidate.log_likelihood(theta)
        except (ValidationError, ValueError, FloatingPointError, OverflowError, ZeroDivisionError):
            return math.inf
        return value if math.isfinite(value) else math.inf

    start = candidate.start()
    if not math.isfinite(cost(start)):
        return None
    with np.errstate(all="ignore"):
        found = minimize(
            cost,
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-5, "fatol": 1e-4, "maxiter": 600, "adaptive": len(start) > 3},
        )
        theta = np.asarray(found.x, dtype=np.float64)
        model = candidate.model(theta)
        errors = _errors(candidate, theta)
    note = "" if all(map(math.isfinite, errors.values())) else "some parameters are undetermined"
    return Fit(model, -float(found.fun), len(theta) + 1, errors, note)


def _errors(candidate: Candidate, theta: Vector) -> dict[str, float]:
    """Standard errors by second differences, and the delta method."""
    names, n = candidate.reported, len(theta)
    covariance = _inverse(-_second_differences(candidate, theta))
    jacobian = np.empty((len(names), n))
    for column in range(n):
        step = np.zeros(n)
        step[column] = 1e-5
        above, below = candidate.model(theta + step), candidate.model(theta - step)
        jacobian[:, column] = [
            (getattr(above, name) - getattr(below, name)) / 2e-5 for name in names
        ]
    variances = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
    return {
        name: math.sqrt(variance) if variance > 0 else math.inf
        for name, variance in zip(names, variances.tolist(), strict=True)
    }


def _second_differences(
    candidate: Candidate, theta: Vector
) -> Float64[np.ndarray, "parameters parameters"]:
    n, step = len(theta), 1e-3
    value = candidate.log_likelihood
    result = np.empty((n, n))
    unit = step * np.eye(n)
    for i in range(n):
        for j in range(i + 1):
            corners = (
                value(theta + unit[i] + unit[j])
                - value(theta + unit[i] - unit[j])
                - value(theta - unit[i] + unit[j])
                + value(theta - unit[i] - unit[j])
            )
            result[i, j] = result[j, i] = corners / (4 * step**2)
    return result


def _inverse(
    information: Float64[np.ndarray, "parameters parameters"],
) -> Float64[np.ndarray, "parameters parameters"]:
    try:
        return np.linalg.inv(information)
    except np.linalg.LinAlgError:
        return np.full_like(information, np.nan)
