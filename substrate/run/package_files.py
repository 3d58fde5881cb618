"""The files of a package of the user's own: all, since a table or a compiled part computes too."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from substrate.record.folder import UNITS

_LARGE = 1 << 20
"""Bytes from which on a file is not read again where nothing says that it was written to."""


def sha256_of_package(name: str) -> str:
    """SHA-256 of names and contents; of a standard module, or one that is not there, of nothing."""
    found = hashlib.sha256()
    for root in _roots(name):
        for path in _files(root):
            within = path.relative_to(root.parent)
            found.update(f"{within} {_sha256(path)}\n".encode(errors="surrogateescape"))
    return found.hexdigest()


def _roots(name: str) -> list[Path]:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return []
    if spec is None or (spec.origin is not None and _is_standard(spec.origin)):
        return []
    if folders := spec.submodule_search_locations:  # of a package, with an __init__.py or without
        return [*map(Path, folders)]
    return [Path(spec.origin)] if spec.origin else []


def _is_standard(origin: str) -> bool:
    library = sysconfig.get_path("stdlib")
    return not Path(origin).is_absolute() or (
        origin.startswith(library) and "site-packages" not in origin
    )


def _files(root: Path) -> Iterator[Path]:
    """Give them in order, without what running writes: caches and our own runs."""
    if root.is_file():
        yield root
    for place, folders, names in os.walk(root):
        if UNITS in names:
            folders.clear()
            continue
        folders[:] = sorted(
            each for each in folders if each not in ("__pycache__", "runs") and each[0] != "."
        )
        for each in sorted(names):
            path = Path(place, each)
            if each[0] != "." and path.suffix != ".pyc" and path.is_file():
                yield path


def _sha256(path: Path) -> str:
    status = path.stat()
    if status.st_size < _LARGE:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return _sha256_of_large(
        path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


@lru_cache(maxsize=4096)
def _sha256_of_large(path: Path, *_status: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
