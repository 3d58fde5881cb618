"""Series in the rows of a file: against what readings are, and where a new one begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from devices.measurement_columns import MeasurementError
from substrate.fit.device.layout import Values


def runs_of(
    rows: Int64[np.ndarray, " rows"], places: Values, what: str, path: Path
) -> Iterator[Int64[np.ndarray, " run"]]:
    """Part a device's rows where times, or numbers of reads, go back: another state is read.

    Args:
        rows: of the file, from 0.
        places: times or numbers of reads, of all rows of the file.
        what: their column, for messages.
        path: the file, likewise.

    Raises:
        MeasurementError: series lie between each other.
    """
    steps = np.diff(places[rows])
    if (steps == 0).any() and (steps == 0).sum() >= (steps > 0).sum():
        raise MeasurementError(
            f"{path.name}: column {what} stands still from row {rows[(steps == 0).argmax()] + 1} "
            "to the next of one device; call the column that tells such rows apart cycle"
        )
    yield from np.split(rows, np.flatnonzero(steps < 0) + 1)
