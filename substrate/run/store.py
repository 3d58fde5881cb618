"""The store: a folder for every unit, done once for all runs and studies that need it.

    STORE/ab/abcdef…/          unit.json, metrics.jsonl, outcome.safetensors, ended.json
    STORE/in-use/PID-…         keys of the units of a run that is going on, locked by its process

A unit in the making is held by a lock, which ends with the process, however it ends. Locks are on
files of their own, since folders cannot be locked on every network file system.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from substrate.record.unit import CHECKPOINT, ENDED, UNIT

_LOCK = ".lock"
_IN_USE = "in-use"


class UnitBusy(Exception):
    """Another process has the unit in hand."""


@dataclass(frozen=True)
class Stored:
    """A unit that lies in the store.

    Attributes:
        ended: whether it is done.
        bytes: of all its files.
        used: when it was last begun, gone on with or read, in seconds since 1970.
    """

    key: str
    folder: Path
    ended: bool
    bytes: int
    used: float


class Store:
    """Units by their keys."""

    def __init__(self, root: Path) -> None:
        """Use a folder, which is made with the first unit."""
        self.root = root

    @classmethod
    def default(cls) -> Store:
        """`$SUBSTRATE_STORE`, or a folder in the user's cache."""
        if chosen := os.environ.get("SUBSTRATE_STORE"):
            return cls(Path(chosen).expanduser().absolute())
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        return cls(cache / "substrate" / "units")

    def folder(self, key: str) -> Path:
        """Where a unit lies, or will."""
        return self.root / key[:2] / key

    @contextmanager
    def held(self, key: str) -> Iterator[Path]:
        """Hold a unit against other processes; gives its folder, made where there is none.

        Raises:
            UnitBusy: another process holds it.
            OSError: the folder cannot be written.
        """
        folder = self.folder(key)
        descriptor = _locked(folder / _LOCK)
        try:
            yield folder
        finally:
            os.close(descriptor)

    @contextmanager
    def using(self, keys: Iterable[str]) -> Iterator[None]:
        """Keep units from being pruned while a run needs them."""
        folder = self.root / _IN_USE
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=f"{os.getpid()}-") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.writelines(f"{key}\n" for key in keys)
            file.flush()
            yield

    def units(self) -> Iterator[Stored]:
        """Everything that lies in the store."""
        for path in self.root.glob(f"??/*/{UNIT}"):
            folder = path.parent
            try:
                stats = {each.name: each.stat() for each in folder.iterdir()}
            except OSError:  # pruned by somebody else meanwhile
                continue
            yield Stored(
                folder.name,
                folder,
                is_ended(folder),
                sum(each.st_size for each in stats.values()),
                max((each.st_mtime for each in stats.values()), default=0.0),
            )

    def prune(self, *, older_than: float | None = None, keep_bytes: int | None = None) -> int:
        """Remove units, the longest unused first; none that is in use.

        Args:
            older_than: seconds; what was not used for so long goes.
            keep_bytes: what is left takes no more than this.

        Returns:
            How many were removed.
        """
        in_use = self._in_use()
        units = sorted(self.units(), key=lambda each: each.used)
        left, now, removed = sum(each.bytes for each in units), time.time(), 0
        for each in units:
            old = older_than is not None and now - each.used > older_than
            large = keep_bytes is not None and left > keep_bytes
            if not (old or large) or each.key in in_use:
                continue
            with suppress(UnitBusy), self.held(each.key):
                shutil.rmtree(each.folder)
                left -= each.bytes
                removed += 1
        return removed

    def _in_use(self) -> set[str]:
        found: set[str] = set()
        for path in (self.root / _IN_USE).glob("*"):
            with suppress(FileNotFoundError), path.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    found.update(file.read().split())
                else:
                    path.unlink()  # its process was killed
        return found


def is_ended(folder: Path) -> bool:
    """Whether a unit is done: the checkpoint, which holds weights, goes last."""
    return (folder / ENDED).exists() and not (folder / CHECKPOINT).exists()


def _locked(path: Path) -> int:
    """Lock a file that somebody may be removing; gives the descriptor that holds the lock."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
                    return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise UnitBusy(path.parent.name) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
