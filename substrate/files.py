"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write beside `path`, then rename over it.

    Raises:
        OSError: it cannot be written; the error names `path`, and what stood there is as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as f:
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
