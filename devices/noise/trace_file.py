"""One measured trace from a file: evenly sampled, without holes, as fits and replays need it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64

from devices.measurement_columns import QUANTITIES, MeasurementError, factor, is_called
from devices.measurement_file import ROWS_A_PART, Table, open_table, to_numbers
from devices.text_layout import Decimal

Samples = Float64[np.ndarray, " samples"]
Missing = Literal["refuse", "drop"]
Uneven = Literal["refuse", "resample"]

_GAP = 1.5
"""Steps longer than so many usual ones are gaps."""


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
        sampling_rate: Hz; goes before the times in the file.
        missing: rows without a number are refused, or left out; of a file with times, such a sample
            takes the one before.
        uneven: times with gaps or uneven steps are refused, or the samples brought to even ones by
            straight lines between them.
        decimal: the decimal mark of a text file; left out, found.
        most: samples to read at most.

    Raises:
        MeasurementError: no such file or column, no numbers, missing ones, or uneven times.
    """
    table = open_table(path, decimal)
    clock = _time_column(table, time)
    place = _value_column(table, column, clock)
    if sampling_rate is not None and time is None:
        clock = None
    samples, times = _read(table, place, clock, most)
    name = table.columns[place].name
    if len(samples) < 2:
        raise MeasurementError(
            f"{path.name}: a trace needs two samples at least; found {len(samples)}"
        )
    notes = list(table.notes)
    rate = sampling_rate
    if times is not None:
        assert clock is not None
        times *= _seconds(table, clock)
        finite = np.isfinite(samples) if missing == "drop" else np.full(len(samples), True)
        samples, rate, said = _even(samples, times, finite, uneven, path)
        notes += [f"time from column {table.columns[clock].name}", *said]
        if sampling_rate is not None and abs(sampling_rate / rate - 1) > 1e-3:
            raise MeasurementError(
                f"{path.name}: column {table.columns[clock].name} says {rate:.6g} Hz, and you say "
                f"{sampling_rate:g}; leave out one of --time and --sampling-rate"
            )
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
    return to_numbers(array, table.columns[clock].name, table.path, before)


def _time_column(table: Table, time: str | int | None) -> int | None:
    if time is not None:
        return table.find(time)
    times = QUANTITIES["s"]
    named = [i for i, each in enumerate(table.columns) if is_called(each.called, times)]
    timed = [i for i, each in enumerate(table.columns) if (factor(each.unit) or (0, ""))[1] == "s"]
    found = named or timed
    return found[0] if len(found) == 1 and len(table.columns) > 1 else None


def _value_column(table: Table, column: str | int | None, clock: int | None) -> int:
    if column is not None:
        return table.find(column)
    rest = [i for i in range(len(table.columns)) if i != clock]
    if len(rest) != 1:
        raise MeasurementError(
            f"{table.path.name} has {len(table.columns)} columns ({table.listed()}): name one, as "
            f"--column {rest[0] + 1} (in a scenario, column: {rest[0] + 1})"
        )
    return rest[0]


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
    keep: Bool[np.ndarray, " rows"],
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
            f"{path.name}: times are uneven ({what}); type --uneven resample for straight lines "
            "between samples (in a scenario, uneven: resample), or --sampling-rate HZ to count "
            "samples instead"
        )
    even = np.arange(times[0], times[-1] + usual / 2, usual)
    resampled = np.interp(even, times[keep], samples[keep])
    return resampled, 1 / usual, [f"resampled to even steps of {usual:.4g} s ({what})"]


def _off_grid(times: Samples, step: float) -> float:
    """How far times lie from even ones at most, s; a part at a time, since there may be many."""
    parts = range(0, len(times), ROWS_A_PART)
    return max(
        float(np.abs(part - times[0] - step * np.arange(start, start + len(part))).max())
        for start in parts
        if len(part := times[start : start + ROWS_A_PART])
    )
