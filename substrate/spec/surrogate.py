"""What is known of a response from few noisy runs: a Gaussian process over the varied fields.

    y_i = f(x_i) + e_i        e_i ~ N(0, r² a²)
    f ~ GP(0, a² [k_l(x, x') + 4 (1 + x·x')])      k_l: Matérn, ν = 5/2, length l in every field
    a² ~ inverse gamma;  every l and r of a grid is as likely as any other, before the runs

Nothing is fitted: from few runs the best-fitting l and r are often wrong, and intervals that take
them for true are too narrow. So a² is integrated in closed form, which makes the process Student's,
and l and r by their weights on the grid:

    p(y | l, r) ∝ |K|^(-1/2) (v s² + yᵀ K⁻¹ y)^(-(v + n) / 2)       K = k + 4 (1 + x·x') + r² I

The linear algebra is scikit-learn's `GaussianProcessRegressor`, a dependency already; BoTorch would
bring gpytorch and its own torch bounds, and its fitted hyperparameters are what is avoided here.
Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, chapters 2 and 5.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import config_context
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern

Array = npt.NDArray[np.float64]

_LENGTHS = (0.15, 0.3, 0.6, 1.2)
_NOISES = (0.02, 0.06, 0.15, 0.4, 1.0, 2.5)
_TREND = 4.0
_DEGREES = 2.0
_PARTICLES = 16
"""Draws come from so many pairs of l and r, picked by their weights."""


class Surrogate:
    """The response given some runs; draws of it are equally likely truths."""

    def __init__(self, points: Array, values: Array) -> None:
        """Condition on runs.

        Args:
            points: x_i, (runs, fields), each in 0…1.
            values: y_i, (runs,).
        """
        self._centre = float(np.median(values))
        self._y = values - self._centre
        self._scale = float(np.var(values)) / 4 or 1e-12
        with config_context(skip_parameter_validation=True):
            self._models = [
                self._model(points, np.array(lengths), noise)
                for lengths in product(_LENGTHS, repeat=points.shape[1])
                for noise in _NOISES
            ]
        evidence = np.array([self._log_evidence(model) for model in self._models])
        weights = np.exp(evidence - evidence.max())
        self._weights = weights / weights.sum()

    def draws(self, where: Array, count: int, generator: np.random.Generator) -> Array:
        """Draw responses, without the runs' noise.

        Args:
            where: (places, fields).
            count: how many.
            generator: of the random numbers.

        Returns:
            (count, places).
        """
        # systematic resampling: every model about as often as its weight says
        ticks = (np.arange(_PARTICLES) + generator.random()) / _PARTICLES
        picked = np.searchsorted(np.cumsum(self._weights), ticks).clip(max=len(self._models) - 1)
        numbers, times = np.unique(picked, return_counts=True)
        shares = np.diff(np.round(np.cumsum([0, *times]) / _PARTICLES * count).astype(int))
        found = [
            self._drawn(self._models[number], where, share, generator)
            for number, share in zip(numbers, shares, strict=True)
        ]
        return np.concatenate(found) + self._centre

    def _model(self, points: Array, lengths: Array, noise: float) -> Any:
        kernel = Matern(lengths, nu=2.5) + ConstantKernel(_TREND) * DotProduct(1.0)
        model = GaussianProcessRegressor(kernel, alpha=noise**2, optimizer=None)
        return model.fit(points, self._y)

    def _sum_of_squares(self, model: Any) -> float:
        return _DEGREES * self._scale + float(self._y @ model.alpha_)

    def _log_evidence(self, model: Any) -> float:
        log_root = float(np.log(np.diag(model.L_)).sum())
        return -log_root - (_DEGREES + len(self._y)) / 2 * np.log(self._sum_of_squares(model))

    def _drawn(
        self, model: Any, where: Array, count: int, generator: np.random.Generator
    ) -> Array:
        mean, covariance = model.predict(where, return_cov=True)
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(values.clip(min=0))
        chi = generator.chisquare(_DEGREES + len(self._y), (count, 1))
        amplitude = np.sqrt(self._sum_of_squares(model) / chi)
        normal = generator.standard_normal((count, len(where)))
        drawn: Array = mean + amplitude * (normal @ root.T)
        return drawn
