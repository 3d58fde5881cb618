"""One measured trace from a file: evenly sampled, without holes, as fits and replays need it.

Nothing is put between samples that was not measured: straight lines, and samples said twice, would
make white noise a correlated one. Of a recording with gaps the longest stretch without one is
taken; steps that scatter are counted as even.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64

from devices.measurement_columns import MeasurementError, factor
from devices.measurement_file import ROWS_A_PART, Table, open_table
from devices.measurement_numbers import to_numbers
from devices.noise.trace_columns import time_column, value_column
from devices.text_layout import Decimal

Samples = Float64[np.ndarray, " samples"]
Missing = Literal["refuse", "drop"]
Uneven = Literal["refuse", "cut"]

_GAP = 1.5
"""Steps longer than so many usual ones are gaps."""
_SHORT = 0.5
"""Steps shorter than so many are as little even."""
_WANDER = 0.01
"""What times may stray by from even ones, a part of the recording: a rate that changes."""
_SAME_RATE = 0.01
_FEW = 100
"""Samples that a stretch has at least, unless it is half of the recording."""


@dataclass(frozen=True)
class Trace:
    """A recording at a constant rate.

    Attributes:
        samples: in the unit of the file.
        sampling_rate: Hz; None where neither the file nor the caller told.
        column: the name of what was read.
        unit: of the samples, where the header tells.
        notes: what was understood and done, for people.
    """

    samples: Samples
    sampling_rate: float | None
    column: str
    unit: str | None
    notes: tuple[str, ...]


def read_trace(
    path: Path,
    column: str | int | None = None,
    *,
    time: str | int | None = None,
    sampling_rate: float | None = None,
    missing: Missing = "refuse",
    uneven: Uneven = "refuse",
    decimal: Decimal | None = None,
    most: int | None = None,
) -> Trace:
    """Read one column as float64, a part at a time, and no further than `most` samples.

    Args:
        path: the file; its ending gives the format.
        column: a name, or a number counted from 1. May be left out where there is only one beside
            the time.
        time: the column of times; left out, the one that its name or unit says is.
        sampling_rate: Hz. Where the file has times too, they have to agree, or are said to be left
            out: where they are uneven, or of no unit.
        missing: rows without a number are refused, or left out; of a file with times, such a sample
            takes the one before.
        uneven: times with gaps or uneven steps are refused, or cut: the longest stretch without a
            gap is taken, and its steps as even.
        decimal: the decimal mark of a text file; left out, found.
        most: samples to read at most.

    Raises:
        MeasurementError: no such file or column, no numbers, missing ones, or uneven times.
    """
    table = open_table(path, decimal)
    clock = time_column(table, time)
    place = value_column(table, column, clock)
    counted = sampling_rate is not None and time is None
    samples, times = _read(table, place, None if counted else clock, most)
    name = table.columns[place].name
    if len(samples) < 2:
        raise MeasurementError(
            f"{path.name}: a trace needs two samples at least; found {len(samples)}"
        )
    notes = list(table.notes)
    rate = sampling_rate
    if times is not None:
        assert clock is not None
        samples, rate, said = _even(samples, times * _seconds(table, clock), uneven, path)
        notes += [f"time from column {table.columns[clock]}", *said]
        if sampling_rate is not None:
            _refuse_other_rate(table, clock, rate, sampling_rate)
    elif clock is not None and sampling_rate is not None:
        notes.append(_times_left_out(table, place, clock, sampling_rate, most))
    holes = ~np.isfinite(samples)
    if holes.any():
        if missing == "refuse":
            raise MeasurementError(
                f"{path.name}: {holes.sum()} of {len(samples)} samples are not finite, the first "
                f"in row {int(holes.argmax()) + 1}; type --missing drop to leave them out (in a "
                "scenario, missing: drop)"
            )
        if (~holes).sum() < 2:
            raise MeasurementError(f"{path.name}: column {name} holds no numbers")
        if times is None:
            samples = samples[~holes]
            notes.append(f"{holes.sum()} samples without a number left out")
        else:  # closing up what has times would make everything faster than it was
            first, own = int((~holes).argmax()), np.arange(len(holes))
            samples = samples[np.maximum.accumulate(np.where(holes, first, own))]
            notes.append(f"{holes.sum()} samples without a number take the one before")
    return Trace(samples, rate, name, table.columns[place].unit, tuple(notes))


def _read(
    table: Table, place: int, clock: int | None, most: int | None
) -> tuple[Samples, Samples | None]:
    values, times, rows = [], [], 0
    for part in table.parts([place] if clock is None else [place, clock]):
        values.append(to_numbers(part[0], table.columns[place].name, table.path, rows))
        if clock is not None:
            times.append(_as_times(part[1], table, clock, rows))
        rows += len(values[-1])
        if most is not None and rows >= most:
            break
    if not values:
        return np.empty(0), None
    samples = np.concatenate(values)[:most]
    if clock is None:
        return samples, None
    stamps = np.concatenate(times)[:most]
    if stamps.dtype.kind == "M":
        stamps = (stamps - stamps[0]) / np.timedelta64(1, "s")
    return samples, stamps


def _as_times(values: object, table: Table, clock: int, before: int) -> np.ndarray:
    """Numbers, or dates."""
    array = np.asarray(values)
    if array.dtype.kind in "OUST":
        import pandas

        with suppress(ValueError, TypeError):  # numbers, and an instrument's marks between them
            array = pandas.to_datetime(pandas.Series(array), format="ISO8601").to_numpy()
    if array.dtype.kind == "M":
        return array.astype("datetime64[ns]")
    try:
        return to_numbers(array, table.columns[clock].name, table.path, before)
    except MeasurementError as problem:
        said = str(problem).partition("; ")[0]
        raise MeasurementError(
            f"{said}, nor a date such as 2026-01-31T12:00:00.25; write times so or in seconds, or "
            "say --sampling-rate HZ"
        ) from None


def _times_left_out(table: Table, place: int, clock: int, rate: float, most: int | None) -> str:
    """Say that samples are counted at a rate, though the file has times.

    Raises:
        MeasurementError: times are even, have a unit, and say another rate.
    """
    column = table.columns[clock]
    counted = f"samples are counted at {rate:g} Hz"
    try:
        samples, times = _read(table, place, clock, most)
        assert times is not None
        _, told, _ = _even(samples, times * _seconds(table, clock), "refuse", table.path)
    except MeasurementError:
        return f"{counted}; the times of column {column} are uneven or unknown, and not used"
    if column.unit is not None:
        _refuse_other_rate(table, clock, told, rate)
    return f"{counted}; the times of column {column} would say {told:.6g} Hz, taken as seconds"


def _refuse_other_rate(table: Table, clock: int, told: float, given: float) -> None:
    if abs(given / told - 1) > _SAME_RATE:
        raise MeasurementError(
            f"{table.path.name}: column {table.columns[clock]} says {told:.6g} Hz, and you say "
            f"{given:g}; leave out the sampling rate, or mend the column or its unit"
        )


def _seconds(table: Table, clock: int) -> float:
    unit = table.columns[clock].unit
    known = factor(unit)
    if known is not None and known[1] != "s":
        raise MeasurementError(
            f"{table.path.name}: column {table.columns[clock].name} is in {unit}, and no time; "
            "name the column of times with --time (in a scenario, time: NAME)"
        )
    return known[0] if known else 1.0


def _even(
    samples: Float64[np.ndarray, " rows"],
    times: Float64[np.ndarray, " rows"],
    uneven: Uneven,
    path: Path,
) -> tuple[Samples, float, list[str]]:
    """Give the samples at even times, their rate, and what there is to say."""
    unknown = ~np.isfinite(times)
    if unknown.any():
        raise MeasurementError(
            f"{path.name}: row {int(unknown.argmax()) + 1} has no time; delete it, or say "
            "--sampling-rate HZ"
        )
    steps = np.diff(times)
    if (steps < 0).any():
        row = int((steps < 0).argmax()) + 2
        raise MeasurementError(
            f"{path.name}: time goes backwards at row {row}; keep one recording a file, or say "
            "--sampling-rate HZ to count samples instead"
        )
    mean = (times[-1] - times[0]) / (len(times) - 1)
    if not mean > 0:
        raise MeasurementError(f"{path.name}: time stands still; say --sampling-rate HZ")
    quantum = steps[steps > 0].min()
    if _off_grid(times, mean) <= max(0.6 * mean, quantum if quantum > mean else 0.0):
        return samples, float(1 / mean), []
    usual = float(np.median(steps[steps > 0]))
    gaps = steps > _GAP * usual
    what = (
        f"{gaps.sum()} gaps, the first after row {int(gaps.argmax()) + 1}, the longest "
        f"{steps.max():.4g} s of steps of {usual:.4g} s"
        if gaps.any()
        else f"steps from {steps.min():.4g} to {steps.max():.4g} s"
    )
    if uneven == "refuse":
        raise MeasurementError(
            f"{path.name}: times are uneven ({what}); type --uneven cut for the longest stretch "
            "without a gap (in a scenario, uneven: cut), or --sampling-rate HZ to count samples "
            "instead"
        )
    return _cut(samples, times, gaps | (steps < _SHORT * usual), what, path)


def _cut(
    samples: Float64[np.ndarray, " rows"],
    times: Float64[np.ndarray, " rows"],
    odd: Bool[np.ndarray, " steps"],
    what: str,
    path: Path,
) -> tuple[Samples, float, list[str]]:
    """Give the longest stretch without an odd step, its rate, and what there is to say."""
    ends = np.flatnonzero(np.concatenate([[True], odd, [True]]))
    longest = int(np.diff(ends).argmax())
    first, beyond = int(ends[longest]), int(ends[longest + 1])
    own = times[first:beyond]
    if len(own) < min(_FEW, max(3, len(times) / 2)):
        raise MeasurementError(
            f"{path.name}: times are uneven throughout ({what}), no more than {len(own)} samples "
            "follow each other evenly; record at a constant rate, or say --sampling-rate HZ to "
            "count samples instead"
        )
    step = float(own[-1] - own[0]) / (len(own) - 1)
    if _off_grid(own, step) > max(0.6 * step, _WANDER * float(own[-1] - own[0])):
        raise MeasurementError(
            f"{path.name}: the rate changes in the course of rows {first + 1} to {beyond}, by more "
            "than a scatter of steps; keep a recording at each rate in a file of its own"
        )
    said = (
        f"rows {first + 1} to {beyond} of {len(times)}, the longest stretch without a gap, at even "
        f"steps of {step:.4g} s ({what})"
    )
    return samples[first:beyond], 1 / step, [said]


def _off_grid(times: Samples, step: float) -> float:
    """How far times lie from even ones at most, s; a part at a time, since there may be many."""
    parts = range(0, len(times), ROWS_A_PART)
    return max(
        float(np.abs(part - times[0] - step * np.arange(start, start + len(part))).max())
        for start in parts
        if len(part := times[start : start + ROWS_A_PART])
    )
