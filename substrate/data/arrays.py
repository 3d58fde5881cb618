"""From arrays in memory or on disk to the tensors of a data set: subsets, types, standardising.

standardise:  x ← (x - mean) / std   of the training samples, per channel of images, else per
              input; a channel that never changes becomes 0

Numbers are standardised in float64 and held in float32: what varies little about a large mean is
lost in float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from substrate.data.dataset import Dataset
from substrate.data.error import DataError
from substrate.data.limits import refuse_beyond_memory, refuse_limit
from substrate.data.meaning import full_scale, refuse_one_class

Statistic = npt.NDArray[np.float64]
Arrays = Mapping[str, npt.NDArray[np.generic]]
"""Keys x_train, y_train, x_test and y_test."""

_NUMBERS_AT_ONCE = 1 << 18


def dataset_from_arrays(
    name: str,
    arrays: Arrays,
    n_out: int,
    *,
    limit_train: int | None = None,
    limit_test: int | None = None,
    standardise: bool = False,
    notes: tuple[str, ...] = (),
) -> Dataset:
    """Make a data set of arrays; memory-mapped ones are read once, and only the chosen samples.

    Args:
        name: as the scenario names it.
        arrays: inputs, pixels (`full_scale`) or numbers, and targets, whole numbers for classes.
        n_out: number of classes, or of values.
        limit_train: draw so many of the training samples, the same ones every time.
        limit_test: likewise for the test samples.
        standardise: mean 0 and variance 1 by the training samples, the inputs only.
        notes: as `Dataset`.

    Raises:
        DataError: as `Dataset`; or there is one class alone, a limit is larger than what there is,
            or the inputs are too large to be standardised or to be held.
    """
    x_train, y_train = _chosen(name, "train", arrays, limit_train)
    x_test, y_test = _chosen(name, "test", arrays, limit_test)
    if standardise and len(x_train):
        mean, std = mean_and_std(x_train)
        inputs = [
            _standardised(f"{name}: {key}", x, mean, std)
            for key, x in (("x_train", x_train), ("x_test", x_test))
        ]
    else:
        inputs = [_in_float32(x) for x in (x_train, x_test)]
    data = Dataset(name, inputs[0], _targets(y_train), inputs[1], _targets(y_test), n_out, notes)
    refuse_one_class(name, n_out, regression=data.regression)
    return data


def mean_and_std(x: npt.NDArray[Any]) -> tuple[Statistic, Statistic]:
    """Mean and standard deviation per channel of images or per input, in float64.

    What never changes, or in float32 and float64 by no more than their rounding, has the spread of
    a full scale: of pixels the largest number, else 1.
    """
    over = (0, 2, 3) if x.ndim == 4 else (0,)
    count = math.prod(x.shape[axis] for axis in over)
    # from the first sample on, so that the sums leave what never changes no spread by rounding
    origin = (x[:1, :, :1, :1] if x.ndim == 4 else x[:1]).astype(np.float64)
    mean, variance = np.zeros_like(origin), np.zeros_like(origin)
    for some in _some_at_once(x):
        some -= origin
        mean += some.sum(over, keepdims=True) / count
    mean += origin
    for some in _some_at_once(x):
        some -= mean
        some *= some
        variance += some.sum(over, keepdims=True) / count
    std = np.sqrt(variance)
    # float16 is stored, seldom computed in: a constant is rounded to one number there whatever the
    # last bits that it was computed with, and what moves by a step or two moved before, as integers
    computed = x.dtype.kind == "f" and x.dtype.itemsize > np.dtype(np.float16).itemsize
    rounding = float(np.finfo(x.dtype).eps) if computed else 0.0
    return mean, np.where(std > rounding * np.abs(mean), std, full_scale(x.dtype) or 1)


def split_randomly(
    samples: int, fraction: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Hold a fraction out; gives the indices that stay and those held out, always the same."""
    order = np.random.default_rng(0).permutation(samples)
    held_out = round(samples * fraction)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def _chosen(
    name: str, part: str, arrays: Arrays, limit: int | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
    refuse_limit(name, part, limit, len(x))
    if limit is not None and limit < len(x):
        # in the order of the file, which is the order in which a disk likes to be read
        chosen = np.sort(np.random.default_rng(0).permutation(len(x))[:limit])
        x, y = x[chosen], y[chosen]
    refuse_beyond_memory(f"{name}, its {part} samples,", 4 * x.size)
    return x, y


def _some_at_once(x: npt.NDArray[Any]) -> Iterator[npt.NDArray[np.float64]]:
    """Give the samples in float64, some at once, since all would take eight times their memory."""
    step = max(1, _NUMBERS_AT_ONCE // max(1, math.prod(x.shape[1:])))
    for start in range(0, len(x), step):
        yield x[start : start + step].astype(np.float64)


def _standardised(what: str, x: npt.NDArray[Any], mean: Statistic, std: Statistic) -> Tensor:
    inputs = np.empty(x.shape, np.float32)
    start = 0
    for some in _some_at_once(x):
        rows = inputs[start : start + len(some)]
        with np.errstate(over="ignore"):
            some -= mean
            some /= std
            rows[:] = some
        if not np.isfinite(rows).all():
            raise DataError(
                f"{what} is further from the training samples' mean than float32 holds, in units"
                " of their standard deviation; leave such samples out"
            )
        start += len(some)
    return torch.from_numpy(inputs)


def _in_float32(x: npt.NDArray[Any]) -> Tensor:
    inputs = torch.from_numpy(x.astype(np.float32))
    scale = full_scale(x.dtype)
    return inputs if scale is None else inputs.div_(scale)


def _targets(y: npt.NDArray[Any]) -> Tensor:
    kind = np.float32 if np.issubdtype(y.dtype, np.floating) else np.int64
    return torch.from_numpy(y.astype(kind))
