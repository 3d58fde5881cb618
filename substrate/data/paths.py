"""Where data lies: `~` and `$SUBSTRATE_DATA` in the paths of scenarios."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from substrate.data.error import DataError

DATA_VARIABLE = "SUBSTRATE_DATA"
_DEFAULT = "~/.cache/substrate-data"


def expand(path: str) -> Path:
    """Fill in `~` and variables; an unset $SUBSTRATE_DATA is `~/.cache/substrate-data`.

    Raises:
        DataError: another variable is not set, there is no such user, or no path can be so.
    """
    filled = re.sub(r"\$(\w+)|\$\{(\w+)\}", _value, path)
    try:
        expanded = Path(filled).expanduser()
        expanded.stat()
    except (RuntimeError, ValueError) as problem:
        # no home of that user; a character that no path may have
        raise DataError(f"{path!r} is no path: {problem}") from None
    except OSError as problem:
        if problem.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            raise DataError(f"{path!r} is no path: {problem.strerror}") from None
    return expanded


def where_to_put(path: Path) -> str:
    """Say in a message what to do about missing data."""
    variable = f"${DATA_VARIABLE}"
    now = os.environ.get(DATA_VARIABLE) or f"not set, so {_DEFAULT}"
    return f"put it there ({path}), or set its place in `data` or by {variable} (now {now})"


def _value(match: re.Match[str]) -> str:
    name = match[1] or match[2]
    value = os.environ.get(name)
    if name == DATA_VARIABLE:
        return value or _DEFAULT
    if value is None:
        raise DataError(f"the variable ${name} is not set")
    return value
