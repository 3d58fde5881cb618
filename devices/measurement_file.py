"""Tables of measurements, as instruments and labs write them, read a part at a time.

Text (.csv, .txt, .dat, .tsv) is read by pandas, which is told the layout (`text_layout.py`),
Parquet by pyarrow, NumPy and MATLAB files by numpy and scipy.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from devices.measurement_columns import (
    OVERFLOW,
    Column,
    MeasurementError,
    column,
)
from devices.measurement_numbers import with_points
from devices.text_layout import SNIFFED, Decimal, cells_of, encoding_of, find_numbers, header

TEXT = (".csv", ".txt", ".dat", ".tsv")
FORMATS = (*TEXT, ".npy", ".npz", ".mat", ".parquet")
ROWS_A_PART = 1 << 18


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
        if isinstance(wanted, str) and (said := column(wanted, None, 0)) in self.columns:
            return self.columns.index(said)  # with its unit, as the header has it
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
    if path.is_dir():
        inside = sorted(each.name for each in path.iterdir() if each.suffix.lower() in FORMATS)
        known = f", such as {path / inside[0]}" if inside else ""
        raise MeasurementError(f"{path} is a folder; name a file in it{known}")
    if not path.is_file():
        beside = [entry.name for entry in path.parent.glob("*")] if path.parent.is_dir() else []
        if path.is_dir():
            raise MeasurementError(f"{path} is a folder; name a file in it")
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


def _unreadable(path: Path, problem: Exception) -> MeasurementError:
    reason = (str(problem).splitlines() or [type(problem).__name__])[0]
    if "pickle" in reason:  # numpy's advice to allow them, on any bytes that are none of its arrays
        reason = "it is damaged, or not what numpy.save or numpy.savez writes of numbers"
    return MeasurementError(f"{path.name} cannot be read: {reason}")


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _open_text(path: Path, decimal: Decimal | None) -> Table:
    encoding = encoding_of(path)
    with path.open(encoding=encoding) as f:
        text = f.read(SNIFFED)
    lines = text.split("\n")
    if len(text) == SNIFFED:
        del lines[-1:]
    if not any(line.strip() for line in lines):
        raise MeasurementError(f"{path.name} is empty")
    separator, mark, first = find_numbers(lines, path, decimal)
    rows = [cells_of(line, separator) for line in lines[first : first + 50] if line.strip()]
    cells = width = len(rows[0])
    if width > 1 and not any(row[-1] for row in rows):
        width -= 1  # every line ends with a separator
    columns = header(lines[:first], separator, width)
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
        commas = table._layout["decimal"] == ","
        for frame in reader:
            yield [with_points(frame[place], commas).to_numpy() for place in places]


def _open_parquet(path: Path) -> Table:
    from pyarrow import parquet

    return Table(path, _columns(parquet.read_schema(path).names), (), {})


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
    return Table(path, _columns(arrays), (), {"arrays": list(arrays.values())})


def _columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Give columns that keep the names by which their file knows them."""
    return tuple(Column(name, column(name, None, 0).unit) for name in names)


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
