"""Writing files so that nobody ever sees half of one, nor two processes write the same."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNFINISHED = ".unfinished"
_OF_ALL_USERS = Path("/tmp")
"""Not `$TMPDIR`, which each user may have of their own."""


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


def lock_of_machine(name: str) -> int | None:
    """Hold a name against every other process of this machine, whoever runs it.

    Whoever comes first makes the file and all others may read it, which is enough for a lock:
    nobody writes into a file, follows a link or waits for a pipe that somebody else put there. The
    file stays; to remove it would let two processes lock two files of one name.

    Returns:
        A descriptor, by whose closing, or the end of the process, it is free again; None where
        somebody else holds it.

    Raises:
        OSError: what lies under the name is no lock file, or may not be read.
    """
    path = _OF_ALL_USERS / f"substrate-{name}.lock"
    safely = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, safely | os.O_CREAT | os.O_EXCL, 0o644)
        os.fchmod(descriptor, 0o644)  # whatever the umask
    except FileExistsError:
        try:
            descriptor = os.open(path, safely)
        except OSError as problem:
            raise _no_lock(problem.errno or errno.EACCES, path) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_lock(errno.EEXIST, path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _no_lock(number: int, path: Path) -> OSError:
    return OSError(number, "is no lock file that all users can read; remove it", str(path))
