"""Climbing a likelihood by scoring, and standard errors.

    g = Σ_t ∂_θ ln p_t,    J = Σ_t (∂_θ ln p_t)(∂_θ ln p_t)ᵀ,    Cov(θ) = J⁻¹

(Berndt, Hall, Hall and Hausman, Ann. Econ. Soc. Meas. 3, 653, 1974), within a region of trust.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float64
from pydantic import ValidationError

from substrate.fit.predictive import Samples
from substrate.fit.sums import Vector

_STEP = 1e-5
_ENOUGH = 1e-3
"""Climbing ends where no more than this is to be gained, in nats."""
_LARGEST = 40.0
"""Exponents beyond this are no parameters of anything."""
UNDETERMINED = 1.5
"""A logarithm that is no better known than this says nothing of its parameter."""

_FLAT = 1e-9
"""Directions in which the trace says so little of what it says at most are taken as unknown."""
_PART_OF_FLAT = 1e-3

LogDensities = Callable[[Vector], Samples]
Matrix = Float64[np.ndarray, "parameters parameters"]


class _Slopes:
    """Value, gradient and information, each computed when it is asked for."""

    def __init__(self, log_densities: LogDensities) -> None:
        self._log_densities = log_densities
        self._place: bytes | None = None
        self._slopes: tuple[Vector, Matrix] | None = None
        self._values: Samples | None = None

    def value(self, theta: Vector) -> float:
        self._at(theta)
        return math.inf if self._values is None else -float(self._values.sum())

    def gradient(self, theta: Vector) -> Vector:
        return -self._both(theta)[0]

    def information(self, theta: Vector) -> Matrix:
        return self._both(theta)[1]

    def curvature(self, theta: Vector) -> Matrix:
        """The information, and a little more where the trace says nothing of a direction."""
        information = self.information(theta)
        little: Matrix = 1e-7 * max(1.0, float(np.trace(information))) * np.eye(len(theta))
        return np.asarray(information + little)

    def _at(self, theta: Vector) -> None:
        place = np.asarray(theta).tobytes()
        if place != self._place:
            self._place, self._slopes = place, None
            self._values = self._try(np.asarray(theta))

    def _try(self, theta: Vector) -> Samples | None:
        if not np.abs(theta).max() <= _LARGEST:
            return None
        try:
            values = self._log_densities(theta)
        except (ValidationError, ValueError, OverflowError, ZeroDivisionError):
            return None
        return values if np.isfinite(values).all() else None

    def _both(self, theta: Vector) -> tuple[Vector, Matrix]:
        self._at(theta)
        if self._slopes is None:
            if self._values is None:  # asked for beyond the model's bounds: there is nowhere to go
                self._slopes = np.zeros(len(theta)), np.eye(len(theta))
                return self._slopes
            scores = np.empty((len(theta), len(self._values)))
            for number in range(len(theta)):
                moved = np.array(theta)
                moved[number] += _STEP
                values = self._try(moved)
                scores[number] = 0.0 if values is None else (values - self._values) / _STEP
            self._slopes = scores.sum(1), scores @ scores.T
        return self._slopes


def maximise(
    log_densities: LogDensities, start: Vector, iterations: int = 60
) -> tuple[Vector, float, Matrix] | None:
    """Climb from a start.

    Args:
        log_densities: ln p of every sample given those before it, at θ.
        start: θ to begin with.
        iterations: at most.

    Returns:
        the best θ, ln p of the trace, and the information J; None where the start is impossible.
    """
    from scipy.optimize import minimize

    slopes = _Slopes(log_densities)
    if not math.isfinite(slopes.value(start)):
        return None

    def stop(intermediate_result: object) -> None:
        theta = np.asarray(getattr(intermediate_result, "x"))  # noqa: B009
        gradient, information = slopes.gradient(theta), slopes.information(theta)
        step = np.linalg.lstsq(information, gradient, rcond=1e-12)[0]
        if gradient @ step / 2 < _ENOUGH:
            raise StopIteration

    with np.errstate(all="ignore"):
        found = minimize(
            slopes.value,
            start,
            method="trust-exact",
            jac=slopes.gradient,
            hess=slopes.curvature,
            callback=stop,
            options={
                "initial_trust_radius": 0.5,
                "max_trust_radius": 3.0,
                "maxiter": iterations,
                "gtol": 1e-8,
            },
        )
        theta = np.asarray(found.x, dtype=np.float64)
        return theta, -slopes.value(theta), slopes.information(theta)


def standard_directions(information: Matrix) -> tuple[Matrix, Bool[np.ndarray, " parameters"]]:
    """Columns d with Cov(θ) = Σ d dᵀ, and which parameters the trace says nothing of."""
    scale = np.sqrt(np.clip(np.diag(information), 0, None))
    scale[scale < 1e-9 * scale.max()] = np.inf
    scale[np.isinf(scale)] = max(float(scale[np.isfinite(scale)].max(initial=1.0)), 1.0)
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    known = values > _FLAT
    lengths = np.where(known, 1 / np.sqrt(np.where(known, values, 1.0)), 0.0)
    unknown = (vectors[:, ~known] ** 2).sum(1) > _PART_OF_FLAT
    return vectors * lengths / scale[:, None], unknown


def standard_errors(
    theta: Vector,
    information: Matrix,
    parameters: Callable[[Vector], dict[str, float]],
    logarithms: Float64[np.ndarray, " some"] | slice,
) -> dict[str, float]:
    """Errors of named parameters by the delta method; infinite for what is undetermined.

    Args:
        theta: the best.
        information: J there.
        parameters: gives them by name from θ.
        logarithms: which of θ are logarithms.
    """
    directions, unknown = standard_directions(information)
    covariance = directions @ directions.T
    deviations = np.sqrt(np.diag(covariance))
    unknown[logarithms] |= deviations[logarithms] > UNDETERMINED
    names = list(parameters(theta))
    jacobian = np.empty((len(names), len(theta)))
    for column in range(len(theta)):
        step = np.zeros(len(theta))
        step[column] = _STEP
        above, below = parameters(theta + step), parameters(theta - step)
        jacobian[:, column] = [(above[name] - below[name]) / (2 * _STEP) for name in names]
    variances = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
    # shares of the slope that rounding leaves do not make a parameter depend on an unknown one
    sizes = np.abs(jacobian) * np.where(unknown, 1.0, 0.0)
    largest = np.abs(jacobian).max(axis=1, keepdims=True)
    infinite = (sizes > 1e-4 * largest).any(axis=1)
    return {
        name: math.inf if lost else math.sqrt(max(variance, 0.0))
        for name, lost, variance in zip(names, infinite, variances.tolist(), strict=True)
    }
