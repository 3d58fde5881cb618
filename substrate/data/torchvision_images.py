"""CIFAR-10, CIFAR-100 and MNIST, read and (only where asked) downloaded by torchvision.

CIFAR: 50,000 + 10,000 images of 3×32×32 (Krizhevsky, 2009). MNIST: 60,000 + 10,000 of 1×28×28
(LeCun et al., 1998). CIFAR's files are pickles, which torchvision reads after checking their sums;
a later run reads the cache and no pickle.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from substrate.data.arrays import dataset_from_arrays
from substrate.data.cache import cached_arrays
from substrate.data.dataset import Dataset
from substrate.data.error import DataError
from substrate.data.limits import refuse_irregular
from substrate.data.paths import expand, where_to_put
from substrate.scenario.schema.data import Torchvision


class _Source(NamedTuple):
    torchvision_class: str
    folder: str
    classes: int
    megabytes: int


_SOURCES = {
    "cifar10": _Source("CIFAR10", "cifar-10-batches-py", 10, 170),
    "cifar100": _Source("CIFAR100", "cifar-100-python", 100, 169),
    "mnist": _Source("MNIST", "MNIST/raw", 10, 12),
}


def load(settings: Torchvision) -> Dataset:
    """Load one of the three.

    Raises:
        DataError: the files are missing and `download` is not set, or damaged, or the download
            failed.
    """
    source = _SOURCES[settings.name]
    root = expand(settings.path)
    folder = root / source.folder
    if settings.download and not folder.is_dir():
        _read(root, source, train=True, download=True)
    if not folder.is_dir():
        raise DataError(
            f"there is no {folder}; set data.download: true to download {source.megabytes} MB, or"
            f" {where_to_put(root)}"
        )

    def make(target: Path) -> None:
        for part in ("train", "test"):
            images, labels = _read(root, source, train=part == "train", download=False)
            # (images, height, width[, channels]) as torchvision has them
            pixels = images.reshape(*images.shape[:3], -1).transpose(0, 3, 1, 2)
            np.save(target / f"x_{part}.npy", np.ascontiguousarray(pixels))
            np.save(target / f"y_{part}.npy", labels)

    files = sorted(path for path in folder.iterdir() if not path.is_dir())
    for path in files:
        refuse_irregular(path, "take it out of the folder")
    return dataset_from_arrays(
        settings.name,
        cached_arrays(settings.name, files, make),
        source.classes,
        limit_train=settings.limit_train,
        limit_test=settings.limit_test,
        standardise=settings.standardise,
    )


def _read(
    root: Path, source: _Source, *, train: bool, download: bool
) -> tuple[np.ndarray, np.ndarray]:
    from torchvision import datasets

    try:
        read = getattr(datasets, source.torchvision_class)(root, train=train, download=download)
    except Exception as problem:
        # torchvision asserts, and fails in ways of its own on bytes that are damaged
        what = "could not be downloaded to" if download else "is not whole in"
        reason = next(iter(str(problem).splitlines()), type(problem).__name__)
        raise DataError(f"{source.torchvision_class} {what} {root}: {reason}") from None
    return np.asarray(read.data), np.asarray(read.targets)
