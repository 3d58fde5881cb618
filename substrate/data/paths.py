"""Where data lies: `~` and `$SUBSTRATE_DATA` in the paths of scenarios."""

from __future__ import annotations

import os
import re
from pathlib import Path

from substrate.data.dataset import DataError

DATA_VARIABLE = "SUBSTRATE_DATA"
_DEFAULT = "~/.cache/substrate-data"


def expand(path: str) -> Path:
    """Fill in `~` and variables; an unset $SUBSTRATE_DATA is `~/.cache/substrate-data`.

    Raises:
        DataError: another variable is not set.
    """
    filled = re.sub(r"\$(\w+)|\$\{(\w+)\}", _value, path)
    return Path(filled).expanduser()


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
