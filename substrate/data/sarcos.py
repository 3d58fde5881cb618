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
import torch

from substrate.data.arrays import dataset_from_arrays, mean_and_std, split_randomly
from substrate.data.dataset import DataError, Dataset
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
        mean, std = mean_and_std(torch.from_numpy(train))
        train, test = ((rows - mean.numpy()) / std.numpy() for rows in (train, test))
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

    if not path.is_file():
        raise DataError(f"there is no {path}; {where_to_put(path)}")
    try:
        content = loadmat(path)
    except (ValueError, TypeError, NotImplementedError, OSError) as problem:
        raise DataError(f"{path} cannot be read as a .mat file: {problem}") from None
    columns = _INPUTS + _TORQUES
    shapes = {name: value.shape for name, value in content.items() if name[0] != "_"}
    fitting = [name for name, shape in shapes.items() if shape[1:] == (columns,)]
    if len(fitting) != 1:
        raise DataError(f"{path} has not one matrix of {columns} columns; it has {shapes}")
    matrix = np.asarray(content[fitting[0]], dtype=np.float64)
    if not np.isfinite(matrix).all():
        raise DataError(f"{path} has values that are no finite numbers")
    return matrix
