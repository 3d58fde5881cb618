"""A data set of the user's own in an .npz file: x_train, y_train, x_test and y_test.

What the file claims of its arrays is held against what it holds, and against the machine's memory,
before anything is read. Nothing here needs torch but `load`, so that a scenario is checked quickly.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from substrate.data.error import DataError
from substrate.data.limits import (
    lost_in_float32,
    refuse_beyond_float32,
    refuse_beyond_memory,
    refuse_irregular,
    refuse_limit,
)
from substrate.data.meaning import Meaning, in_words, meaning, refuse_misfits, refuse_one_class
from substrate.data.paths import expand, where_to_put
from substrate.nearest import nearest
from substrate.scenario.schema.data import Npz

if TYPE_CHECKING:
    from substrate.data.dataset import Dataset

_LOST = "vary by less than float32 holds, and so never change"
_KEYS = ("x_train", "y_train", "x_test", "y_test")
_REMEDY_OF_NAMES = "; numpy.unique(y, return_inverse=True)[1] gives the numbers of names"
_REMEDIES = {
    "xb": "; store x.astype(float)",
    "yb": "; store y.astype(int)",
    "xc": "; store real and imaginary parts as inputs of their own",
    "yU": _REMEDY_OF_NAMES,
    "yS": _REMEDY_OF_NAMES,
}
"""By the first letter of a key and numpy's of a kind."""


class _Claim(NamedTuple):
    """What an array's header says."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def load(settings: Npz) -> Dataset:
    """Load the file.

    Raises:
        DataError: the file is missing, is no .npz, lacks an array, has one of another shape or kind
            than it should have, or can be read in two ways.
    """
    from substrate.data.arrays import dataset_from_arrays

    path, found = _understand(settings)
    return dataset_from_arrays(
        path.stem,
        found.arrays,
        found.n_out,
        limit_train=settings.limit_train,
        limit_test=settings.limit_test,
        standardise=settings.standardise,
        notes=found.notes,
    )


def understood(settings: Npz) -> str:
    """Say in one line how the file is read, as `load` would.

    Raises:
        DataError: as `load`.
    """
    path, found = _understand(settings)
    refuse_misfits(path.stem, found.arrays, found.n_out, regression=found.regression)
    refuse_one_class(path.stem, found.n_out, regression=found.regression)
    x_train, x_test = found.arrays["x_train"], found.arrays["x_test"]
    refuse_limit(path.stem, "train", settings.limit_train, len(x_train))
    refuse_limit(path.stem, "test", settings.limit_test, len(x_test))
    return in_words(
        path.stem,
        (settings.limit_train or len(x_train), settings.limit_test or len(x_test)),
        x_train.shape[1:],
        found.n_out,
        found.notes,
        regression=found.regression,
    )


def _understand(settings: Npz) -> tuple[Path, Meaning]:
    path = expand(settings.path)
    refuse_irregular(path, where_to_put(path))
    found = meaning(str(path), _read(path), settings.task, settings.channels)
    notes = list(found.notes)
    lost = 0 if settings.standardise else lost_in_float32(found.arrays["x_train"])
    if lost:
        notes.append(f"inputs that {_LOST}: {lost:,}; data.standardise: true would keep them")
    lost = lost_in_float32(found.arrays["y_train"]) if found.regression else 0
    if lost:
        notes.append(f"values of y that {_LOST}: {lost:,}; subtract their mean to keep them")
    return path, found._replace(notes=tuple(notes))


def _read(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path, archive)
            for key, member in members.items():
                _refuse_claim(path, key, _claim(path, archive, member), member.file_size)
            arrays = {key: _array(archive, member) for key, member in members.items()}
    except DataError:
        raise
    except Exception as problem:
        # zipfile and numpy fail in ways of their own on bytes that are damaged
        reason = (str(problem).splitlines() or [type(problem).__name__])[0]
        raise DataError(f"{path} cannot be read as an .npz file: {reason}") from None
    for key, array in arrays.items():
        refuse_beyond_float32(f"{path}: {key}", array)
    return arrays


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    stored = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
    for key in _KEYS:
        if key not in stored:
            meant = nearest(key, set(stored) - set(_KEYS))
            hint = f"; {meant!r} is like it" if meant else ""
            raise DataError(f"{path} has no array {key!r}{hint}")
    members = {key: stored[key] for key in _KEYS}
    # an array, and its copy in float32
    refuse_beyond_memory(str(path), 2 * sum(member.file_size for member in members.values()))
    return members


def _claim(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> _Claim:
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    with archive.open(member) as file:
        try:
            shape, _, dtype = readers[np.lib.format.read_magic(file)](file)
        except (ValueError, KeyError):
            # numpy's own words are of magic strings
            raise DataError(
                f"{path}: {member.filename} in it cannot be read: it is damaged, or not what"
                " numpy.savez writes of numbers"
            ) from None
    return _Claim(shape, dtype)


def _refuse_claim(path: Path, key: str, claim: _Claim, held: int) -> None:
    if claim.dtype.kind == "O":
        raise DataError(f"{path}: {key} holds Python objects, which are not read; store numbers")
    if claim.dtype.kind not in "iuf" or not claim.shape:
        raise DataError(
            f"{path}: {key} is {claim.dtype} {claim.shape}; it must be numbers"
            f"{_REMEDIES.get(key[0] + claim.dtype.kind, '')}"
        )
    if min(claim.shape) < 0 or math.prod(claim.shape) * claim.dtype.itemsize > held:
        raise DataError(
            f"{path}: {key} claims to be {claim.dtype} {claim.shape}, and the file holds {held:,}"
            " bytes of it: it is damaged; save it again"
        )


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(member) as file:
        array: npt.NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array
