"""Whose the rows of a file are: labels of cells and cycles, by all columns that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from devices.measurement_columns import MeasurementError

WHERE = ("wafer", "die", "chip", "row", "column", "x", "y", "device")
"""Roles of columns that tell cells apart, together."""


def labels_of(columns: Sequence[Any], places: Sequence[tuple[str, int]], count: int) -> np.ndarray:
    """A label for every row: what the columns at places say, after their roles where several do."""
    if len(places) < 2:
        parts = [[str(each) for each in columns[place]] for _, place in places]
    else:
        parts = [[f"{role} {each}" for each in columns[place]] for role, place in places]
    if not parts:
        return np.full(count, "", dtype=object)
    return np.array([" ".join(each) for each in zip(*parts, strict=True)], dtype=object)


def unique(labels: np.ndarray) -> list[str]:
    """Labels in the order that they come in."""
    return list(dict.fromkeys(labels.tolist()))


def check_cycles(cycles: np.ndarray, pulses: np.ndarray, device: str, path: Path) -> None:
    """See to it that no cycle of a device comes back after another, as of several devices they do.

    Args:
        cycles: of the device's rows.
        pulses: heights and widths there; with others a cycle may come back.
        device: for messages.
        path: the file, likewise.

    Raises:
        MeasurementError: one does.
    """
    seen: set[tuple[str, frozenset[str]]] = set()
    begin = 0
    for cycle, rows in groupby(cycles.tolist()):
        end = begin + len(list(rows))
        run = cycle, frozenset(pulses[begin:end].tolist())
        if run in seen:
            raise MeasurementError(
                f"{path.name}: cycle {cycle} of {device} comes back after another; if its rows are "
                "of more than one cell, call the column that tells them apart device"
            )
        seen.add(run)
        begin = end
