"""Decoding image files of one size into arrays of pixels, (images, channels, height, width).

greyscale of 16 bits      kept whole, as 16 bits in all three channels
any other                 RGB of 8 bits; what is transparent shows white behind it
an EXIF orientation       images stand upright, as viewers show them
32 bits a number          refused: nothing in such a file says which number is white
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from rich.progress import track

from substrate.data.cache import cached_arrays
from substrate.data.error import DataError
from substrate.data.limits import MOST_PIXELS
from substrate.data.meaning import full_scale
from substrate.terminal import Console

_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm"})
_OF_SYSTEMS = frozenset({"thumbs.db", "desktop.ini"})
_WORKERS = 2
_CHUNK = 200
_CHANNELS = 3
_OPAQUE = 255
_TOLD = ("transparent in part, drawn over white", "of several frames, the first is read")

Labelled = Sequence[tuple[Path, int]]
"""Image files with their class numbers."""


class _Form(NamedTuple):
    """What all images of a data set share."""

    size: tuple[int, int]
    dtype: np.dtype[Any]


def image_files(folder: Path) -> tuple[list[Path], Counter[str]]:
    """List the images in a folder, in the order of their names.

    Returns:
        The images, and how many of what else is there, by ending (`passed_over`), but for
        what is `left_by_a_system`.

    Raises:
        DataError: there is no such folder, no image in it, or one that is no file.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder")
    # names sort many times faster than paths
    names, others = [], Counter[str]()
    with os.scandir(folder) as entries:
        for entry in entries:
            ending = Path(entry.name).suffix.lower()
            # a path, which takes a link that leads to itself for no file; the entry would raise
            path = Path(entry.path)
            if ending in _ENDINGS:
                if not path.is_file():
                    raise DataError(f"{path} is no regular file; take it out of the folder")
                names.append(entry.name)
            elif not left_by_a_system(entry.name):
                # any bytes may stand in a name
                known = ending if ending[1:].isalnum() and ending.isascii() else "other names"
                others["folder" if path.is_dir() else known] += 1
    if not names:
        instead = f", but {_counted(others)}" if others else ""
        raise DataError(
            f"{folder} has no images in it{instead}; the names of images end in"
            f" {', '.join(sorted(_ENDINGS))}"
        )
    return [folder / name for name in sorted(names)], others


def left_by_a_system(name: str) -> bool:
    """Whether nobody put a file of this name there: a hidden one, or one of Windows' own."""
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def passed_over(others: Counter[str]) -> list[str]:
    """Say what was no image in the folders of images, if anything was there."""
    return [f"passed over as no images: {_counted(others)}"] if others else []


def decoded(
    name: str, train: Labelled, test: Labelled
) -> tuple[dict[str, npt.NDArray[np.generic]], list[str]]:
    """Map the images of a data set, decoding them once.

    Returns:
        `x_train` and `x_test`, RGB, of 8 or 16 bits, `y_train` and `y_test`; and what is to be said
        of how they were read.

    Raises:
        DataError: an image is corrupt, has another size or depth than the first or numbers of no
            known scale, or shows nothing over white; the message names it.
    """
    parts = {"train": train, "test": test}

    def make(folder: Path) -> None:
        with _open(train[0][0]) as first:
            form = _Form(first.size, _depth(train[0][0], first))
        told = np.zeros(len(_TOLD), np.int64)
        for part, labelled in parts.items():
            paths = [path for path, _ in labelled]
            told += _decode(paths, form, folder / f"x_{part}.npy", f"{name} {part}")
        np.save(folder / "told.npy", told)

    images = cached_arrays(name, [path for part in parts.values() for path, _ in part], make)
    notes = [
        f"{what}: {count:,} of {len(train) + len(test):,} images"
        for count, what in zip(images.pop("told"), _TOLD, strict=True)
        if count
    ]
    if images["x_train"].dtype == np.uint16:
        notes.insert(0, f"pixels of 16 bits, divided by {full_scale(np.dtype(np.uint16)):,}")
    # labels may come from a file that is none of the images, so that none are kept
    labels = {
        f"y_{part}": np.array([label for _, label in labelled]) for part, labelled in parts.items()
    }
    return images | labels, notes


def _counted(others: Counter[str]) -> str:
    shown = [f"{count:,} × {what}" for what, count in others.most_common(5)]
    return ", ".join(shown) + (", …" if len(others) > 5 else "")


