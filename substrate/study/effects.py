"""Which axis matters most: Sobol indices of a device arm's figure over a study's points.

    S_i  = Var_i(E[f | x_i]) / Var(f)             main effect: what is gone if x_i alone were fixed
    ST_i = 1 - Var(E[f | all but x_i]) / Var(f)   total; ST_i - S_i is x_i's part in interactions
    Σ S_i ≤ 1 ≤ Σ ST_i                            an interaction is in the total of each of its axes

Every axis is as likely at any of its values, in its own scale. Between the points, which may be a
grid or scattered, f is a Gaussian process fitted to them with a noise of its own (scikit-learn);
the indices are those of draws of it, so that they come with intervals. They are computed by
`scipy.stats.sobol_indices` (Saltelli et al., Comput. Phys. Commun. 181, 2010): scipy is needed
anyway, and SALib would add nothing here, since its estimators for given points have no intervals
over what lies between them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import qmc, sobol_indices
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from substrate.randomness import stream_seed
from substrate.study.plan import Value
from substrate.study.schema import StudyAxis

Array = npt.NDArray[np.float64]

_SAMPLES = 512
_DRAWS = 100
_JITTER = 1e-7
_FEWEST_POINTS = 6
_MOST_LEVELS = 8


@dataclass(frozen=True)
class Effect:
    """What an axis costs; all are fractions of the variance over the study, with 95 % intervals.

    Attributes:
        axis: its name.
        main: of the axis alone, (estimate, low, high).
        total: with all interactions that it takes part in.
        worth: largest minus smallest mean over the axis' values, in units of the figure.
    """

    axis: str
    main: tuple[float, float, float]
    total: tuple[float, float, float]
    worth: float


def effects(axes: dict[str, StudyAxis], points: pd.DataFrame, figure: str) -> list[Effect]:
    """Tell what axes cost, the dearest first; nothing of fewer points than say anything.

    Args:
        axes: of the study.
        points: a row a point, a column an axis.
        figure: the column of what they cost; rows without it are left out.
    """
    points = points.dropna(subset=[figure])
    varied = {name: axis for name, axis in axes.items() if points[name].nunique() > 1}
    if len(points) < _FEWEST_POINTS or not varied or points[figure].nunique() < 2:
        return []
    coders = [Coder(axis, points[name].tolist()) for name, axis in varied.items()]
    found = _indices(coders, points[list(varied)], points[figure].to_numpy(float))
    worth = [_worth(points, name, figure) for name in varied]
    told = [
        Effect(name, _interval(found.first[:, place]), _interval(found.total[:, place]), cost)
        for place, (name, cost) in enumerate(zip(varied, worth, strict=True))
    ]
    return sorted(told, key=lambda each: -each.total[0])


class Coder:
    """Codes an axis' values as columns of numbers: one in 0…1, or one a level without order."""

    def __init__(self, axis: StudyAxis, values: Sequence[Value]) -> None:
        """Learn what values there are."""
        self._axis = axis
        self.levels: list[Value] = list(dict.fromkeys(values))
        numbers = axis.choices is None and all(
            isinstance(each, int | float) and not isinstance(each, bool) for each in self.levels
        )
        self.ordered = numbers
        if numbers:
            self.levels = sorted(self.levels, key=float)

    def code(self, values: Sequence[Value]) -> Array:
        """Give (values, columns)."""
        if self._axis.range is not None:
            low, high = self._axis.range
            numbers = np.array(values, float)
            if self._axis.scale == "log":
                numbers, low, high = np.log(numbers), np.log(low), np.log(high)
            return ((numbers - low) / (high - low))[:, None]
        places = np.array([self.levels.index(each) for each in values])
        return self._of_levels(places)

    def at(self, places: Array) -> Array:
        """Code what lies at places in 0…1, all equally likely."""
        if self._axis.range is not None:
            return places[:, None]
        count = len(self.levels)
        return self._of_levels((places * count).astype(int).clip(max=count - 1))

    def _of_levels(self, places: npt.NDArray[Any]) -> Array:
        if self.ordered:
            return np.asarray(places[:, None] / max(1, len(self.levels) - 1), float)
        return np.asarray(np.eye(len(self.levels))[places] / np.sqrt(2), float)


def _indices(coders: Sequence[Coder], points: pd.DataFrame, figures: Array) -> Any:
    coded = np.hstack(
        [coder.code(points[name].tolist()) for coder, name in zip(coders, points, strict=True)]
    )
    seed = stream_seed(len(points), "effects") % 2**32
    smooth = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(
        np.full(coded.shape[1], 0.5), (0.05, 20.0), nu=2.5
    )
    scale = float(figures.std())
    values = (figures - figures.mean()) / scale
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound: no effect
        model = GaussianProcessRegressor(
            smooth + WhiteKernel(0.05, (1e-5, 1.0)), n_restarts_optimizer=3, random_state=seed
        ).fit(coded, values)
    noiseless = GaussianProcessRegressor(
        model.kernel_.k1, alpha=model.kernel_.k2.noise_level, optimizer=None
    ).fit(coded, values)
    count = len(coders)
    sobol = qmc.Sobol(2 * count, rng=np.random.default_rng(seed)).random(_SAMPLES)
    first, second = sobol[:, :count], sobol[:, count:]
    sets = [first, second]
    for place in range(count):
        mixed = first.copy()
        mixed[:, place] = second[:, place]
        sets.append(mixed)
    everywhere = np.vstack(sets)
    where = np.hstack([coder.at(everywhere[:, place]) for place, coder in enumerate(coders)])
    # equal places would make the covariance singular beyond rounding
    unique, back = np.unique(where, axis=0, return_inverse=True)
    mean, covariance = noiseless.predict(unique, return_cov=True)
    root = np.linalg.cholesky(covariance + _JITTER * np.eye(len(unique)))
    normal = np.random.default_rng(seed).standard_normal((_DRAWS, len(unique)))
    drawn = (mean + normal @ root.T)[:, back.ravel()]
    f_a, f_b, *f_ab = np.split(drawn, len(sets), axis=1)
    found = sobol_indices(func={"f_A": f_a, "f_B": f_b, "f_AB": np.array(f_ab)}, n=_SAMPLES)
    return _Indices(np.clip(found.first_order, 0, 1), np.clip(found.total_order, 0, 1))


@dataclass(frozen=True)
class _Indices:
    first: Array
    total: Array


def _interval(draws: Array) -> tuple[float, float, float]:
    low, middle, high = np.quantile(draws, (0.025, 0.5, 0.975))
    return float(middle), float(low), float(high)


def levels_of(values: pd.Series[Any]) -> pd.Series[Any]:
    """An axis' values to group points by: where they are scattered, by fifths of them."""
    return pd.qcut(values, 5, duplicates="drop") if values.nunique() > _MOST_LEVELS else values


def _worth(points: pd.DataFrame, name: str, figure: str) -> float:
    means = points.groupby(levels_of(points[name]), observed=True)[figure].mean()
    return float(means.max() - means.min())
