"""Which columns of a lab's file are what, and what a caller says beside.

Columns are known by their names and units:

    conductance, resistance, or current with a read voltage      what is measured (`readings.py`)
    weight                                                       likewise, and no conductance
    device, die, row and column, ... (`labels.py`), cycle        whose it is, and which time round
    direction, or the sign of a pulse height                     up or down
    columns called up and down, or D1 pot and D1 dep             likewise, a branch each
    pulse                                                        number of the pulse
    time                                                         of a retention series
    read                                                         of repeated read-outs
    voltage and current, or a column of amperes a device         of a sweep

One table may hold many devices; columns that are not known by any of these are conductances of a
device each, and so may be files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from devices.measurement_columns import QUANTITIES, Column, MeasurementError, factor, is_called
from devices.measurement_file import Table
from devices.text_layout import Decimal

Values = Float64[np.ndarray, " readings"]

_NUMBER = r"([ _]?((id|no|nr|num|number|name|nummer|index|count)\.?|#))?"
_COUNT = r"(n|no\.?|nr\.?|num|number|count|#|total|cumulative|applied|anzahl)([ _]?(of|der))?"
_NAMES = {
    "device": rf"(device|dev|cell|id|sample|junction|zelle|bauteil|probe){_NUMBER}",
    "wafer": rf"wafer{_NUMBER}",
    "die": rf"die{_NUMBER}",
    "chip": rf"chip{_NUMBER}",
    "row": rf"(row|word[ _]?line|wl|zeile){_NUMBER}",
    "column": rf"(col|column|bit[ _]?line|bl|spalte){_NUMBER}",
    "x": "x",
    "y": "y",
    "cycle": rf"(cycles?|cyc|loops?|repetitions?|zyklus|zyklen|durchlauf){_NUMBER}",
    "pulse": rf"(pulses?|puls|n|no\.?|nr\.?|index|#){_NUMBER}|{_COUNT}[ _]?puls(es?)?"
    r"|puls(es|e)?[ _]?(applied|total|nummer|zahl|anzahl)",
    "direction": r"(pulse[ _])?(direction|dir|polarity|branch|phase|process|type)"
    r"|(puls)?(richtung|polarität)",
    "read": rf"(reads?|lesung|auslesung){_NUMBER}",
    "height": r"(pulse[ _])?(height|amplitude)|v[ _]?(pulse|prog|write)|pulse[ _]?voltage"
    r"|puls(höhe|hoehe|spannung)",
    "width": r"(pulse[ _])?(width|duration|length)|t[ _]?pulse|puls(breite|dauer)",
    "time": QUANTITIES["s"],
    "weight": r"w|weight|gewicht",
    "conductance": QUANTITIES["S"],
    "resistance": QUANTITIES["Ohm"],
    "current": QUANTITIES["A"],
    "voltage": QUANTITIES["V"],
}
"""What columns are called, in English and German, in capitals or not."""
_UNITS = {
    **{"height": "V", "width": "s", "time": "s", "voltage": "V"},
    **{"conductance": "S", "resistance": "Ohm", "current": "A"},
}
OF_READINGS = ("S", "Ohm", "A")
SAID = ("weight", "conductance", "resistance", "current")
"""Roles of a column that says that it is of readings: no other column is."""
_UP = {
    *("up", "pot", "potentiation", "potentiate", "set", "p", "ltp", "+", "1", "1.0", "+1", "inc"),
    *("auf", "hoch", "potenzierung"),
}
_DOWN = {
    *("down", "dep", "depression", "depress", "reset", "d", "ltd", "-", "-1", "-1.0", "0", "0.0"),
    *("dec", "ab", "runter"),
}
_IN_NAME = {
    1: re.compile(r"(^|[^a-z])(up|pot|potentiation|ltp|set|auf|potenzierung)([^a-z]|$)"),
    -1: re.compile(r"(^|[^a-z])(down|dep|depression|ltd|reset|ab)([^a-z]|$)"),
}


@dataclass(frozen=True)
class Asked:
    """What a caller says of the files beside what they say themselves.

    Attributes:
        read_voltage: of currents, V.
        up: readings after pulses up, in turn with `down`.
        down: likewise.
        missing: refuse rows without a reading, or drop them.
        decimal: the mark before decimals; None where it is to be found.
        unit: of readings whose header says none, such as uS, or weight.
    """

    read_voltage: float | None = None
    up: int | None = None
    down: int | None = None
    missing: str = "refuse"
    decimal: Decimal | None = None
    unit: str | None = None


def roles_of(table: Table) -> dict[str, int]:
    """Which column is what; a voltage beside currents, and nothing of pulses, is a sweep.

    Raises:
        MeasurementError: a column's unit is not one of what its name says.
    """
    roles: dict[str, int] = {}
    for place, column in enumerate(table.columns):
        role = _role_of(column, table.path)
        if role is not None:
            roles.setdefault(role, place)
    for one, other in (("row", "column"), ("x", "y")):
        if (one in roles) != (other in roles):  # a number of rows, or places on an axis
            del roles[one if one in roles else other]
    of_pulses = {"pulse", "direction", "height"} & set(roles)
    if "voltage" in roles and not of_pulses and currents_of(table, roles):
        roles["sweep"] = roles["voltage"]
    elif "voltage" in roles and "height" not in roles:
        roles["height"] = roles.pop("voltage")
    return roles


def currents_of(table: Table, roles: dict[str, int]) -> list[int]:
    """Where currents are: the column called so, or all others where none says what was read."""
    if "current" in roles:
        return [roles["current"]]
    rest = [place for place in range(len(table.columns)) if place not in roles.values()]
    units = {(factor(table.columns[place].unit) or ("", ""))[1] for place in rest}
    return rest if units == {"A"} and not set(SAID) & set(roles) else []


def counts_rows(table: Table, columns: list[Any], roles: dict[str, int]) -> bool:
    """Whether a first column of no name numbers the rows, of a branch or of all, and is no cell."""
    first = np.asarray(columns[0])
    if len(columns) < 2 or len(first) < 2 or 0 in roles.values() or table.columns[0].name != "1":
        return False
    if first.dtype.kind not in "fiu":
        return False
    return bool(((np.diff(first) == 1) | (first[1:] == first[0])).all() and np.ptp(first) > 0)


def _role_of(column: Column, path: Path) -> str | None:
    """What a column is by its name, or by its unit where that says more."""
    known = factor(column.unit)
    unit = known[1] if known else None
    role = next((role for role, each in _NAMES.items() if is_called(column.called, each)), None)
    if role is None:
        return "time" if unit == "s" else None
    if role == "pulse" and unit in ("V", "s"):
        return {"V": "height", "s": "width"}[unit]
    if unit is None or unit == _UNITS.get(role):
        return role
    if role in _UNITS and (role, unit) != ("conductance", "1"):
        raise MeasurementError(
            f"{path.name}: column {column} is in {column.unit}, and no {role}; call it otherwise, "
            "or mend its unit"
        )
    # a cell called `Cell 1 (uS)`, a weight in siemens
    return None if unit in OF_READINGS else role


def branch_of(name: str) -> tuple[int, str] | None:
    """Sign of the branch that a column or a file is called after, and the rest of its name."""
    matches = [(sign, each.search(name.lower())) for sign, each in _IN_NAME.items()]
    of_name = [(sign, match) for sign, match in matches if match]
    if len(of_name) != 1:
        return None
    sign, match = of_name[0]
    return sign, f"{name[: match.start(2)]}{name[match.end(2) :]}".strip(" _-.:")


def branches_of(names: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Sign and device of columns such as up and down, or `D1 pot` and `D1 dep`; all or none."""
    found: dict[str, tuple[int, str]] = {}
    for name in names:
        branch = branch_of(name)
        if branch is None:
            return {}
        found[name] = branch
    return found if len({sign for sign, _ in found.values()}) == 2 else {}


