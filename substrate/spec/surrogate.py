"""What is known of a response from few noisy runs: a Gaussian process over the varied fields.

    y_i = f(x_i) + e_i        e_i ~ N(0, r² a²)
    f ~ GP(0, a² [k_l(x, x') + 4 (1 + x·x')])      k_l: Matérn, ν = 5/2, length l in every field
    a² ~ inverse gamma;  every l and r of a grid is as likely as any other, before the runs

Nothing is fitted: from few runs the best-fitting l and r are often wrong, and intervals that take
them for true are too narrow. So a² is integrated in closed form, which makes the process Student's,
and l and r by their weights on the grid:

    p(y | l, r) ∝ |K|^(-1/2) (v s² + yᵀ K⁻¹ y)^(-(v + n) / 2)       K = k + 4 (1 + x·x') + r² I

The kernels are scikit-learn's, a dependency already; BoTorch would bring gpytorch and bounds of
torch of its own, and both fit the hyperparameters, which is what is avoided here. Rasmussen and
Williams, Gaussian Processes for Machine Learning, 2006, chapters 2 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky, solve_triangular
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern

Array = npt.NDArray[np.float64]

_LENGTHS = (0.04, 0.075, 0.15, 0.3, 0.6, 1.2)
_NOISES = (0.02, 0.06, 0.15, 0.4, 1.0, 2.5)
_TREND = 4.0
_DEGREES = 2.0
_PARTICLES = 16
"""Draws come from so many pairs of l and r, picked by their weights."""


class _Model(NamedTuple):
    """The process at one pair of l and r.

    Attributes:
        kernel: k + 4 (1 + x·x').
        root: of K, lower triangular.
        solved: K⁻¹ y.
        squares: v s² + yᵀ K⁻¹ y.
        log_evidence: up to a constant.
    """

    kernel: Any
    root: Array
    solved: Array
    squares: float
    log_evidence: float


class Surrogate:
    """The response given some runs; draws of it are equally likely truths."""

    def __init__(
        self, points: Array, values: Array, shortest: Sequence[float] | None = None
    ) -> None:
        """Condition on runs.

        Args:
            points: x_i, (runs, fields), each in 0…1.
            values: y_i, (runs,).
            shortest: l is no less than this, by field; the longest of the grid always counts.
        """
        least = shortest or [0.0] * points.shape[1]
        lengths = [
            [each for each in _LENGTHS if each >= one or each == _LENGTHS[-1]] for one in least
        ]
        self._points = points
        self._centre = float(np.median(values))
        self._y = values - self._centre
        self._scale = float(np.var(values)) / 4 or 1e-12
        self._models = [model for chosen in product(*lengths) for model in self._models_of(chosen)]
        evidence = np.array([model.log_evidence for model in self._models])
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

    def _models_of(self, lengths: tuple[float, ...]) -> list[_Model]:
        kernel = Matern(lengths, nu=2.5) + ConstantKernel(_TREND) * DotProduct(1.0)
        covariance = kernel(self._points)
        found = []
        for noise in _NOISES:
            root = cholesky(covariance + noise**2 * np.eye(len(self._y)), lower=True)
            solved = cho_solve((root, True), self._y)
            squares = _DEGREES * self._scale + float(self._y @ solved)
            log_root = float(np.log(np.diag(root)).sum())
            evidence = -log_root - (_DEGREES + len(self._y)) / 2 * np.log(squares)
            found.append(_Model(kernel, root, solved, squares, evidence))
        return found

    def _drawn(
        self, model: _Model, where: Array, count: int, generator: np.random.Generator
    ) -> Array:
        across = model.kernel(where, self._points)
        explained = solve_triangular(model.root, across.T, lower=True)
        values, vectors = np.linalg.eigh(model.kernel(where) - explained.T @ explained)
        root = vectors * np.sqrt(values.clip(min=0))
        chi = generator.chisquare(_DEGREES + len(self._y), (count, 1))
        amplitude = np.sqrt(model.squares / chi)
        normal = generator.standard_normal((count, len(where)))
        drawn: Array = across @ model.solved + amplitude * (normal @ root.T)
        return drawn
