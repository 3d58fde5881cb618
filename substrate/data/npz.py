"""A data set of the user's own in an .npz file: x_train, y_train, x_test and y_test."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from substrate.data.arrays import dataset_from_arrays
from substrate.data.dataset import DataError, Dataset
from substrate.data.paths import expand, where_to_put
from substrate.scenario.schema.data import Npz
from substrate.scenario.source import nearest

_KEYS = ("x_train", "y_train", "x_test", "y_test")


def load(settings: Npz) -> Dataset:
    """Load the file; y of whole numbers are classes, of other numbers values of a regression.

    Raises:
        DataError: the file is missing, is no .npz, lacks an array, or has one of another shape or
            kind than it should have.
    """
    path = expand(settings.path)
    arrays = _read(path)
    for key in ("y_train", "y_test"):
        y = arrays[key]
        if np.issubdtype(y.dtype, np.floating):
            arrays[key] = y = y.reshape(len(y), -1)
        elif y.ndim != 1:
            raise DataError(f"{path}: {key} has the shape {y.shape}; classes are (samples,)")
    y_train, y_test = arrays["y_train"], arrays["y_test"]
    if y_train.dtype.kind != y_test.dtype.kind or y_train.shape[1:] != y_test.shape[1:]:
        raise DataError(
            f"{path}: y_train is {y_train.dtype} {y_train.shape}, y_test {y_test.dtype}"
            f" {y_test.shape}; both are classes, or both as many values"
        )
    classes = y_train.ndim == 1
    return dataset_from_arrays(
        path.stem,
        arrays,
        int(y_train.max(initial=0)) + 1 if classes else y_train.shape[1],
        limit_train=settings.limit_train,
        limit_test=settings.limit_test,
        standardise=settings.standardise,
    )


def _read(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    if not path.is_file():
        raise DataError(f"there is no {path}; {where_to_put(path)}")
    try:
        with np.load(path, allow_pickle=False) as file:
            for key in _KEYS:
                if key not in file:
                    meant = nearest(key, set(file.files) - set(_KEYS))
                    hint = f"; {meant!r} is like it" if meant else ""
                    raise DataError(f"{path} has no array {key!r}{hint}")
            arrays = {key: file[key] for key in _KEYS}
    except (OSError, zipfile.BadZipFile, AttributeError, TypeError, EOFError) as problem:
        raise DataError(f"{path} cannot be read as an .npz file: {problem}") from None
    except ValueError as problem:
        if isinstance(problem, DataError):
            raise
        raise DataError(f"{path} cannot be read as an .npz file: {problem}") from None
    for key, array in arrays.items():
        if array.dtype.kind not in "iuf" or array.ndim == 0:
            raise DataError(f"{path}: {key} is {array.dtype} {array.shape}; it must be numbers")
        if not np.isfinite(array).all():
            raise DataError(f"{path}: {key} has values that are no finite numbers")
    return arrays
