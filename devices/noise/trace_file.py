"""Reading one measured trace from a file: CSV, NumPy (.npy, .npz), MATLAB (.mat) or Parquet."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

FORMATS = (".csv", ".txt", ".npy", ".npz", ".mat", ".parquet")

Samples = Float64[np.ndarray, " samples"]


class TraceError(ValueError):
    """A file holds no trace that could be replayed; `str()` says what is wrong."""


def read_trace(path: Path, column: str | int | None = None) -> Samples:
    """Read one column as float64.

    Args:
        path: the file; its ending gives the format. A CSV file may have a line of names first.
        column: a name, or a number counted from 0. May be left out where there is only one.

    Raises:
        TraceError: no such file or column, no numbers, or a format that cannot be read here.
    """
    if not path.is_file():
        beside = [entry.name for entry in path.parent.glob("*")] if path.parent.is_dir() else []
        raise TraceError(f"there is no file {path}{_meant(path.name, beside)}")
    readers = {
        ".csv": _read_text,
        ".txt": _read_text,
        ".npy": _read_npy,
        ".npz": _read_npz,
        ".mat": _read_mat,
        ".parquet": _read_parquet,
    }
    if path.suffix.lower() not in readers:
        raise TraceError(f"{path.name}: traces are read from {', '.join(FORMATS)}")
    try:
        columns = readers[path.suffix.lower()](path)
    except TraceError:
        raise
    except Exception as problem:
        # Every reader fails in ways of its own on a file that is not what its ending says.
        reason = (str(problem).splitlines() or [type(problem).__name__])[0]
        raise TraceError(f"{path.name} cannot be read: {reason}") from problem
    values = np.asarray(_choose(columns, column, path))
    if values.dtype.kind not in "fiub":
        raise TraceError(f"{path.name}: not real numbers, but {values.dtype}")
    samples = values.astype(np.float64).ravel()
    if len(samples) < 2:
        raise TraceError(f"{path.name}: a trace needs two samples at least; found {len(samples)}")
    broken = int((~np.isfinite(samples)).sum())
    if broken:
        first = int(np.argmin(np.isfinite(samples)))
        raise TraceError(
            f"{path.name}: {broken} of {len(samples)} samples are not finite, the first is "
            f"number {first}"
        )
    return samples


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _choose(columns: dict[str, Any], column: str | int | None, path: Path) -> Any:
    names = list(columns)
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    if column is None:
        if len(names) != 1:
            raise TraceError(f"{path.name} has {len(names)} columns ({listed}): name one as column")
        return columns[names[0]]
    if isinstance(column, int) or (column not in columns and column.isdecimal()):
        if int(column) >= len(names):
            raise TraceError(f"{path.name} has {len(names)} columns, counted from 0; no {column}")
        return columns[names[int(column)]]
    if column not in columns:
        raise TraceError(f"{path.name} has no column {column!r}{_meant(column, names)}: {listed}")
    return columns[column]


def _split(values: Any) -> dict[str, Any]:
    """Give the columns of an array by number; a single row or column is one."""
    table = np.atleast_1d(np.squeeze(np.asarray(values)))
    if table.ndim > 2:
        raise TraceError(f"an array of {table.ndim} dimensions is no table of columns")
    return {str(i): line for i, line in enumerate(table.T if table.ndim == 2 else [table])}


def _read_text(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8-sig") as lines:
        first = lines.readline()
    delimiter = next((mark for mark in (",", ";", "\t") if mark in first), None)
    cells = [cell.strip().strip('"') for cell in first.split(delimiter)]
    try:
        [float(cell) for cell in cells]
    except ValueError:
        table = np.loadtxt(path, delimiter=delimiter, skiprows=1, ndmin=2, encoding="utf-8-sig")
        return dict(zip(cells, table.T, strict=True))
    return _split(np.loadtxt(path, delimiter=delimiter, ndmin=2, encoding="utf-8-sig"))


def _read_npy(path: Path) -> dict[str, Any]:
    values = np.load(path, allow_pickle=False)
    if values.dtype.names:
        return {name: values[name] for name in values.dtype.names}
    return _split(values)


def _read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _read_mat(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        variables = loadmat(path)
    except NotImplementedError:
        raise TraceError(
            f"{path.name} is a MATLAB 7.3 file; save it with save(..., '-v7')"
        ) from None
    return {name: value for name, value in variables.items() if not name.startswith("__")}


def _read_parquet(path: Path) -> dict[str, Any]:
    try:
        from pyarrow import parquet
    except ImportError:
        raise TraceError(
            f"{path.name}: reading Parquet needs pyarrow, which is not installed; pip install "
            "pyarrow, or save the trace as CSV or NumPy"
        ) from None
    table = parquet.read_table(path)
    return {name: table.column(name).to_numpy() for name in table.column_names}
