"""Tables of measurements, as instruments and labs write them, read a part at a time.

Text (.csv, .txt, .dat, .tsv) is read by pandas, Parquet by pyarrow, NumPy and MATLAB files by numpy
and scipy. What pandas must be told is found in the first lines of a text file:

    where the numbers begin     after the first line from which on rows have the same cells
    the separator               tab, semicolon, comma or blanks
    the decimal mark            a comma where the separator is none and cells have one
    names and units             the last line before the numbers: `I (µA)`, `I [uA]`, `I / µA`,
                                or a line of units under a line of names

Nothing is guessed that could be read in two ways: such a file is asked about.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

TEXT = (".csv", ".txt", ".dat", ".tsv")
FORMATS = (*TEXT, ".npy", ".npz", ".mat", ".parquet")
ROWS_A_PART = 1 << 18
SNIFFED = 1 << 16
"""Characters of a text file that its layout is found in."""

NOT_A_NUMBER = ("", "nan", "n/a", "na", "null", "none", "inf", "-inf", "+inf", "--", "---", "-")
OVERFLOW = ("ovld", "overload", "overflow", "ol", "o.l", "+ovld", "-ovld")
SCPI_LIMIT = 9.89e37
"""SCPI instruments send 9.9e37 for an overload and 9.91e37 for no number."""

PREFIXES = {
    "": 1.0,
    "f": 1e-15,
    "p": 1e-12,
    "n": 1e-9,
    "u": 1e-6,
    "\N{MICRO SIGN}": 1e-6,
    "\N{GREEK SMALL LETTER MU}": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
}
BASES = {
    "s": "s",
    "sec": "s",
    "A": "A",
    "V": "V",
    "S": "S",
    "Ohm": "Ohm",
    "ohm": "Ohm",
    "\N{GREEK CAPITAL LETTER OMEGA}": "Ohm",
    "\N{OHM SIGN}": "Ohm",
    "Hz": "Hz",
}
_WHOLE_UNITS = {"min": (60.0, "s"), "h": (3600.0, "s"), "d": (86400.0, "s"), "1": (1.0, "1")}

Decimal = Literal[".", ","]


class MeasurementError(ValueError):
    """A file does not hold what is looked for; `str()` says what to do."""


@dataclass(frozen=True)
class Column:
    """A column's name and, where the header tells, the unit of its numbers."""

    name: str
    unit: str | None = None


@dataclass(frozen=True)
class Table:
    """A file of columns.

    Attributes:
        path: the file.
        columns: in the order of the file.
        notes: what was understood of its layout, for people.
    """

    path: Path
    columns: tuple[Column, ...]
    notes: tuple[str, ...]
    _layout: dict[str, Any] = field(repr=False)

    def find(self, wanted: str | int) -> int:
        """Give the place of a column, from 0, by its name or by its number counted from 1.

        Raises:
            MeasurementError: there is none such.
        """
        names = [each.name for each in self.columns]
        if isinstance(wanted, str) and wanted in names:
            return names.index(wanted)
        if isinstance(wanted, int) or wanted.isdecimal():
            if not 1 <= int(wanted) <= len(names):
                raise MeasurementError(
                    f"{self.path.name} has {len(names)} columns, counted from 1; there is no "
                    f"number {wanted}: {self.listed()}"
                )
            return int(wanted) - 1
        meant = _meant(wanted, names)
        raise MeasurementError(f"{self.path.name} has no column {wanted!r}{meant}: {self.listed()}")

    def listed(self) -> str:
        """The columns by number and name, for people."""
        shown = [
            str(number) if each.name == str(number) else f"{number} {each.name}"
            for number, each in enumerate(self.columns[:8], 1)
        ]
        return ", ".join(shown) + (", …" if len(self.columns) > 8 else "")

    def parts(self, places: Sequence[int]) -> Iterator[list[Any]]:
        """Give the columns at `places`, some rows at a time: numbers, or text where there is some.

        Raises:
            MeasurementError: the file breaks off, or is not what its ending says.
        """
        reader = {".npy": _array_parts, ".npz": _array_parts, ".mat": _array_parts}.get(
            self.path.suffix.lower(), _frame_parts
        )
        try:
            yield from reader(self, places)
        except MeasurementError:
            raise
        except Exception as problem:
            raise _unreadable(self.path, problem) from problem


