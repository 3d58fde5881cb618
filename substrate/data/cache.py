"""Decoded data, kept as .npy files that a later run maps into memory instead of decoding again.

An entry is a folder under $SUBSTRATE_CACHE (default ~/.cache/substrate), named by a hash of the
paths, sizes and times of the files that it was decoded of. It is filled under another
name and renamed when it is whole, so there is never half of one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from substrate.data.error import DataError

_FORMAT = 3


def cached_arrays(
    name: str, files: Iterable[Path], make: Callable[[Path], None]
) -> dict[str, npt.NDArray[np.generic]]:
    """Map the arrays decoded of `files`, decoding them if that has not been done before.

    Args:
        name: of the data set.
        files: everything that the arrays are made of.
        make: writes the arrays as .npy files into the folder that it is given.

    Returns:
        The arrays, read-only, by the names of their files without ending.

    Raises:
        DataError: an entry of the cache cannot be read.
    """
    root = Path(os.environ.get("SUBSTRATE_CACHE") or "~/.cache/substrate").expanduser()
    folder = root / f"{name}-{_fingerprint(name, files)}"
    if not folder.is_dir():
        root.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=root, prefix=f".{name}-"))
        try:
            make(unfinished)
            _publish(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    try:
        return {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
    except (ValueError, EOFError) as problem:
        raise DataError(f"{folder} is damaged ({problem}): delete it") from None


def _publish(unfinished: Path, folder: Path) -> None:
    unfinished.chmod(0o755)
    try:
        unfinished.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was first, with the same content
            raise


def _fingerprint(name: str, files: Iterable[Path]) -> str:
    digest = hashlib.blake2b(json.dumps([_FORMAT, name]).encode(), digest_size=12)
    for file in files:
        status = file.stat()
        # as the file system has it: a name need not be UTF-8
        digest.update(os.fsencode(file.absolute()))
        # rsync and unpacking set the time of the content; that of the file itself nobody sets
        told = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        digest.update("\0{}\0{}\0{}\n".format(*told).encode())
    return digest.hexdigest()
