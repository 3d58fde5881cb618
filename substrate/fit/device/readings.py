"""What the readings of a file are: conductances, by the unit that is said, or weights.

    siemens    G,   1 / R,   I / V    where a header or a caller says the unit
    weights    where a header or a caller says so, or readings of no unit have both signs

Readings of no unit and one sign are taken for siemens, ohms or amperes, and said to be, as long as
a cell may have so much: what conducts more than `_LARGEST` is in another unit, and is asked about.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from devices.measurement_columns import Column, MeasurementError, factor
from devices.measurement_file import Table
from devices.measurement_numbers import to_numbers
from substrate.fit.device.layout import OF_READINGS, SAID, Asked, Values, currents_of

_LARGEST = 0.1
"""S, 10 Ω: no single cell conducts more."""
_WORDS = {"S": "siemens", "Ohm": "ohms", "A": "amperes"}
_LIKELY = {"S": ("uS", "nS"), "Ohm": ("kOhm", "MOhm"), "A": ("uA", "nA")}


@dataclass(frozen=True)
class Readings:
    """Columns of readings of one file.

    Attributes:
        path: the file.
        columns: siemens, weights, or amperes of a sweep, by device or file.
        kind: what they are; unsaid where neither header nor caller says.
        header: a column, for people.
        unit: SI unit that they are taken to be in.
    """

    path: Path
    columns: dict[str, Values]
    kind: Literal["siemens", "weight", "sweep", "unsaid"]
    header: Column
    unit: str

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest; NaN where there are none."""
        every = np.concatenate(list(self.columns.values()))
        finite = every[np.isfinite(every)]
        return (float(finite.min()), float(finite.max())) if len(finite) else (math.nan, math.nan)


def readings_of(
    table: Table,
    roles: dict[str, int],
    columns: list[Any],
    asked: Asked,
) -> Readings:
    """Give the column that says that it is one of readings, or all that say nothing.

    Raises:
        MeasurementError: there is none, or it is not known what they are.
    """
    path = table.path

    def numbers(place: int) -> Values:
        return to_numbers(columns[place], table.columns[place].name, path)

    if "sweep" in roles:
        currents = {}
        for place in currents_of(table, roles):
            scale, _ = factor(table.columns[place].unit) or (1.0, "A")
            name = path.stem if "current" in roles else table.columns[place].called
            currents[name] = scale * numbers(place)
        return Readings(path, currents, "sweep", table.columns[place], "A")
    said = next((role for role in SAID if role in roles), None)
    rest = [place for place in range(len(table.columns)) if place not in roles.values()]
    places = [roles[said]] if said else rest
    if not places:
        raise MeasurementError(
            f"{path.name}: none of its columns ({table.listed()}) is a conductance; call one "
            "conductance, resistance or current in the header, such as G (uS)"
        )
    by_name = {"resistance": "Ohm", "current": "A"}.get(said or "", "S")
    units = {place: _unit(table.columns[place], by_name, said, path, asked) for place in places}
    kinds = {kind: place for place, (_, _, kind) in units.items()}
    if len(kinds) > 1:
        odd = table.columns[kinds.get("unsaid", places[-1])]
        raise MeasurementError(
            f"{path.name}: column {odd} says no unit and others beside it do; write it in the "
            "header, or delete the column if it is none of readings"
        )
    result = {}
    for place, (scale, unit, _) in units.items():
        name = path.stem if said or len(table.columns) == 1 else table.columns[place].called
        readings = scale * numbers(place)
        if unit == "A":
            readings = readings / _read_voltage(path, asked)
        with np.errstate(divide="ignore"):
            readings = 1 / readings if unit == "Ohm" else readings
        result[f"{path.stem} {name}" if name.isdecimal() else name] = readings
    _, unit, kind = units[places[0]]
    return Readings(path, result, kind, table.columns[places[0]], unit)