def open_table(path: Path, decimal: Decimal | None = None) -> Table:
    """Find out how a file is laid out; reads no more than its first lines.

    Args:
        path: its ending gives the format.
        decimal: the mark before decimals in a text file; left out, found.

    Raises:
        MeasurementError: no such file, a format that is not read, or a layout that cannot be told.
    """
    if not path.is_file():
        beside = [entry.name for entry in path.parent.glob("*")] if path.parent.is_dir() else []
        raise MeasurementError(f"there is no file {path}{_meant(path.name, beside)}")
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise MeasurementError(
            f"{path.name}: files are read from {', '.join(FORMATS)}; export it as CSV"
        )
    openers = {".parquet": _open_parquet, ".npy": _open_npy, ".npz": _open_npz, ".mat": _open_mat}
    try:
        return _open_text(path, decimal) if ending in TEXT else openers[ending](path)
    except MeasurementError:
        raise
    except Exception as problem:
        # Every reader fails in ways of its own on a file that is not what its ending says.
        raise _unreadable(path, problem) from problem


def factor(unit: str | None) -> tuple[float, str] | None:
    """Give a unit as so many of an SI unit: `µA` is (1e-6, "A"); None where it is not known."""
    if unit is None:
        return None
    text = unit.strip().strip("()[]").strip()
    if text in _WHOLE_UNITS:
        return _WHOLE_UNITS[text]
    for base, si in BASES.items():
        if text.endswith(base) and text[: -len(base)] in PREFIXES:
            return PREFIXES[text[: -len(base)]], si
    return None


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
        raise MeasurementError(
            f"{path.name}: row {before + row + 1} of column {column} is {series.iloc[row]!r}, not "
            "a number; delete that line, or name another column"
        )
    return np.asarray(numbers, dtype=np.float64)


def _unreadable(path: Path, problem: Exception) -> MeasurementError:
    reason = (str(problem).splitlines() or [type(problem).__name__])[0]
    return MeasurementError(f"{path.name} cannot be read: {reason}")


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


# Text


def _open_text(path: Path, decimal: Decimal | None) -> Table:
    encoding = _encoding(path)
    with path.open(encoding=encoding) as f:
        text = f.read(SNIFFED)
    lines = text.split("\n")
    if len(text) == SNIFFED:
        del lines[-1:]
    if not any(line.strip() for line in lines):
        raise MeasurementError(f"{path.name} is empty")
    separator, mark, first = _find_numbers(lines, path, decimal)
    rows = [_cells(line, separator) for line in lines[first : first + 50] if line.strip()]
    cells = width = len(rows[0])
    if width > 1 and not any(row[-1] for row in rows):
        width -= 1  # every line ends with a separator
    columns = _header(lines[:first], separator, width)
    notes = []
    if first > 1:
        notes.append(f"{first} lines of header")
    if mark == ",":
        notes.append("decimal commas")
    comment = next(
        (line.lstrip()[0] for line in lines if line.lstrip()[:1] in ("#", "%", "!")), None
    )
    layout = {
        "sep": separator or r"\s+",
        "decimal": mark,
        "skiprows": first,
        "names": range(cells),
        "encoding": encoding,
        "comment": comment,
    }
    return Table(path, columns, tuple(notes), layout)


def _encoding(path: Path) -> str:
    """UTF-16 by its mark; UTF-8 unless it is none, as instruments' µ and Ω often are not."""
    with path.open("rb") as f:
        start = f.read(SNIFFED)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if b"\0" in start:
        raise MeasurementError(f"{path.name} is no text: export it as CSV")
    try:
        start[: start.rfind(b"\n") + 1].decode("utf-8-sig")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _cells(line: str, separator: str | None) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in line.strip("\r\n").split(separator)]


