"""What is refused before it is read: more than the machine or the numbers can hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from substrate.data.error import DataError

MOST_PIXELS = 1024 * 1024
"""Of one image. Every pixel is an input, and a layer of 100 nodes on them has 10⁸ weights."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def refuse_irregular(path: Path, what_to_do: str) -> None:
    """Refuse what is no file to be read: a pipe would be waited for, for ever.

    Raises:
        DataError: there is nothing at the path, or something else than a file.
    """
    if path.is_file():
        return
    if path.exists():
        raise DataError(f"{path} is no regular file; {what_to_do}")
    raise DataError(f"there is no {path}; {what_to_do}")


def refuse_beyond_memory(what: str, size: int) -> None:
    """Refuse what needs more bytes than the machine has.

    Raises:
        DataError: it does; the message begins with `what`.
    """
    if not hasattr(os, "sysconf"):
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > memory:
        raise DataError(
            f"{what} would take {size / 1e9:,.3g} GB of memory, and this machine has"
            f" {memory / 1e9:,.3g} GB: keep fewer samples or smaller ones in the file"
        )


def refuse_limit(name: str, part: str, limit: int | None, samples: int) -> None:
    """Refuse to draw more samples than there are.

    Raises:
        DataError: they are fewer than the limit.
    """
    if limit is not None and limit > samples:
        raise DataError(f"limit_{part} is {limit}, and {name} has {samples} such samples")


def lost_in_float32(array: npt.NDArray[Any]) -> int:
    """Count the columns that change from sample to sample, and in float32 never do."""
    if not len(array) or np.can_cast(array.dtype, np.float32):
        return 0
    low, high = array.min(0), array.max(0)
    same = low.astype(np.float32) == high.astype(np.float32)
    return int(np.count_nonzero(same & (low != high)))


def refuse_beyond_float32(what: str, array: npt.NDArray[np.generic]) -> None:
    """Refuse numbers that are not finite, or not in float32, in which everything is computed.

    Raises:
        DataError: there is one; the message begins with `what` and its place in the array.
    """
    if array.dtype.kind != "f" or not array.size:
        return
    # these two are NaN where any number is
    if float(array.min()) >= -_FLOAT32_MAX and float(array.max()) <= _FLOAT32_MAX:
        return
    # of a numpy type, or it would become infinite beside numbers of 16 bits
    wrong = ~(np.abs(array) <= np.float64(_FLOAT32_MAX))
    place = [int(axis) for axis in np.unravel_index(int(wrong.argmax()), array.shape)]
    value = array[tuple(place)]
    words = ["row", "column"] if len(place) <= 2 else ["sample"]
    spoken = ", ".join(f"{word} {at}" for word, at in zip(words, place, strict=False))
    reason = (
        f"beyond what float32 holds (±{_FLOAT32_MAX:.3g}): bring the data to another unit"
        if np.isfinite(value)
        else "no finite number: leave such samples out"
    )
    raise DataError(f"{what}{place} ({spoken}, counted from 0) is {value}, {reason}")
