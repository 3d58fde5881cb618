"""Synthetic data: Gaussian inputs of a chosen covariance, and the targets of a random teacher.

    x ~ N(0, Σ),   Σ_ij = ρ^|i-j| or a given matrix,   t = T x / √n,   T_ij ~ N(0, 1)

The target is the class argmax t, or in a regression t itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from substrate.data.arrays import dataset_from_arrays
from substrate.data.dataset import Dataset
from substrate.data.error import DataError
from substrate.data.limits import refuse_beyond_float32, refuse_irregular
from substrate.data.paths import expand
from substrate.scenario.schema.data import Gaussian


def load(settings: Gaussian) -> Dataset:
    """Draw the data; the same settings give the same data.

    Raises:
        DataError: the file of the covariance is missing, or is no covariance matrix of the inputs.
    """
    generator = np.random.default_rng(settings.seed)
    root = _root(covariance(settings))
    teacher = generator.standard_normal((settings.outputs, settings.inputs))
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for part, samples in (("train", settings.train), ("test", settings.test)):
        x = generator.standard_normal((samples, settings.inputs)) @ root.T
        t = x @ teacher.T / np.sqrt(settings.inputs)
        arrays[f"x_{part}"] = x
        arrays[f"y_{part}"] = t.argmax(1) if settings.targets == "classes" else t
    return dataset_from_arrays(
        "gaussian",
        arrays,
        settings.outputs,
        limit_train=settings.limit_train,
        limit_test=settings.limit_test,
    )


def covariance(settings: Gaussian) -> npt.NDArray[np.float64]:
    """Give Σ, (inputs, inputs).

    Raises:
        DataError: as `load`.
    """
    n = settings.inputs
    if isinstance(settings.covariance, float):
        distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        return np.power(settings.covariance, distance, dtype=np.float64)
    path = expand(settings.covariance)
    refuse_irregular(path, "Σ is read from an .npy file, or named as one number ρ")
    try:
        # mapped, so that a size that is claimed and not there takes no memory
        stored = np.lib.format.open_memmap(path, mode="r")
    except Exception:
        # numpy's own words are of its format, or of pickles
        raise DataError(
            f"{path} cannot be read as an .npy file: it is damaged, or not what numpy.save writes"
            " of numbers"
        ) from None
    if stored.dtype.kind not in "iuf":
        raise DataError(f"{path} holds no matrix of real numbers")
    if stored.shape != (n, n):
        raise DataError(f"{path} has the shape {stored.shape}; Σ is symmetric, {n}×{n}")
    refuse_beyond_float32(f"{path}: Σ", stored)
    matrix = np.asarray(stored, dtype=np.float64)
    if not np.allclose(matrix, matrix.T):
        raise DataError(f"{path} is not symmetric, which Σ is")
    return matrix


def _root(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give A with A Aᵀ = Σ; by eigenvalues, so that a singular Σ will do."""
    values, vectors = np.linalg.eigh(matrix)
    if values.min() < -1e-9 * max(abs(values.max()), 1.0):
        raise DataError(f"Σ has the negative eigenvalue {values.min():.3g}; no covariance has one")
    root: npt.NDArray[np.float64] = vectors * np.sqrt(values.clip(0))
    return root