def _is_number(cell: str, decimal: str) -> bool:
    text = cell.lower()
    if text in NOT_A_NUMBER or text in OVERFLOW:
        return True
    if decimal == ",":
        if "." in text:
            return False
        text = text.replace(",", ".", 1)
    try:
        float(text)
    except ValueError:
        return False
    return True


def _find_numbers(
    lines: list[str], path: Path, decimal: Decimal | None
) -> tuple[str | None, str, int]:
    """Separator, decimal mark and first row of numbers, or a row of which some cell is one."""
    readings = []
    for separator in ("\t", ";", ",", None):
        for mark in (decimal,) if decimal else (".", ","):
            if separator == mark:
                continue
            rows = _longest_run(lines, separator, mark)
            if rows:
                readings.append((separator, mark, *rows))
    if not readings:
        raise MeasurementError(
            f"{path.name}: no rows of numbers in its first {len(lines)} lines; export the data as "
            "columns of numbers, one row a line"
        )
    # the reading that explains most rows, all of their cells as numbers, in most columns
    best = max(readings, key=lambda each: (each[3], each[4], each[5]))
    rivals = [each for each in readings if each[3:5] == best[3:5] and each[1] != best[1]]
    lone = best[:2] == (",", ".") and any(each[0] is None and each[1] == "," for each in rivals)
    if lone and not decimal:
        start = best[2]
        named = len(_cells(lines[start - 1], ",")) if start else 0
        if start and named == 1 and not lines[start - 1].lstrip().startswith(("#", "%")):
            best = next(each for each in rivals if each[0] is None)
        elif named != len(_cells(lines[start], ",")):
            raise MeasurementError(
                f"{path.name}: {lines[start].strip()!r} can be two columns or one number with a "
                'decimal comma; type --decimal , or --decimal . (in a scenario, decimal: ",")'
            )
    return best[0], best[1], best[2]


def _longest_run(
    lines: list[str], separator: str | None, mark: str
) -> tuple[int, int, float, int] | None:
    """First row, number of rows, share of numbers and of columns of the table in the lines."""
    rows = [
        (number, _cells(line, separator))
        for number, line in enumerate(lines)
        if line.strip() and line.lstrip()[0] not in "#%!"
    ]
    # Read backwards: what is above the table differs from it, and its end is in sight or cut off.
    # A row of text ends the table, unless rows of nothing but numbers go on above it.
    start = width = None
    good, share = 0, 0.0
    ended = False
    for number, cells in reversed(rows):
        numeric = [_is_number(cell, mark) for cell in cells]
        numbers = any(cell and is_one for cell, is_one in zip(cells, numeric, strict=True))
        if not numbers or (width is not None and len(cells) != width):
            ended = start is not None
        elif not ended or all(numeric):
            start, width, good = number, len(cells), good + 1
            share += sum(numeric) / len(cells)
    if start is None or width is None or (good < 2 and len(rows) > 1):
        return None
    return start, good, round(share / good, 6), width


def _header(above: list[str], separator: str | None, width: int) -> tuple[Column, ...]:
    """Names and units from the last lines above the numbers that have as many cells."""
    found = []
    for line in reversed(above):
        bare = line.strip().lstrip("#%!").strip() if line.strip()[:1] in "#%!" else line
        cells = _cells(bare, separator)
        if len(cells) == width + 1 and not cells[-1]:
            cells.pop()
        if len(cells) == width and any(cells):
            found.append(cells)
        elif bare.strip():
            break
        if len(found) == 2:
            break
    if not found:
        return tuple(Column(str(number)) for number in range(1, width + 1))
    names = found[0]
    units: list[str | None] = [None] * width
    if len(found) == 2 and all(factor(cell) or cell in ("", "-") for cell in found[0]):
        names, units = found[1], [cell.strip("()[]") or None for cell in found[0]]
    return tuple(
        _column(name, unit, number)
        for number, (name, unit) in enumerate(zip(names, units, strict=True), 1)
    )


