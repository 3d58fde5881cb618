"""Writing files so that nobody ever sees half of one, nor two processes write the same."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNFINISHED = ".unfinished"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write beside `path`, then rename over it; a kill on the way may leave an unfinished file.

    Raises:
        OSError: it cannot be written; the error names `path`, and what stood there is as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED, delete=False
    ) as f:
        try:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
            os.chmod(f.fileno(), 0o644)
            Path(f.name).replace(path)
        except BaseException as problem:
            Path(f.name).unlink(missing_ok=True)
            if isinstance(problem, OSError):
                raise OSError(problem.errno, problem.strerror, str(path)) from problem
            raise


def is_unfinished(path: Path) -> bool:
    """Whether a file is one that `write_atomically` was killed over."""
    return path.name.startswith(".") and path.name.endswith(_UNFINISHED)


def remove_unfinished(folder: Path) -> None:
    """Remove what kills have left in a folder that nobody else writes into."""
    for path in filter(is_unfinished, folder.iterdir()):
        path.unlink()


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made where there is none, against other processes.

    The lock leaves no file and ends with the process, however it ends.

    Raises:
        OSError: another process holds it; the error names the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "another process is running here"
            raise OSError(errno.EWOULDBLOCK, message, str(folder)) from None
        yield
    finally:
        os.close(descriptor)
