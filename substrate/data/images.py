"""Decoding image files of one size into 8-bit arrays, (images, channels, height, width)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.progress import track

from substrate.data.cache import cached_arrays
from substrate.data.error import DataError
from substrate.data.limits import MOST_PIXELS
from substrate.terminal import Console

_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm"})
_WORKERS = 2
_CHUNK = 200
_CHANNELS = 3

Labelled = Sequence[tuple[Path, int]]
"""Image files with their class numbers."""


def image_files(folder: Path) -> list[Path]:
    """List the images in a folder, in the order of their names.

    Raises:
        DataError: there is no such folder, no image in it, or one that is no file.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder")
    # names sort many times faster than paths
    with os.scandir(folder) as entries:
        images = [entry for entry in entries if Path(entry.name).suffix.lower() in _ENDINGS]
        for entry in images:
            # a path, which takes a link that leads to itself for no file; the entry would raise
            if not Path(entry.path).is_file():
                raise DataError(f"{entry.path} is no regular file; take it out of the folder")
    names = sorted(entry.name for entry in images)
    if not names:
        raise DataError(f"{folder} has no images in it")
    return [folder / name for name in names]


def decoded(name: str, train: Labelled, test: Labelled) -> dict[str, npt.NDArray[np.generic]]:
    """Map the images of a data set, decoding them once.

    Returns:
        `x_train` and `x_test`, RGB, 8-bit; `y_train` and `y_test`.

    Raises:
        DataError: an image is corrupt or has another size than the first; the message names it.
    """
    parts = {"train": train, "test": test}

    def make(folder: Path) -> None:
        with _open(train[0][0]) as first:
            size = first.size
        for part, labelled in parts.items():
            _decode(
                [path for path, _ in labelled], size, folder / f"x_{part}.npy", f"{name} {part}"
            )

    images = cached_arrays(name, [path for part in parts.values() for path, _ in part], make)
    # labels may come from a file that is none of the images, so that none are kept
    labels = {
        f"y_{part}": np.array([label for _, label in labelled]) for part, labelled in parts.items()
    }
    return images | labels


def _decode(files: Sequence[Path], size: tuple[int, int], target: Path, what: str) -> None:
    width, height = size
    shape = (len(files), _CHANNELS, height, width)
    pixels = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)

    def decode(start: int) -> None:
        for index, path in enumerate(files[start : start + _CHUNK], start):
            pixels[index] = _pixels(path, size).transpose(2, 0, 1)

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


def _open(path: Path) -> Image.Image:
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
    return image


def _pixels(path: Path, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    with _open(path) as image:
        if image.size != size:
            raise DataError(
                f"{path} has {image.width}×{image.height} pixels, and the first image has"
                f" {size[0]}×{size[1]}"
            )
        try:
            return np.asarray(image.convert("RGB"))
        except Exception as problem:
            raise DataError(f"{path} is no readable image: {problem}") from None