def _column(text: str, unit: str | None, number: int) -> Column:
    """`I (µA)`, `I [µA]` and `I / µA` are I in µA."""
    if unit is None:
        match = re.fullmatch(r"(.+?)\s*(?:\(([^()]+)\)|\[([^\[\]]+)\]|/\s*([^/\s]+))", text)
        if match and factor(found := next(group for group in match.groups()[1:] if group)):
            return Column(match[1].strip(), found.strip())
    return Column(text or str(number), unit)


def _frame_parts(table: Table, places: Sequence[int]) -> Iterator[list[Any]]:
    if table.path.suffix.lower() == ".parquet":
        from pyarrow import parquet

        names = [table.columns[place].name for place in places]
        with parquet.ParquetFile(table.path) as file:
            for batch in file.iter_batches(ROWS_A_PART, columns=names):
                yield [batch.column(name).to_numpy(zero_copy_only=False) for name in names]
        return
    import pandas

    reader = pandas.read_csv(
        table.path,
        header=None,
        index_col=False,
        usecols=sorted(set(places)),
        chunksize=ROWS_A_PART,
        skipinitialspace=True,
        na_values=[each for word in OVERFLOW for each in (word, word.upper())],
        **table._layout,
    )
    with reader:
        for frame in reader:
            yield [frame[place].to_numpy() for place in places]


# Binary files


def _open_parquet(path: Path) -> Table:
    from pyarrow import parquet

    columns = tuple(_column(name, None, 0) for name in parquet.read_schema(path).names)
    plain = tuple(
        Column(name, column.unit)
        for name, column in zip(parquet.read_schema(path).names, columns, strict=True)
    )
    return Table(path, plain, (), {})


def _open_npy(path: Path) -> Table:
    values = np.load(path, allow_pickle=False, mmap_mode="r")
    if values.dtype.names:
        return _of_arrays(path, {name: values[name] for name in values.dtype.names})
    return _of_arrays(path, _split(values))


def _open_npz(path: Path) -> Table:
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    if len(arrays) == 1:
        arrays = _split(next(iter(arrays.values())), next(iter(arrays)))
    return _of_arrays(path, arrays)


def _open_mat(path: Path) -> Table:
    from scipy.io import loadmat

    try:
        variables = loadmat(path)
    except NotImplementedError:
        raise MeasurementError(
            f"{path.name} is a MATLAB 7.3 file; save it with save(..., '-v7')"
        ) from None
    arrays = {name: value for name, value in variables.items() if not name.startswith("__")}
    if len(arrays) == 1:
        arrays = _split(next(iter(arrays.values())), next(iter(arrays)))
    return _of_arrays(path, arrays)


def _split(values: Any, name: str | None = None) -> dict[str, Any]:
    """Give the columns of an array by number; a single row or column is one."""
    table = np.atleast_1d(np.squeeze(np.asanyarray(values)))
    if table.ndim > 2:
        raise MeasurementError(f"an array of {table.ndim} dimensions is no table of columns")
    if table.ndim == 1:
        return {name or "1": table}
    return {str(i): line for i, line in enumerate(table.T, 1)}


def _of_arrays(path: Path, arrays: dict[str, Any]) -> Table:
    if not arrays:
        raise MeasurementError(f"{path.name} holds no arrays")
    columns = tuple(
        Column(name, column.unit)
        for name, column in ((name, _column(name, None, 0)) for name in arrays)
    )
    return Table(path, columns, (), {"arrays": list(arrays.values())})


def _array_parts(table: Table, places: Sequence[int]) -> Iterator[list[Any]]:
    arrays = [np.asanyarray(table._layout["arrays"][place]).reshape(-1) for place in places]
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        names = ", ".join(
            f"{table.columns[place].name} {len(array)}"
            for place, array in zip(places, arrays, strict=True)
        )
        raise MeasurementError(
            f"{table.path.name}: columns of different lengths ({names}); save them equally long"
        )
    for start in range(0, lengths.pop(), ROWS_A_PART):
        yield [np.array(array[start : start + ROWS_A_PART]) for array in arrays]
