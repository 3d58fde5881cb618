"""Tiny ImageNet in its original folder layout: 64×64 pixels, 200 classes.

    wnids.txt                      the classes, one a line
    train/WNID/images/*.JPEG       500 a class
    val/images/*.JPEG              10,000, whose classes stand in val/val_annotations.txt

The validation images are the test set, since the test images have no published classes. Class
numbers follow the names of the training folders in alphabetical order. Copies are about whose
wnids.txt is cut short; what has training images is a class there too, and a warning says so.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from substrate.data.arrays import dataset_from_arrays
from substrate.data.dataset import Dataset
from substrate.data.error import DataError
from substrate.data.images import decoded, image_files, passed_over
from substrate.data.limits import refuse_irregular
from substrate.data.paths import expand, where_to_put
from substrate.scenario.schema.data import TinyImageNet


def load(settings: TinyImageNet) -> Dataset:
    """Load the folder.

    Raises:
        DataError: no such folder, an empty class, a line of the annotations that names no image or
            no class, a corrupt image or one of another size, or fewer classes than asked for.
    """
    root = expand(settings.path)
    found = _classes(root)
    kept = _chosen(found, settings.limit_classes)
    classes = {wnid: label for label, wnid in enumerate(kept)}
    train, others = [], Counter[str]()
    for wnid, label in classes.items():
        images, beside = image_files(root / "train" / wnid / "images")
        train += [(path, label) for path in images]
        others += beside
    test = [
        (path, classes[wnid])
        for path, wnid in _validation(root / "val", set(found))
        if wnid in classes
    ]
    arrays, notes = decoded("tiny_imagenet", train, test)
    return dataset_from_arrays(
        "tiny_imagenet",
        arrays,
        len(classes),
        limit_train=settings.limit_train,
        limit_test=settings.limit_test,
        standardise=settings.standardise,
        notes=(*notes, *passed_over(others)),
    )


def _classes(root: Path) -> list[str]:
    names = root / "wnids.txt"
    refuse_irregular(names, where_to_put(root))
    listed = set(_text(names).split())
    train = root / "train"
    folders = {path.name for path in train.iterdir() if path.is_dir()} if train.is_dir() else set()
    if not listed <= folders:
        raise DataError(f"{names} names {min(listed - folders)}, and {train} has no such folder")
    if listed != folders:
        warnings.warn(
            f"{names} names {len(listed)} of the {len(folders)} classes in {train};"
            f" all {len(folders)} are used",
            stacklevel=2,
        )
    return sorted(folders)


def _text(path: Path) -> str:
    # as names of files are read: they need not be UTF-8
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def _chosen(classes: list[str], limit: int | None) -> list[str]:
    if limit is None:
        return classes
    if limit > len(classes):
        raise DataError(f"limit_classes is {limit}, and tiny_imagenet has {len(classes)} classes")
    return [
        classes[index]
        for index in sorted(np.random.default_rng(0).permutation(len(classes))[:limit])
    ]


def _validation(folder: Path, classes: set[str]) -> list[tuple[Path, str]]:
    annotations = folder / "val_annotations.txt"
    refuse_irregular(annotations, "it names the classes of the validation images")
    images = {path.name: path for path in image_files(folder / "images")[0]}
    labelled = []
    for number, line in enumerate(_text(annotations).splitlines(), start=1):
        name, wnid = [*line.split("\t"), "", ""][:2]
        if wnid not in classes:
            raise DataError(f"{annotations}:{number} names no training folder: {line!r}")
        if name not in images:
            raise DataError(f"{annotations}:{number} names an image that is not there: {name!r}")
        labelled.append((images[name], wnid))
    without = len(images) - len({path for path, _ in labelled})
    if without:
        warnings.warn(
            f"{annotations} names no class of {without:,} of the {len(images):,} images in"
            f" {folder / 'images'}; these are left out",
            stacklevel=2,
        )
    return labelled
