"""Decoding image files of one size into 8-bit arrays, (images, channels, height, width)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.progress import track

from substrate.data.cache import cached_arrays
from substrate.data.dataset import DataError
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
        DataError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder")
    # names sort many times faster than paths
    names = sorted(name for name in os.listdir(folder) if Path(name).suffix.lower() in _ENDINGS)
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
        size = _open(train[0][0]).size
        for part, labelled in parts.items():
            _decode(
                [path for path, _ in labelled], size, folder / f"x_{part}.npy", f"{name} {part}"
            )
            np.save(folder / f"y_{part}.npy", np.array([label for _, label in labelled]))

    return cached_arrays(name, [path for part in parts.values() for path, _ in part], make)


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
        return Image.open(path)
    except (OSError, Image.DecompressionBombError) as problem:
        raise DataError(f"{path} is no readable image: {problem}") from None


def _pixels(path: Path, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    with _open(path) as image:
        if image.size != size:
            raise DataError(
                f"{path} has {image.width}×{image.height} pixels, and the first image has"
                f" {size[0]}×{size[1]}"
            )
        try:
            return np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError, ValueError) as problem:
            raise DataError(f"{path} is no readable image: {problem}") from None