def _decode(files: Sequence[Path], form: _Form, target: Path, what: str) -> npt.NDArray[np.int64]:
    """Write the pixels of files, and count those of which there is something in `_TOLD` to say."""
    width, height = form.size
    shape = (len(files), _CHANNELS, height, width)
    pixels = np.lib.format.open_memmap(target, mode="w+", dtype=form.dtype, shape=shape)
    told = np.zeros((len(files), len(_TOLD)), np.int64)

    def decode(start: int) -> None:
        for index, path in enumerate(files[start : start + _CHUNK], start):
            found, *told[index] = _pixels(path, form)
            pixels[index] = found.transpose(2, 0, 1)

    console = Console(stderr=True)
    title = f"decoding {len(files):,} images of {what} into the cache, once"
    if not console.is_terminal:
        console.print(title, soft_wrap=True, highlight=False)
    starts = range(0, len(files), _CHUNK)
    pool = ThreadPoolExecutor(_WORKERS)
    try:
        for _ in track(
            pool.map(decode, starts),
            title,
            total=len(starts),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
    pixels.flush()
    counts: npt.NDArray[np.int64] = told.sum(0)
    return counts


def _open(path: Path) -> Image.Image:
    """Decode an image, upright."""
    try:
        with warnings.catch_warnings():
            # of sizes that are refused below
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
    except Exception as problem:
        # every format fails in ways of its own on bytes that are damaged
        raise DataError(f"{path} is no readable image: {problem}") from None
    if image.width * image.height > MOST_PIXELS:
        raise DataError(
            f"{path} has {image.width}×{image.height} pixels; images are read up to"
            f" {MOST_PIXELS:,} pixels, since every one is an input: scale them down"
        )
    # by its name Pillow maps an uncompressed TIFF, and scrambles one that is to be turned by 90°
    image.filename = ""
    try:
        image.load()
    except Exception as problem:
        raise DataError(f"{path} is no readable image: {problem}") from None
    # a tag that cannot be read turns nothing; viewers show such images too
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _depth(path: Path, image: Image.Image) -> np.dtype[Any]:
    """Give the type of number that an image's pixels are kept in."""
    # Pillow scales the 16 bits of portable grey maps to all of 65,535, and calls them 32
    if image.mode.startswith("I;16") or (image.mode, image.format) == ("I", "PPM"):
        return np.dtype(np.uint16)
    if image.mode[0] in "IF":
        raise DataError(
            f"{path} has pixels of 32 bits, and nothing in it says which number is white; save it"
            " in 8 or 16 bits, or give the numbers as arrays (data: {name: npz})"
        )
    return np.dtype(np.uint8)


def _pixels(path: Path, form: _Form) -> tuple[npt.NDArray[Any], bool, bool]:
    """Decode an image, (height, width, channels), and say what there is of `_TOLD`."""
    with _open(path) as image:
        if image.size != form.size:
            raise DataError(
                f"{path} has {image.width}×{image.height} pixels, and the first image has"
                f" {form.size[0]}×{form.size[1]}"
            )
        depth = _depth(path, image)
        if depth != form.dtype:
            raise DataError(
                f"{path} has pixels of {8 * depth.itemsize} bits, and the first image of"
                f" {8 * form.dtype.itemsize}; save all in one depth"
            )
        try:
            # of a photograph with others beside it (MPO) the first is the photograph
            several = getattr(image, "is_animated", False) and image.format != "MPO"
            if depth == np.uint16:
                grey = np.asarray(image).astype(np.uint16)
                return np.repeat(grey[..., np.newaxis], _CHANNELS, axis=2), False, several
            if not image.has_transparency_data:
                return np.asarray(image.convert("RGB")), False, several
            drawn = image.convert("RGBA")
        except Exception as problem:
            raise DataError(f"{path} is no readable image: {problem}") from None
    alpha = np.asarray(drawn)[..., -1]
    white = Image.new("RGBA", drawn.size, "white")
    shown = np.asarray(Image.alpha_composite(white, drawn).convert("RGB"))
    if np.ptp(alpha) and not np.ptp(shown, axis=(0, 1)).any():
        raise DataError(
            f"{path} is drawn in white on a transparent ground, and transparent images are drawn"
            " over white, where nothing of it shows; save it on a ground of another colour"
        )
    return shown, bool(alpha.min() < _OPAQUE), several
