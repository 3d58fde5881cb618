"""How a text file of measurements is laid out, from its first lines.

    where the numbers begin     after the first line from which on rows have the same cells
    the separator               tab, semicolon, comma or blanks
    the decimal mark            a comma where the separator is none and cells have one
    names and units             the last line before the numbers: `I (µA)`, `I [uA]`, `I / µA`,
                                or a line of units under a line of names

Nothing is guessed that could be read in two ways: such a file is asked about.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Literal

from devices.measurement_columns import (
    NOT_A_NUMBER,
    OVERFLOW,
    Column,
    MeasurementError,
    column,
    factor,
)

SNIFFED = 1 << 16
"""Characters of a text file that its layout is found in."""

Decimal = Literal[".", ","]

_THOUSANDS = re.compile(r'(?:^|[;\t])\s*"?([-+]?\d{1,3}(?:\.\d{3})+,\d+)"?\s*(?=[;\t]|$)')


def encoding_of(path: Path) -> str:
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


def cells_of(line: str, separator: str | None) -> list[str]:
    """Cut a line into its cells; blanks separate them where the separator is None."""
    bare = line.strip("\r\n")
    if separator and '"' in bare:  # a separator in quotes is none
        cells = next(csv.reader([bare], delimiter=separator, skipinitialspace=True), [])
    else:
        cells = bare.split(separator)
    return [cell.strip().strip('"').strip() for cell in cells]


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


def find_numbers(
    lines: list[str], path: Path, decimal: Decimal | None
) -> tuple[str | None, str, int]:
    """Give separator, decimal mark and the first row of numbers, or of which some cell is one.

    Raises:
        MeasurementError: there is none, or it can be read in two ways.
    """
    for number, line in enumerate(lines, 1):
        if (";" in line or "\t" in line) and (found := _THOUSANDS.search(line)):
            raise MeasurementError(
                f"{path.name}: {found[1]} in line {number} has marks between thousands; export "
                "numbers without them"
            )
    quoted = any('"' in line for line in lines)
    readings = []
    for separator in ("\t", ";", ",", None):
        for mark in (decimal,) if decimal else (".", ","):
            if separator == mark and not quoted:
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
        named = len(cells_of(lines[start - 1], ",")) if start else 0
        if start and named == 1 and not lines[start - 1].lstrip().startswith(("#", "%")):
            best = next(each for each in rivals if each[0] is None)
        elif named != len(cells_of(lines[start], ",")):
            raise MeasurementError(
                f"{path.name}: {lines[start].strip()!r} can be two columns or one number with a "
                'decimal comma; type --decimal , or --decimal . (in a scenario, decimal: ",")'
            )
    _refuse_second_header(lines, best[2], path)
    _refuse_cut_numbers(lines, best[0], best[2], path)
    return best[0], best[1], best[2]


def _refuse_second_header(lines: list[str], first: int, path: Path) -> None:
    """Of a file that was put together from several, only the last would be read."""
    above = lines[first - 1].strip() if first else ""
    earlier = [number for number, line in enumerate(lines[: first - 1], 1) if line.strip() == above]
    if above and earlier:
        raise MeasurementError(
            f"{path.name}: the header of line {earlier[-1]} stands again in line {first}; delete "
            "it there, or keep a file for each table"
        )


def _refuse_cut_numbers(lines: list[str], separator: str | None, first: int, path: Path) -> None:
    """Where commas are decimal marks and separate columns too, numbers would come in two."""
    if separator != "," or not first:
        return
    above, row = lines[first - 1], lines[first]
    names, cells = len(cells_of(above, ",")), len(cells_of(row, ","))
    if 1 < names < cells <= 2 * names and "." not in row and above.lstrip()[0] not in "#%!":
        raise MeasurementError(
            f"{path.name}: line {first} names {names} columns, and the next has {cells} cells, "
            f"{row.strip()!r}; if commas are decimal marks, export with semicolons between columns"
        )


def _longest_run(
    lines: list[str], separator: str | None, mark: str
) -> tuple[int, int, float, int] | None:
    """First row, number of rows, share of numbers and of columns of the table in the lines."""
    rows = [
        (number, cells_of(line, separator))
        for number, line in enumerate(lines)
        if line.strip() and line.lstrip()[0] not in "#%!"
    ]
    # Read backwards: what is above the table differs from it, and its end is in sight or cut off.
    # A row of text ends the table, unless rows of nothing but numbers go on above it.
    start = width = None
    good, share = 0, 0.0
    ended = False
    texts: list[bool] = []
    for number, cells in reversed(rows):
        numeric = [_is_number(cell, mark) for cell in cells]
        numbers = any(cell and is_one for cell, is_one in zip(cells, numeric, strict=True))
        if start is not None and not ended and not numbers and "" in cells:
            # a row whose number is missing, beside what the table has as text
            text = [not is_one for is_one in numeric]
            if len(cells) == width and any(text) and text == texts:
                start = number
                continue
        if not numbers or (width is not None and len(cells) != width):
            ended = start is not None
        elif not ended or all(numeric):
            start, width, good = number, len(cells), good + 1
            texts = [not is_one for is_one in numeric]
            share += sum(numeric) / len(cells)
    if start is None or width is None or (good < 2 and len(rows) > 1):
        return None
    return start, good, round(share / good, 6), width


def header(above: list[str], separator: str | None, width: int) -> tuple[Column, ...]:
    """Names and units from the last lines above the numbers that have as many cells."""
    found = []
    for line in reversed(above):
        bare = line.strip().lstrip("#%!").strip() if line.strip()[:1] in "#%!" else line
        cells = cells_of(bare, separator)
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
        column(name, unit, number)
        for number, (name, unit) in enumerate(zip(names, units, strict=True), 1)
    )
