"""Which columns of a lab's file are what, and what a caller says beside.

Columns are known by their names and units:

    conductance, resistance, or current with a read voltage      what is measured
    device, cycle                                                whose it is, and which time round
    direction, or the sign of a pulse height                     up or down
    columns called up and down, or D1 pot and D1 dep             likewise, a branch each
    pulse                                                        number of the pulse
    time                                                         of a retention series
    read                                                         of repeated read-outs
    voltage and current                                          of a sweep

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

from devices.measurement_columns import Column, MeasurementError, factor
from devices.measurement_file import Table, to_numbers
from devices.text_layout import Decimal

Values = Float64[np.ndarray, " readings"]

_NAMES = {
    "device": r"(device|dev|cell|id|sample|junction)([ _]?(id|no|nr|number|name))?",
    "cycle": r"(cycle|cyc|loop|repetition)s?([ _]?(no|nr|number))?",
    "pulse": r"(pulses?|n|no|nr|index|#)([ _]?(no|nr|number|index|count))?",
    "direction": r"direction|dir|polarity|branch|phase|process|type",
    "read": r"reads?([ _]?(no|nr|number|index))?",
    "height": r"(pulse[ _])?(height|amplitude)|v[ _]?(pulse|prog|write)|pulse[ _]?voltage",
    "width": r"(pulse[ _])?(width|duration|length)|t[ _]?pulse",
    "time": r"time|t|elapsed([ _]time)?|time[ _]since[ _]programming",
    "conductance": r"g|conductance|g[ _]?(read|meas|cell)|w|weight",
    "resistance": r"r|resistance|r[ _]?(read|meas|cell)",
    "current": r"i|current|i[ _]?(read|meas|cell)",
    "voltage": r"v|u|voltage|bias",
}
_UP = {"up", "pot", "potentiation", "potentiate", "set", "p", "ltp", "+", "1", "1.0", "+1", "inc"}
_DOWN = {"down", "dep", "depression", "depress", "reset", "d", "ltd", "-", "-1", "-1.0", "0", "dec"}
_IN_NAME = {
    1: re.compile(r"(^|[^a-z])(up|pot|potentiation|ltp|set)([^a-z]|$)"),
    -1: re.compile(r"(^|[^a-z])(down|dep|depression|ltd|reset)([^a-z]|$)"),
}


@dataclass(frozen=True)
class Asked:
    """What a caller says of the files beside what they say themselves."""

    read_voltage: float | None = None
    up: int | None = None
    down: int | None = None
    missing: str = "refuse"
    decimal: Decimal | None = None


def roles_of(columns: Iterable[Column]) -> dict[str, int]:
    """Which column is what; a voltage beside a current, and nothing of pulses, is a sweep."""
    roles: dict[str, int] = {}
    for place, column in enumerate(columns):
        unit = factor(column.unit)
        for role, pattern in _NAMES.items():
            if role not in roles and re.fullmatch(pattern, column.name.strip(), re.IGNORECASE):
                roles[role] = place
                break
        else:
            by_unit = {"s": "time"}.get(unit[1] if unit else "")
            if by_unit and by_unit not in roles:
                roles[by_unit] = place
    if {"voltage", "current"} <= set(roles) and not {"pulse", "direction", "height"} & set(roles):
        roles["sweep"] = roles["voltage"]
    elif "voltage" in roles and "height" not in roles:
        roles["height"] = roles.pop("voltage")
    return roles


def conductance_columns(
    table: Table,
    roles: dict[str, int],
    columns: list[Any],
    values: dict[str, Values],
    asked: Asked,
) -> dict[str, Values]:
    """Conductance columns by name: the one that says so, or all that say nothing."""
    path = table.path
    stem = path.stem
    if "sweep" in roles:
        return {stem: values["current"]}
    if "conductance" in roles:
        return {stem: values["conductance"]}
    if "resistance" in roles:
        return {stem: 1 / values["resistance"]}
    if "current" in roles:
        return {stem: values["current"] / _read_voltage(path, asked)}
    result = {}
    for place, column in enumerate(table.columns):
        if place in roles.values():
            continue
        scale, unit = factor(column.unit) or (1.0, "")
        readings = scale * to_numbers(columns[place], column.name, path)
        if unit == "V":
            raise MeasurementError(
                f"{path.name}: column {column.name} is in volts, and no reading of a cell; delete "
                "it, or call it voltage"
            )
        if unit == "A":
            readings = readings / _read_voltage(path, asked)
        result[column.name if len(table.columns) > 1 else stem] = (
            1 / readings if unit == "Ohm" else readings
        )
    if not result:
        raise MeasurementError(
            f"{path.name}: none of its columns ({table.listed()}) is a conductance; call one "
            "conductance, resistance or current in the header, such as G (uS)"
        )
    return {
        (name if not name.isdecimal() else f"{stem} {name}"): each for name, each in result.items()
    }


def _read_voltage(path: Path, asked: Asked) -> float:
    if asked.read_voltage is None:
        raise MeasurementError(f"{path.name} has currents: type --read-voltage V for conductances")
    return asked.read_voltage


def says_siemens(table: Table, roles: dict[str, int]) -> bool:
    """Whether a file's header says that its readings are conductances, or what makes them so."""
    if "sweep" in roles:
        return False
    units = {
        place: (factor(column.unit) or (1.0, ""))[1] for place, column in enumerate(table.columns)
    }
    if "conductance" in roles:
        return units[roles["conductance"]] == "S"
    if "resistance" in roles or "current" in roles:
        return True
    return any(
        unit in ("S", "A", "Ohm") for place, unit in units.items() if place not in roles.values()
    )


def branches_of(names: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Sign and device of columns such as up and down, or `D1 pot` and `D1 dep`; all or none."""
    found: dict[str, tuple[int, str]] = {}
    for name in names:
        matches = [(sign, each.search(name.lower())) for sign, each in _IN_NAME.items()]
        of_name = [(sign, match) for sign, match in matches if match]
        if len(of_name) != 1:
            return {}
        sign, match = of_name[0]
        rest = f"{name[: match.start(2)]}{name[match.end(2) :]}".strip(" _-.:")
        found[name] = sign, rest
    return found if len({sign for sign, _ in found.values()}) == 2 else {}


def described(table: Table, roles: dict[str, int], conductances: dict[str, Values]) -> str:
    """Say how a file was understood."""
    known = ", ".join(f"{role} {table.columns[place].name}" for role, place in roles.items())
    return f"{len(conductances)} columns of readings" + (f"; {known}" if known else "")


def pulse_signs(
    table: Table,
    columns: list[Any],
    roles: dict[str, int],
    values: dict[str, Values],
    mine: np.ndarray,
    asked: Asked,
) -> Int64[np.ndarray, " readings"]:
    """Whether each reading comes after pulses up (1) or down (-1)."""
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
        signs: Int64[np.ndarray, " mine"] = np.sign(values["height"][mine]).astype(np.int64)
        if len(set(signs.tolist()) - {0}) == 2:
            signs[signs == 0] = 1
            return signs
    if asked.up is not None:
        period = asked.up + (asked.down or 0)
        place = np.arange(count) % period
        return np.where(place < asked.up, 1, -1)
    named = [sign for sign, pattern in _IN_NAME.items() if pattern.search(path.stem.lower())]
    if len(named) == 1:
        return np.full(count, named[0])
    raise MeasurementError(
        f"{path.name} does not say which pulses go up and which down: type --up N --down M for N "
        "readings up and M down in turn, add a column direction with up and down, or name the "
        "files potentiation and depression"
    )
