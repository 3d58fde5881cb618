"""What labs' files say of devices: which columns are what, and the curves in them.

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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from devices.measurement_columns import Column, MeasurementError, factor
from devices.measurement_file import Table, open_table, to_numbers
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
class Response:
    """Readings of one device in one cycle, after pulses.

    Attributes:
        device: its name.
        readings: conductance, S, or weight where the file has no unit and both signs.
        pulses: between each reading and the one before; positive up, negative down; 0 at first.
    """

    device: str
    readings: Values
    pulses: Int64[np.ndarray, " readings"]


@dataclass(frozen=True)
class Series:
    """One device's conductances at times after programming, or at repeated reads."""

    device: str
    places: Values
    readings: Values


@dataclass
class Measured:
    """All that was found in the files.

    Attributes:
        responses: to pulses.
        retention: against seconds since programming.
        reads: repeated reads of an undisturbed device.
        sweeps: current in A against voltage in V.
        siemens: whether readings are conductances.
        pulse_kinds: heights in V and widths in s that were used, where the files say.
        notes: for people.
    """

    responses: list[Response] = field(default_factory=list)
    retention: list[Series] = field(default_factory=list)
    reads: list[Series] = field(default_factory=list)
    sweeps: list[Series] = field(default_factory=list)
    siemens: bool = True
    pulse_kinds: dict[str, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Asked:
    """What a caller says of the files beside what they say themselves."""

    read_voltage: float | None = None
    up: int | None = None
    down: int | None = None
    missing: str = "refuse"
    decimal: Decimal | None = None


def read_devices(paths: Sequence[Path], asked: Asked) -> Measured:
    """Read all files; their curves are put together.

    Raises:
        MeasurementError: a file cannot be read, or does not say what its columns are.
    """
    found = Measured()
    for path in paths:
        _add_file(found, path, asked)
    readings = [each.readings for each in found.responses]
    readings += [each.readings for each in (*found.reads, *found.retention)]
    if any(each.min() < 0 for each in readings):
        found.siemens = False
    if not (found.responses or found.retention or found.reads or found.sweeps):
        raise MeasurementError("no curves were found in these files")
    return found


def _add_file(found: Measured, path: Path, asked: Asked) -> None:
    table = open_table(path, asked.decimal)
    columns = _columns(table)
    roles = _roles(table.columns)
    rows = np.full(len(columns[0]), True)
    values: dict[str, Values] = {}
    for role, place in roles.items():
        if role not in ("device", "direction"):
            unit = factor(table.columns[place].unit)
            name = table.columns[place].name
            values[role] = to_numbers(columns[place], name, path) * (unit[0] if unit else 1.0)
    conductances = _conductances(table, roles, columns, values, asked)
    for name, each in conductances.items():
        broken = ~np.isfinite(each)
        if broken.any() and len(conductances) == 1:
            rows &= ~broken
        if broken.any() and asked.missing == "refuse":
            raise MeasurementError(
                f"{path.name}: {broken.sum()} of {len(each)} readings of {name} are not finite, "
                f"the first in row {int(broken.argmax()) + 1}; type --missing drop"
            )
    found.notes.append(f"{path.name}: {_described(table, roles, conductances)}")
    for role in ("height", "width"):
        if role in values:
            kinds = sorted(set(np.round(values[role][np.isfinite(values[role])], 15).tolist()))
            found.pulse_kinds[role] = sorted({*found.pulse_kinds.get(role, []), *kinds})
    branches = _branches(conductances)
    devices = _labels(columns, roles.get("device"), rows)
    cycles = _labels(columns, roles.get("cycle"), rows)
    for name, readings in conductances.items():
        usable = rows & np.isfinite(readings)
        for device in _unique(devices):
            mine = usable & (devices == device)
            label = device if device != "" else name
            if not mine.any():
                continue
            if "voltage" in roles and "sweep" in roles:
                found.sweeps.append(Series(label, values["voltage"][mine], readings[mine]))
            elif "time" in roles and "direction" not in roles and "pulse" not in roles:
                found.retention.append(Series(label, values["time"][mine], readings[mine]))
            elif "read" in roles and "direction" not in roles and "pulse" not in roles:
                for group in _unique(cycles[mine]):
                    of_group = mine & (cycles == group)
                    found.reads.append(Series(label, values["read"][of_group], readings[of_group]))
            elif name in branches:
                sign, cell = branches[name]
                owner = device if device != "" else cell or path.stem
                signs = np.full(int(mine.sum()), sign)
                _add_responses(found, owner, readings, signs, cycles, values, mine)
            else:
                signs = _signs(table, columns, roles, values, mine, asked)
                _add_responses(found, label, readings, signs, cycles, values, mine)


def _columns(table: Table) -> list[Any]:
    places = list(range(len(table.columns)))
    parts = list(table.parts(places))
    return [np.concatenate([np.asarray(part[place]) for part in parts]) for place in places]


def _roles(columns: Iterable[Column]) -> dict[str, int]:
    """Which column is what; a voltage beside a current, and nothing of pulses, is a sweep."""
    roles: dict[str, int] = {}
    for place, column in enumerate(columns):
        unit = factor(column.unit)
        for role, pattern in _NAMES.items():
            if role not in roles and re.fullmatch(pattern, column.name.strip(), re.IGNORECASE):
                roles[role] = place
                break
        else:
            by_unit = {"s": "time", "Ohm": "resistance"}.get(unit[1] if unit else "")
            if by_unit and by_unit not in roles:
                roles[by_unit] = place
    if {"voltage", "current"} <= set(roles) and not {"pulse", "direction", "height"} & set(roles):
        roles["sweep"] = roles["voltage"]
    elif "voltage" in roles and "height" not in roles:
        roles["height"] = roles.pop("voltage")
    return roles


def _conductances(
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
        if asked.read_voltage is None:
            raise MeasurementError(
                f"{path.name} has currents: type --read-voltage V for conductances"
            )
        return {stem: values["current"] / asked.read_voltage}
    result = {}
    for place, column in enumerate(table.columns):
        if place in roles.values():
            continue
        scale = (factor(column.unit) or (1.0, ""))[0]
        result[column.name if len(table.columns) > 1 else stem] = scale * to_numbers(
            columns[place], column.name, path
        )
    if not result:
        raise MeasurementError(
            f"{path.name}: none of its columns ({table.listed()}) is a conductance; call one "
            "conductance, resistance or current in the header, such as G (uS)"
        )
    return {
        (name if not name.isdecimal() else f"{stem} {name}"): each for name, each in result.items()
    }


def _branches(names: Iterable[str]) -> dict[str, tuple[int, str]]:
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


def _described(table: Table, roles: dict[str, int], conductances: dict[str, Values]) -> str:
    known = ", ".join(f"{role} {table.columns[place].name}" for role, place in roles.items())
    return f"{len(conductances)} columns of readings" + (f"; {known}" if known else "")


def _labels(columns: list[Any], place: int | None, rows: np.ndarray) -> np.ndarray:
    if place is None:
        return np.full(len(rows), "", dtype=object)
    return np.array([str(each) for each in columns[place]], dtype=object)


def _unique(labels: np.ndarray) -> list[str]:
    return list(dict.fromkeys(labels.tolist()))


def _signs(
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


def _add_responses(
    found: Measured,
    device: str,
    readings: Values,
    signs: Int64[np.ndarray, " mine"],
    cycles: np.ndarray,
    values: dict[str, Values],
    mine: np.ndarray,
) -> None:
    own, groups = readings[mine], cycles[mine]
    numbers = values["pulse"][mine] if "pulse" in values else None
    for group in _unique(groups):
        part = groups == group
        sign = signs[part]
        counts = np.ones(int(part.sum()), dtype=np.int64)
        if numbers is not None:
            steps = np.diff(numbers[part])
            usual = steps[steps > 0]
            each = round(float(np.median(usual))) if len(usual) else 1
            counts[1:] = np.where((steps > 0) & (steps < 1e6), np.round(steps), each)
        counts[0] = 0
        found.responses.append(Response(device, own[part], counts * sign))
