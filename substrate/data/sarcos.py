"""SARCOS: inverse dynamics of a robot arm with seven joints, a regression (Appendix J).

Columns 1-21 are positions, velocities and accelerations of the joints, columns 22-28 their torques
(Vijayakumar and Schaal, 2000). Inputs and torques are standardised by the training rows, so that a
mean squared error of 1 is that of a constant. The rows of the usual test file are in the usual
training file too: an own split of one file leaks nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from substrate.data.arrays import dataset_from_arrays, mean_and_std, split_randomly
from substrate.data.dataset import Dataset
from substrate.data.error import DataError
from substrate.data.limits import refuse_beyond_float32, refuse_irregular
from substrate.data.paths import expand, where_to_put
from substrate.scenario.schema.data import Sarcos

_INPUTS = 21
_TORQUES = 7


def load(settings: Sarcos) -> Dataset:
    """Load the .mat files.

    Raises:
        DataError: a file is missing or has not one matrix of 28 columns in it.
    """
    train = _matrix(expand(settings.train_file))
    if settings.test_file is None:
        kept, held_out = split_randomly(len(train), settings.test_fraction)
        train, test = train[kept], train[held_out]
    else:
        test = _matrix(expand(settings.test_file))
    if len(train):
        mean, std = mean_and_std(train)
        train, test = ((rows - mean) / std for rows in (train, test))
    arrays = {
        f"{kind}_{part}": rows[:, columns]
        for part, rows in (("train", train), ("test", test))
        for kind, columns in (("x", slice(_INPUTS)), ("y", slice(_INPUTS, None)))
    }
    return dataset_from_arrays(
        "sarcos",
        arrays,
        _TORQUES,
        limit_train=settings.limit_train,
        limit_test=settings.limit_test,
    )


def _matrix(path: Path) -> npt.NDArray[np.float64]:
    from scipy.io import loadmat

    refuse_irregular(path, where_to_put(path))
    try:
        content = loadmat(path)
    except NotImplementedError:
        raise DataError(f"{path} is a MATLAB 7.3 file; save it with save(..., '-v7')") from None
    except Exception as problem:
        # scipy fails in many ways on bytes that are damaged
        reason = (str(problem).splitlines() or [type(problem).__name__])[0]
        raise DataError(f"{path} cannot be read as a .mat file: {reason}") from None
    columns = _INPUTS + _TORQUES
    shapes = {
        name: getattr(value, "shape", ()) for name, value in content.items() if name[:2] != "__"
    }
    fitting = [name for name, shape in shapes.items() if shape[1:] == (columns,)]
    if len(fitting) != 1:
        raise DataError(f"{path} has not one matrix of {columns} columns; it has {shapes}")
    matrix = content[fitting[0]]
    if not isinstance(matrix, np.ndarray) or matrix.dtype.kind not in "iuf" or matrix.ndim != 2:
        kind = matrix.dtype if isinstance(matrix, np.ndarray) else "sparse"
        raise DataError(f"{path}: {fitting[0]} is {kind}; it must be a full matrix of real numbers")
    refuse_beyond_float32(f"{path}: {fitting[0]}", matrix)
    return np.asarray(matrix, dtype=np.float64)
