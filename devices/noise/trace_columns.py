"""Which columns of a recording are its times and its samples."""

from __future__ import annotations

from devices.measurement_columns import (
    QUANTITIES,
    Column,
    MeasurementError,
    factor,
    is_called,
)
from devices.measurement_file import Table


def time_column(table: Table, time: str | int | None) -> int | None:
    """Where times are: as a caller says, or the one column that its name or unit says is; or none.

    Raises:
        MeasurementError: there is no such column.
    """
    if time is not None:
        return table.find(time)
    times = QUANTITIES["s"]
    named = [i for i, each in enumerate(table.columns) if is_called(each.called, times)]
    timed = [i for i, each in enumerate(table.columns) if (factor(each.unit) or (0, ""))[1] == "s"]
    found = named or timed
    return found[0] if len(found) == 1 and len(table.columns) > 1 else None


def value_column(table: Table, column: str | int | None, clock: int | None) -> int:
    """Where samples are: as a caller says, or the one column beside the times.

    Raises:
        MeasurementError: there is no such column, or there are several.
    """
    if column is not None:
        return table.find(column)
    rest = [i for i in range(len(table.columns)) if i != clock]
    if len(rest) != 1:
        raise MeasurementError(
            f"{table.path.name} has {len(table.columns)} columns ({table.listed()}): name one, as "
            + _proposed(table, rest, clock)
        )
    return rest[0]


def _proposed(table: Table, rest: list[int], clock: int | None) -> str:
    """What to type for the last column of `rest`, and for the times before it if none was found."""
    times = [i for i in rest if _may_be_times(table.columns[i])] if clock is None else []
    place = next((i for i in reversed(rest) if i not in times), rest[-1])
    said = {"column": place + 1}
    before = [i for i in times if i < place]
    if before:
        said = {"time": before[-1] + 1, **said}
    typed = " ".join(f"--{name} {number}" for name, number in said.items())
    written = ", ".join(f"{name}: {number}" for name, number in said.items())
    return f"{typed} (in a scenario, {written})"


def _may_be_times(column: Column) -> bool:
    known = factor(column.unit)
    return known[1] == "s" if known else column.called.lower().startswith(("time", "zeit"))
