"""Any folder of images, one folder a class: `train/CLASS/*` and `test/CLASS/*`.

Class numbers follow the names of the training folders in alphabetical order. Greyscale images are
read as RGB with equal channels, transparent ones over white (`substrate.data.images`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from substrate.data.arrays import dataset_from_arrays
from substrate.data.dataset import Dataset
from substrate.data.error import DataError
from substrate.data.images import decoded, image_files, left_by_a_system, passed_over
from substrate.data.paths import expand, where_to_put
from substrate.scenario.schema.data import ImageFolder


def load(settings: ImageFolder) -> Dataset:
    """Load the folder.

    Raises:
        DataError: no such folder, an empty class, a test class that is never trained, a corrupt
            image or one of another size.
    """
    root = expand(settings.path)
    for part in ("train", "test"):
        if not (root / part).is_dir():
            raise DataError(f"there is no folder {root / part}; {where_to_put(root)}")
    classes = {folder.name: index for index, folder in enumerate(_folders(root / "train"))}
    if not classes:
        raise DataError(f"{root / 'train'} has no folder in it; every class is one")
    unknown = [folder for folder in _folders(root / "test") if folder.name not in classes]
    if unknown:
        raise DataError(f"{unknown[0]} is a class that `train` has not")
    parts: dict[str, list[tuple[Path, int]]] = {"train": [], "test": []}
    others = Counter[str]()
    for part, labelled in parts.items():
        for folder in _folders(root / part):
            images, beside = image_files(folder)
            labelled += [(path, classes[folder.name]) for path in images]
            others += beside
    arrays, notes = decoded(root.name, parts["train"], parts["test"])
    return dataset_from_arrays(
        root.name,
        arrays,
        len(classes),
        limit_train=settings.limit_train,
        limit_test=settings.limit_test,
        standardise=settings.standardise,
        notes=(*notes, *passed_over(others), *_outside(root, parts["test"], classes)),
    )


def _outside(root: Path, test: Sequence[tuple[Path, int]], classes: Mapping[str, int]) -> list[str]:
    """Say what lies in no folder of a class, and which classes are never tested."""
    notes = []
    for part in ("train", "test"):
        files = [path.name for path in (root / part).iterdir() if path.is_file()]
        stray = sorted(name for name in files if not left_by_a_system(name))
        if stray:
            notes.append(f"passed over beside the classes in {part}: {_first_of(stray)}")
    tested = {label for _, label in test}
    untested = [name for name, label in classes.items() if label not in tested]
    if untested:
        notes.append(f"no test images of {_first_of(untested)}")
    return notes


def _first_of(names: Sequence[str]) -> str:
    return repr(names[0]) + (f" and {len(names) - 1:,} more" if len(names) > 1 else "")


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")
