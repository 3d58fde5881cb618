"""A store of units apart from all others, and one core."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock


@contextmanager
def store_at(folder: Path) -> Iterator[Path]:
    """Let runs keep their units there, and take one core; for what a whole module shares, too."""
    with (
        mock.patch.dict(os.environ, SUBSTRATE_STORE=str(folder)),
        mock.patch("os.sched_getaffinity", return_value={0}),
    ):
        yield folder
