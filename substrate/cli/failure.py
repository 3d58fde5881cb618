"""What nobody foresaw: one line for the user, and a log with the traceback for whoever mends it."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path

from substrate.environment import versions
from substrate.files import write_atomically
from substrate.terminal import tell
from substrate.text import one_line, plain

STATUS = 3

log_folder: ContextVar[Path | None] = ContextVar("log_folder", default=None)
"""Where the log belongs: the folder of the run that is going on."""


def tell_unforeseen(problem: Exception) -> int:
    """Write the log, say in one line what happened and where the log is; gives the exit status."""
    what = one_line(f"{type(problem).__name__}: {problem}")[:300]
    lines = [" ".join(sys.argv), *(f"{name} {version}" for name, version in versions().items())]
    text = plain("\n".join([*lines, "", *traceback.format_exception(problem)]))
    log = _written(text)
    where = f"the traceback is in {log}" if log else "no log could be written"
    tell(f"error: this should not have happened: {what}; {where}", err=True)
    return STATUS


def _written(text: str) -> Path | None:
    name = f"error-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.log"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "substrate"
    run = log_folder.get()
    for folder in (run, cache, Path(tempfile.gettempdir())):
        if folder is None or (folder is run and not folder.is_dir()):
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / name, text)
        except OSError:
            continue
        return folder / name
    return None
