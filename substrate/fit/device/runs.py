"""Series in the rows of a file: against what readings are, and where a new one begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from devices.measurement_columns import MeasurementError
from devices.measurement_file import Table
from substrate.fit.device.layout import Values

_EVEN = 5.0
"""Steps of a clock that differ by less, between a tenth and nine tenths of them, are even."""

_LEAST = 4
"""Voltages of a sweep."""


def place_of(table: Table, roles: dict[str, int], values: dict[str, Values]) -> str | None:
    """What readings are against: voltage of a sweep, read, time; None where there are pulses.

    Reads in even steps of time are repeated reads; in steps that grow, a retention series. Times at
    which heights of pulses change their sign are those of the pulses.

    Raises:
        MeasurementError: a sweep of so few voltages that they are others.
    """
    if "sweep" in roles:
        _check_sweep(table, roles, values["voltage"])
        return "voltage"
    if {"direction", "pulse"} & set(roles):
        return None
    if "read" in roles and not ("time" in roles and _steps_grow(values["time"])):
        return "read"
    if "time" not in roles or ("height" in roles and _turns(values["height"], values["time"])):
        return None
    return "time"


def _check_sweep(table: Table, roles: dict[str, int], voltages: Values) -> None:
    different = len(np.unique(voltages[np.isfinite(voltages)]))
    if different < _LEAST:
        column = table.columns[roles["voltage"]]
        raise MeasurementError(
            f"{table.path.name}: column {column} has {different} different values, too few for a "
            "sweep; call it V_pulse (V) if they are of pulses, or delete it if currents were read "
            "at it, and type --read-voltage V"
        )


def _turns(heights: Values, times: Values) -> bool:
    """Whether pulses go up and down in the course of time."""
    sign = np.sign(heights)
    known = np.isfinite(sign) & (sign != 0)
    return bool(((np.diff(sign[known]) != 0) & (np.diff(times[known]) > 0)).any())


def _steps_grow(times: Values) -> bool:
    steps = np.diff(times)
    if not (steps > 0).any():
        return False
    short, long = np.quantile(steps[steps > 0], [0.1, 0.9])
    return bool(long > _EVEN * short)


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