def described(table: Table, roles: dict[str, int], readings: int) -> str:
    """Say how a file was understood, and what of it is not used.

    Raises:
        MeasurementError: a column is about pulses and is not understood.
    """
    rest = [each for place, each in enumerate(table.columns) if place not in roles.values()]
    for column in rest:
        if "puls" in column.called.lower() and (factor(column.unit) or ("", ""))[1] not in (
            OF_READINGS
        ):
            raise MeasurementError(
                f"{table.path.name}: column {column} is of pulses, and not understood; call it "
                "pulse if it numbers them, direction, height (V) or width (s), or delete it"
            )
    known = [f"{role} {table.columns[place]}" for role, place in roles.items() if role != "sweep"]
    if "time" in roles and table.columns[roles["time"]].unit is None:
        known.append("times of no unit are seconds")
    columns = "1 column" if readings == 1 else f"{readings} columns"
    if set(SAID) & set(roles) and rest:
        known.append(f"not used: {', '.join(str(column) for column in rest)}")
    return "; ".join([f"{columns} of readings", *known])


def pulse_signs(
    table: Table,
    columns: list[Any],
    roles: dict[str, int],
    values: dict[str, Values],
    mine: np.ndarray,
    asked: Asked,
) -> Int64[np.ndarray, " mine"]:
    """Whether each row comes after pulses up (1), down (-1), or none (0)."""
    path, count = table.path, int(mine.sum())
    if "direction" in roles:
        words = [
            str(each).strip().lower() for each in np.asarray(columns[roles["direction"]])[mine]
        ]
        strange = next((word for word in words if word not in _UP | _DOWN), None)
        if strange is not None:
            raise MeasurementError(
                f"{path.name}: direction {strange!r} is neither up nor down; write up and down"
            )
        return np.array([1 if word in _UP else -1 for word in words])
    if "height" in roles and (values["height"][mine] != 0).any():
        heights = np.nan_to_num(values["height"][mine])
        signs: Int64[np.ndarray, " mine"] = np.sign(heights).astype(np.int64)
        if len(set(signs.tolist()) - {0}) == 2:
            return signs
    if asked.up is not None:
        period = asked.up + (asked.down or 0)
        place = np.arange(count) % period
        return np.where(place < asked.up, 1, -1)
    branch = branch_of(path.stem)
    if branch is not None:
        return np.full(count, branch[0])
    raise MeasurementError(
        f"{path.name} does not say which pulses go up and which down: type --up N --down M for N "
        "readings up and M down in turn, add a column direction with up and down, or name the "
        "files potentiation and depression"
    )
