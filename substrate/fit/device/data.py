"""What labs' files say of devices: the curves in their columns (`layout.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from devices.measurement_columns import MeasurementError, factor
from devices.measurement_file import Table, open_table, to_numbers
from substrate.fit.device.layout import (
    Asked,
    Values,
    branches_of,
    conductance_columns,
    described,
    pulse_signs,
    roles_of,
    says_siemens,
)


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


def read_devices(paths: Sequence[Path], asked: Asked) -> Measured:
    """Read all files; their curves are put together.

    Raises:
        MeasurementError: a file cannot be read, or does not say what its columns are.
    """
    found = Measured()
    by_stem = {path.stem: path for path in paths}
    for path in paths:
        if (other := by_stem[path.stem]) != path:
            raise MeasurementError(
                f"{path} and {other} have one name, by which devices are told apart: rename one"
            )
    in_siemens = [_add_file(found, path, asked) for path in paths]
    readings = [each.readings for each in found.responses]
    readings += [each.readings for each in (*found.reads, *found.retention)]
    if any(each.min() < 0 for each in readings):
        if any(in_siemens):
            known = next(path for path, each in zip(paths, in_siemens, strict=True) if each)
            raise MeasurementError(
                f"{known.name} is in siemens and other readings are below 0: give the others' unit "
                "in the header, such as G (uS)"
            )
        found.siemens = False
    if not (found.responses or found.retention or found.reads or found.sweeps):
        raise MeasurementError("no curves were found in these files")
    return found


def _add_file(found: Measured, path: Path, asked: Asked) -> bool:
    """Add a file's curves; gives whether it says that they are conductances."""
    table = open_table(path, asked.decimal)
    columns = _columns(table)
    roles = roles_of(table.columns)
    rows = np.full(len(columns[0]), True)
    values: dict[str, Values] = {}
    for role, place in roles.items():
        if role not in ("device", "direction"):
            unit = factor(table.columns[place].unit)
            name = table.columns[place].name
            values[role] = to_numbers(columns[place], name, path) * (unit[0] if unit else 1.0)
    conductances = conductance_columns(table, roles, columns, values, asked)
    in_siemens = says_siemens(table, roles)
    if in_siemens:
        conductances = {
            name: _above_zero(each, name, path, asked) for name, each in conductances.items()
        }
    for name, each in conductances.items():
        broken = ~np.isfinite(each)
        if broken.any() and len(conductances) == 1:
            rows &= ~broken
        if broken.any() and asked.missing == "refuse":
            raise MeasurementError(
                f"{path.name}: {broken.sum()} of {len(each)} readings of {name} are not finite, "
                f"the first in row {int(broken.argmax()) + 1}; type --missing drop"
            )
    found.notes.append(f"{path.name}: {described(table, roles, conductances)}")
    for role in ("height", "width"):
        if role in values:
            kinds = sorted(set(np.round(values[role][np.isfinite(values[role])], 15).tolist()))
            found.pulse_kinds[role] = sorted({*found.pulse_kinds.get(role, []), *kinds})
    branches = branches_of(conductances)
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
                for group in _unique(cycles[mine]):
                    of_group = mine & (cycles == group)
                    one = Series(label, values["time"][of_group], readings[of_group])
                    found.retention.append(one)
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
                signs = pulse_signs(table, columns, roles, values, mine, asked)
                _add_responses(found, label, readings, signs, cycles, values, mine)
    return in_siemens


def _above_zero(readings: Values, name: str, path: Path, asked: Asked) -> Values:
    """Take conductances below 0 for missing, which they are: an instrument's offset."""
    below = readings < 0
    if below.any() and asked.missing == "refuse":
        raise MeasurementError(
            f"{path.name}: {below.sum()} of {len(readings)} readings of {name} are below 0 S, the "
            f"first in row {int(below.argmax()) + 1}: take off the instrument's offset, or type "
            "--missing drop to leave them out"
        )
    return np.where(below, np.nan, readings)


def _columns(table: Table) -> list[Any]:
    places = list(range(len(table.columns)))
    parts = list(table.parts(places))
    return [np.concatenate([np.asarray(part[place]) for part in parts]) for place in places]


def _labels(columns: list[Any], place: int | None, rows: np.ndarray) -> np.ndarray:
    if place is None:
        return np.full(len(rows), "", dtype=object)
    return np.array([str(each) for each in columns[place]], dtype=object)


def _unique(labels: np.ndarray) -> list[str]:
    return list(dict.fromkeys(labels.tolist()))


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
