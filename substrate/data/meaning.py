"""What arrays of a user's own mean: classes or values, channels first or last.

    y   whole numbers of an integer type, (samples,)         classes, numbered from 0 or from 1
        floating, with a fraction somewhere                  values of a regression
        floating, whole throughout                           either: `task` must say
    x   8 or 16 bits unsigned    pixels, divided by the largest such number
        other numbers            as they are
        (samples, a, b, c)       channels are where 1, 3 or 4 stands, and beside two equal sides;
                                 where these say nothing or not the same, `channels` must say

What was understood is said in words; nothing is guessed where a file can be read in two ways.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from substrate.data.error import DataError

Task = Literal["classification", "regression"]
Channels = Literal["first", "last"]
Array = npt.NDArray[Any]

_USUAL_CHANNELS = (1, 3, 4)


class Meaning(NamedTuple):
    """Arrays as they are to be used.

    Attributes:
        arrays: x_train, y_train, x_test and y_test; images with channels first, classes from 0 as
            integers (samples,), values as floating numbers (samples, n_out).
        n_out: number of classes, or of values.
        notes: how the file was read where it could have been read otherwise.
    """

    arrays: dict[str, Array]
    n_out: int
    notes: tuple[str, ...]

    @property
    def regression(self) -> bool:
        """Whether the targets are values."""
        return self.arrays["y_train"].dtype.kind == "f"


def meaning(
    where: str, arrays: Mapping[str, Array], task: Task | None, channels: Channels | None
) -> Meaning:
    """Say what arrays of numbers mean.

    Args:
        where: begins every message; the file.
        arrays: x_train, y_train, x_test and y_test as stored.
        task: what the targets are, None where they say it themselves.
        channels: which axis of images has the channels; likewise.

    Raises:
        DataError: they can be read in two ways, or in none.
    """
    x, x_note = _inputs(where, arrays["x_train"], arrays["x_test"], channels)
    y, n_out, y_note = _targets(where, arrays["y_train"], arrays["y_test"], task)
    parts = {"x_train": x[0], "y_train": y[0], "x_test": x[1], "y_test": y[1]}
    return Meaning(parts, n_out, tuple(note for note in (x_note, y_note) if note))


def refuse_misfits(name: str, parts: Mapping[str, Any], n_out: int, *, regression: bool) -> None:
    """Refuse an empty or uneven set.

    Args:
        name: of the data set.
        parts: x_train, y_train, x_test and y_test, as arrays or tensors.
        n_out: number of classes, or of values.
        regression: whether the targets are values.

    Raises:
        DataError: no samples, not as many targets as samples, training and test samples of
            different shapes, or class numbers outside 0…n_out - 1.
    """
    shape = tuple(parts["x_train"].shape[1:])
    for part, x, y in (
        ("training", parts["x_train"], parts["y_train"]),
        ("test", parts["x_test"], parts["y_test"]),
    ):
        if len(x) == 0:
            raise DataError(f"data set {name} has no {part} samples")
        if len(x) != len(y):
            raise DataError(f"data set {name}: {len(x)} {part} samples, {len(y)} targets")
        if tuple(x.shape[1:]) != shape:
            raise DataError(
                f"data set {name}: training samples have the shape {shape}, {part} samples"
                f" {tuple(x.shape[1:])}"
            )
        if not regression and (y.min() < 0 or y.max() >= n_out):
            raise DataError(
                f"data set {name}: classes run from 0 to {n_out - 1}, and the {part} targets from"
                f" {y.min().item()} to {y.max().item()}"
            )


def refuse_one_class(name: str, n_out: int, *, regression: bool) -> None:
    """Refuse a classification of which every network would be right.

    Raises:
        DataError: there is one class alone.
    """
    if n_out == 1 and not regression:
        raise DataError(f"{name} has one class alone, and nothing is to be told apart")


def in_words(
    name: str,
    samples: tuple[int, int],
    input_shape: Sequence[int],
    n_out: int,
    notes: Sequence[str],
    *,
    regression: bool,
) -> str:
    """Say in one line what a data set is; `samples` are for training and for testing."""
    size = math.prod(input_shape)
    shape = f" ({'×'.join(map(str, input_shape))})" if len(input_shape) > 1 else ""
    what = "inputs" if size != 1 else "input"
    targets = ("value" if regression else "class") if n_out == 1 else None
    targets = targets or ("values" if regression else "classes")
    train, test = samples
    said = f"{name}: {train:,} training and {test:,} test samples of {size:,} {what}{shape}"
    return "; ".join([said, f"{n_out} {targets}", *notes])


def _inputs(
    where: str, train: Array, test: Array, channels: Channels | None
) -> tuple[tuple[Array, Array], str]:
    for key, x in (("x_train", train), ("x_test", test)):
        if x.ndim < 2 or 0 in x.shape[1:]:
            raise DataError(
                f"{where}: {key} has the shape {x.shape}; inputs are (samples, inputs), images"
                " (samples, channels, height, width)"
            )
    note = _numbers(where, train, test)
    if train.ndim != 4 or test.shape[1:] != train.shape[1:]:
        if channels is not None and train.ndim != 4:
            raise DataError(
                f"{where}: x_train has the shape {train.shape} and no axis of channels; leave"
                " data.channels out"
            )
        return (train, test), note
    axis = channels or _axis_of_channels(where, train.shape)
    words = [f"images with channels {axis}", note]
    if axis == "last":
        train, test = train.transpose(0, 3, 1, 2), test.transpose(0, 3, 1, 2)
    return (train, test), ", ".join(word for word in words if word)


def full_scale(dtype: np.dtype[Any]) -> int | None:
    """Give what stands for 1 in pixels, 255 of 8 bits and 65,535 of 16; None for other numbers."""
    return int(np.iinfo(dtype).max) if dtype.kind == "u" and dtype.itemsize <= 2 else None


def _numbers(where: str, train: Array, test: Array) -> str:
    """Say what the numbers in x are taken for, where their type leaves it open."""
    scale = full_scale(train.dtype)
    if scale != full_scale(test.dtype):
        raise DataError(
            f"{where}: x_train is {train.dtype} and x_test {test.dtype}; pixels of 8 and of 16 bits"
            " are each scaled to 0…1 and other numbers are not, so store both in one type"
        )
    if scale == 255:
        return "pixels of 8 bits, scaled to 0…1"
    if train.dtype.kind == "f" or not train.size:
        return ""
    low, high = int(train.min()), int(train.max())
    if scale is None:
        return f"whole numbers {low:,} to {high:,}, not scaled"
    return f"pixels of 16 bits, {low:,} to {high:,}, divided by {scale:,}"


def _axis_of_channels(where: str, shape: tuple[int, ...]) -> Channels:
    _, a, b, c = shape
    axes: dict[Channels, tuple[bool, bool]] = {
        "first": (a in _USUAL_CHANNELS, b == c),
        "last": (c in _USUAL_CHANNELS, a == b),
    }
    usual, square = ({axis for axis, says in axes.items() if says[sign]} for sign in (0, 1))
    # feature maps of 4×4 pixels have a 4 where their channels are not
    likely = usual & square or usual | square
    if len(likely) != 1:
        raise DataError(
            f"{where}: x_train has the shape {shape}, which can be {a} channels of {b}×{c} pixels"
            f" or {c} channels of {a}×{b}; write data.channels: first or last"
        )
    return likely.pop()


def _targets(
    where: str, train: Array, test: Array, task: Task | None
) -> tuple[tuple[Array, Array], int, str]:
    kinds = {y.dtype.kind == "f" for y in (train, test)}
    if 0 in train.shape[1:]:
        raise DataError(
            f"{where}: y_train has the shape {train.shape}; classes are (samples,), values"
            " (samples, values)"
        )
    if train.shape[1:] != test.shape[1:] or (task is None and len(kinds) > 1):
        raise DataError(
            f"{where}: y_train is {train.dtype} {train.shape}, y_test {test.dtype} {test.shape};"
            " both are classes, or both as many values"
        )
    if task is None:
        task = _task(where, train, test)
    if task == "regression":
        width = math.prod(train.shape[1:])
        values = [y.reshape(len(y), width) for y in (train, test)]
        values = [y if y.dtype.kind == "f" else y.astype(np.float64) for y in values]
        return (values[0], values[1]), width, ""
    for key, y in (("y_train", train), ("y_test", test)):
        if y.ndim > 2 or math.prod(y.shape[1:]) != 1:
            hint = "; y.argmax(1) makes numbers of rows with a single 1" if y.ndim == 2 else ""
            raise DataError(f"{where}: {key} has the shape {y.shape}; classes are (samples,){hint}")
        whole = y.dtype.kind != "f"
        broken = np.flatnonzero(np.zeros(0) if whole else y != np.rint(y))
        if len(broken):
            row = int(broken[0])
            raise DataError(
                f"{where}: {key}[{row}] is {y.reshape(-1)[row]}, and classes are whole numbers;"
                " write data.task: regression if these are values"
            )
    return _classes(where, train.reshape(-1), test.reshape(-1))


def _task(where: str, train: Array, test: Array) -> Task:
    if train.dtype.kind != "f":
        if math.prod(train.shape[1:]) != 1:
            raise DataError(
                f"{where}: y_train has the shape {train.shape}; classes are (samples,), and whole"
                " numbers that are values need data.task: regression"
            )
        return "classification"
    if not all(bool((y == np.rint(y)).all()) for y in (train, test)):
        return "regression"
    if train.ndim == 1 or math.prod(train.shape[1:]) == 1:
        low, high = (train.min(), train.max()) if train.size else (0, 0)
        raise DataError(
            f"{where}: y_train is {train.dtype} and holds whole numbers alone, {low:g} to {high:g},"
            " which can be classes or values; write data.task: classification or regression"
        )
    if all(bool((y.sum(1) == 1).all()) and set(np.unique(y)) <= {0, 1} for y in (train, test)):
        raise DataError(
            f"{where}: every row of y_train has a single 1, which can be a class or values; store"
            " y.argmax(1) for classes, or write data.task: regression"
        )
    return "regression"


def _classes(where: str, train: Array, test: Array) -> tuple[tuple[Array, Array], int, str]:
    if not len(train):
        return (train.astype(np.int64), test.astype(np.int64)), 1, ""
    present = [int(label) for label in np.unique(train)]
    first, last, count = present[0], present[-1], len(present)
    if first < 0:
        raise DataError(
            f"{where}: classes are numbered from 0, and y_train goes from {first} to {last}"
        )
    if first > 1 or last - first != count - 1:
        held = set(present)
        missing = next(n for n in range(first if first <= 1 else 0, last) if n not in held)
        raise DataError(
            f"{where}: y_train has {count} different labels, from {first} to {last}, and none is"
            f" {missing}: an output that no sample trains. Number the classes from 0 without gaps,"
            " as numpy.unique(y, return_inverse=True)[1] does, or write data.task: regression if"
            " these are values"
        )
    strange = np.flatnonzero((test < first) | (test > last))
    if len(strange):
        row = int(strange[0])
        raise DataError(
            f"{where}: y_test[{row}] is {int(test[row])}, a class that y_train has not: its labels"
            f" run from {first} to {last}"
        )
    notes = [f"read from {train.dtype}"] if train.dtype.kind == "f" else []
    if first == 1:
        notes.append(f"labels 1…{last} are classes 0…{last - 1}")
    classes = train.astype(np.int64) - first, test.astype(np.int64) - first
    return classes, count, ", ".join(notes)
