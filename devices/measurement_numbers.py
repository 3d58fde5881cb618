"""Cells of a column as numbers: overloads, decimal commas, and text that is none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from devices.measurement_columns import NOT_A_NUMBER, OVERFLOW, SCPI_LIMIT, MeasurementError

_DECIMAL_POINT = re.compile(r"\s*[-+]?\d*\.\d+([eE][-+]?\d+)?\s*")
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")


def to_numbers(values: Any, column: str, path: Path, before: int = 0) -> Float64[np.ndarray, " n"]:
    """Give one part of a column as float64, NaN where an instrument had no number to give.

    Raises:
        MeasurementError: a cell holds text.
    """
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        numbers = array.astype(np.float64)
    elif array.dtype.kind in "OUST":
        numbers = _from_text(array, column, path, before)
    else:
        raise MeasurementError(f"{path.name}: not real numbers, but {array.dtype}")
    return np.where(np.abs(numbers) >= SCPI_LIMIT, np.nan, numbers)


def _from_text(array: Any, column: str, path: Path, before: int) -> Float64[np.ndarray, " n"]:
    import pandas

    series = pandas.Series(array)
    numbers = pandas.to_numeric(series, errors="coerce")
    blank = series.isna() | series.astype(str).str.strip().str.lower().isin(
        [*NOT_A_NUMBER, *OVERFLOW]
    )
    wrong = numbers.isna() & ~blank
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        found = series.iloc[row]
        cure = "delete that line, or name another column"
        if _DECIMAL_COMMA.fullmatch(str(found)):
            cure = (
                "write all decimals in one way; if with commas, type --decimal , (in a scenario, "
                'decimal: ",")'
            )
        raise MeasurementError(
            f"{path.name}: row {before + row + 1} of column {column} is {found!r}, not a number; "
            f"{cure}"
        )
    return np.asarray(numbers, dtype=np.float64)


def with_points(column: Any, commas: bool) -> Any:
    """Give a column of text with points for decimal commas: pandas leaves them as they are.

    Where some numbers have points as well, these may stand between thousands: all stay as they are.
    """
    if not commas or column.dtype.kind in "fiub":
        return column
    text = column.astype(str)
    if text.str.fullmatch(_DECIMAL_POINT).any():
        return column
    return column.astype(object).where(
        ~text.str.fullmatch(_DECIMAL_COMMA), text.str.replace(",", ".", regex=False)
    )
