"""Any folder of images, one folder a class: `train/CLASS/*` and `test/CLASS/*`.

Class numbers follow the names of the training folders in alphabetical order. Greyscale images are
read as RGB with equal channels.
"""

from __future__ import annotations

from pathlib import Path

from substrate.data.arrays import dataset_from_arrays
from substrate.data.dataset import Dataset
from substrate.data.error import DataError
from substrate.data.images import decoded, image_files
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
    train, test = (
        [
            (path, classes[folder.name])
            for folder in _folders(root / part)
            for path in image_files(folder)
        ]
        for part in ("train", "test")
    )
    return dataset_from_arrays(
        root.name,
        decoded(root.name, train, test),
        len(classes),
        limit_train=settings.limit_train,
        limit_test=settings.limit_test,
        standardise=settings.standardise,
    )


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")
