"""From arrays in memory or on disk to the tensors of a data set: subsets, types, standardising.

standardise:  x ← (x - mean) / std   of the training samples, per channel of images, else per
              input; a channel that never changes becomes 0
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from substrate.data.dataset import Dataset
from substrate.data.error import DataError
from substrate.data.limits import refuse_beyond_memory

Arrays = Mapping[str, npt.NDArray[np.generic]]
"""Keys x_train, y_train, x_test and y_test."""


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
        arrays: inputs, 8-bit pixels or numbers, and targets, whole numbers for classes.
        n_out: number of classes, or of values.
        limit_train: draw so many of the training samples, the same ones every time.
        limit_test: likewise for the test samples.
        standardise: mean 0 and variance 1 by the training samples, the inputs only.
        notes: as `Dataset`.

    Raises:
        DataError: as `Dataset`; or a limit is larger than what there is, only one part has 8-bit
            pixels, or the inputs are too large to be standardised or to be held.
    """
    kinds = {part: arrays[f"x_{part}"].dtype for part in ("train", "test")}
    if (kinds["train"] == np.uint8) != (kinds["test"] == np.uint8):
        raise DataError(
            f"{name}: x_train is {kinds['train']} and x_test {kinds['test']}; 8-bit pixels are"
            " scaled to 0…1 and others are not, so store both in one type"
        )
    parts = {
        part: _chosen(name, part, arrays, limit)
        for part, limit in (("train", limit_train), ("test", limit_test))
    }
    (x_train, y_train), (x_test, y_test) = parts["train"], parts["test"]
    if standardise:
        mean, std = mean_and_std(x_train)
        for x in (x_train, x_test):
            x.sub_(mean).div_(std)
            if not x.sum().isfinite():
                raise DataError(
                    f"{name}: inputs differ by more than float32 holds, and cannot be"
                    " standardised; bring them to another unit"
                )
    return Dataset(name, x_train, y_train, x_test, y_test, n_out, notes)


def mean_and_std(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation per channel of images or per input; 1 in place of 0."""
    over = [0, 2, 3] if x.ndim == 4 else [0]
    std, mean = torch.std_mean(x, over, correction=0, keepdim=True)
    # float32 rounding leaves a constant channel a spread of about 1e-7 of its value
    return mean, torch.where(std > 1e-6 * mean.abs(), std, torch.ones_like(std))


def split_randomly(
    samples: int, fraction: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Hold a fraction out; gives the indices that stay and those held out, always the same."""
    order = np.random.default_rng(0).permutation(samples)
    held_out = round(samples * fraction)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def _chosen(name: str, part: str, arrays: Arrays, limit: int | None) -> tuple[Tensor, Tensor]:
    x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
    if limit is not None and limit > len(x):
        raise DataError(f"limit_{part} is {limit}, and {name} has {len(x)} such samples")
    if limit is not None and limit < len(x):
        # in the order of the file, which is the order in which a disk likes to be read
        chosen = np.sort(np.random.default_rng(0).permutation(len(x))[:limit])
        x, y = x[chosen], y[chosen]
    refuse_beyond_memory(f"{name}, its {part} samples,", 4 * x.size)
    inputs = torch.from_numpy(x.astype(np.float32))
    if x.dtype == np.uint8:
        inputs.div_(255)
    kind = np.float32 if np.issubdtype(y.dtype, np.floating) else np.int64
    return inputs, torch.from_numpy(y.astype(kind))