def _unit(
    column: Column, by_name: str, said: str | None, path: Path, asked: Asked
) -> tuple[float, str, Literal["siemens", "weight", "unsaid"]]:
    """Factor, SI unit and kind of a column's numbers."""
    known = factor(column.unit)
    if known is None and asked.unit is not None and said != "weight":
        if asked.unit == "weight":
            return 1.0, "", "weight"
        known = factor(asked.unit)
        assert known is not None  # checked beforehand
        if said is not None and known[1] != by_name:
            raise MeasurementError(
                f"{path.name}: column {column} is no {said} if it is in {asked.unit}, as --unit "
                "says; call it otherwise"
            )
    if said == "weight" or known == (1.0, "1"):
        return 1.0, "", "weight"
    if known is None:
        return 1.0, by_name, "unsaid"
    if known[1] not in OF_READINGS:
        raise MeasurementError(
            f"{path.name}: column {column} is in {column.unit}, and no reading of a cell; delete "
            "it, or call it voltage if it is one"
        )
    return known[0], known[1], "siemens"


def _read_voltage(path: Path, asked: Asked) -> float:
    if asked.read_voltage is None:
        raise MeasurementError(f"{path.name} has currents: type --read-voltage V for conductances")
    return asked.read_voltage


def check_asked(asked: Asked) -> None:
    """See to it that what a caller says can be.

    Raises:
        MeasurementError: a read voltage of 0, or a unit of something else.
    """
    volts = asked.read_voltage
    if volts is not None and (volts == 0 or not math.isfinite(volts)):
        raise MeasurementError(
            f"--read-voltage {volts:g}: a conductance is a current over the voltage that it was "
            "read at, which is not 0; type it in volts"
        )
    known = factor(asked.unit)
    if asked.unit not in (None, "weight") and (known is None or known[1] not in OF_READINGS):
        raise MeasurementError(
            f"--unit {asked.unit}: readings are in siemens, ohms or amperes with a prefix, such "
            "as uS, kOhm, nA, or they are called weight"
        )


def settle(files: Sequence[Readings], asked: Asked) -> tuple[bool, list[str]]:
    """Find out whether all files are of conductances; gives that, and what there is to say.

    Raises:
        MeasurementError: it cannot be, or something that a caller said is of no use.
    """
    of_cells = [each for each in files if each.kind != "sweep"]
    for what, given, used in (
        ("--unit", asked.unit, any(factor(each.header.unit) is None for each in files)),
        ("--read-voltage", asked.read_voltage, any(each.unit == "A" for each in of_cells)),
    ):
        if given is not None and not used:
            why = "every header says a unit" if what == "--unit" else "no current was read at one"
            raise MeasurementError(f"{what} {given} is of no use: {why}; leave it out")
    known = next((each for each in files if each.kind == "siemens"), None)
    unsaid = [each for each in files if each.kind == "unsaid"]
    weights = [each for each in files if each.kind == "weight"]
    signed = [each for each in unsaid if min(each.ends) < 0]
    if known and (weights or signed):
        other = [*weights, *signed][0]
        what = "is of weights" if weights else "has readings below 0"
        raise MeasurementError(
            f"{known.path.name} is in siemens and {other.path.name} {what}: give its unit in the "
            "header, such as G (uS), or fit one without the other"
        )
    if weights or signed:
        of = ", ".join(each.path.name for each in unsaid)
        return False, [f"{of}: readings of no unit are taken as weights"] if unsaid else []
    notes = []
    for each in unsaid:
        largest = max(each.ends)
        if not largest <= _LARGEST:
            raise _asked_for_unit(each, largest)
        notes.append(
            f"{each.path.name}: column {each.header} says no unit and is taken to be in "
            f"{_WORDS[each.unit]}, which makes {largest:.4g} S at most; --unit says otherwise"
        )
    return True, notes


def _asked_for_unit(readings: Readings, largest: float) -> MeasurementError:
    prefix = 1e-3 if readings.unit == "Ohm" else 1e-6
    likely = _LIKELY[readings.unit][0 if largest * prefix <= _LARGEST else 1]
    name = readings.header.called
    return MeasurementError(
        f"{readings.path.name}: column {name} says no unit, and in {_WORDS[readings.unit]} it "
        f"would make {largest:.4g} S, which no cell has; write its unit in the header, such as "
        f"{name} ({likely}), or type --unit {likely}, or --unit weight if they are weights"
    )
