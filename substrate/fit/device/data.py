"""What labs' files say of devices: the curves in their columns (`layout.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from devices.measurement_columns import MeasurementError, factor
from devices.measurement_file import Table, open_table
from devices.measurement_numbers import to_numbers
from substrate.fit.device.courses import courses_of
from substrate.fit.device.labels import WHERE, check_cycles, labels_of, unique
from substrate.fit.device.layout import (
    Asked,
    Values,
    branch_of,
    branches_of,
    counts_rows,
    described,
    pulse_signs,
    roles_of,
)
from substrate.fit.device.readings import Readings, check_asked, readings_of, settle
from substrate.fit.device.runs import place_of, runs_of

_NAMELESS = "cell"
"""A device in files called potentiation and depression."""
_PINNED = 0.02
"""So many of all readings are the same where an instrument clips."""


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
        siemens: whether readings are conductances, or weights already.
        pulse_kinds: heights in V and widths in s that were used, where the files say.
        clipped: where readings stop at one value, which an instrument's range would explain.
        notes: for people.
    """

    responses: list[Response] = field(default_factory=list)
    retention: list[Series] = field(default_factory=list)
    reads: list[Series] = field(default_factory=list)
    sweeps: list[Series] = field(default_factory=list)
    siemens: bool = True
    pulse_kinds: dict[str, list[float]] = field(default_factory=dict)
    clipped: list[str] = field(default_factory=list)
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
    check_asked(asked)
    kinds = [_add_file(found, path, asked) for path in paths]
    found.siemens, notes = settle(kinds, asked)
    found.notes += notes
    found.clipped = _at_ends_of_range(found)
    if not (found.responses or found.retention or found.reads or found.sweeps):
        raise MeasurementError("no curves were found in these files")
    return found


def _at_ends_of_range(found: Measured) -> list[str]:
    """Say where readings stop at one value, as they do at the end of an instrument's range."""
    if not found.responses:
        return []
    values, counts = np.unique(
        np.concatenate([each.readings for each in found.responses]), return_counts=True
    )
    often = max(_PINNED * counts.sum(), 10 * float(np.median(counts)))
    return [
        f"{counts[end]} of {counts.sum()} readings are {values[end]:.6g} exactly, the {name} of "
        "all: if an instrument's range ends there, the window is cut short; measure in a wider one"
        for end, name in ((0, "lowest"), (-1, "highest"))
        if len(values) > 1 and counts[end] > often
    ]


def _add_file(found: Measured, path: Path, asked: Asked) -> Readings:
    """Add a file's curves; gives the readings that they are of."""
    table = open_table(path, asked.decimal)
    columns = _columns(table)
    roles = roles_of(table)
    if counts_rows(table, columns, roles):
        roles["rows counted by column"] = 0
    values: dict[str, Values] = {}
    for role in ("pulse", "read", "height", "width", "time", "voltage"):
        if role in roles:
            column = table.columns[roles[role]]
            scale, _ = factor(column.unit) or (1.0, "")
            values[role] = scale * to_numbers(columns[roles[role]], column.name, path)
    of_file = readings_of(table, roles, columns, asked)
    if of_file.kind == "siemens" or (of_file.kind == "unsaid" and of_file.unit != "S"):
        above = {k: _above_zero(each, k, path, asked) for k, each in of_file.columns.items()}
        of_file = replace(of_file, columns=above)
    conductances = of_file.columns
    for name, each in conductances.items():
        broken = ~np.isfinite(each)
        if broken.any() and asked.missing == "refuse":
            raise MeasurementError(
                f"{path.name}: {broken.sum()} of {len(each)} readings of {name} are not finite, "
                f"the first in row {int(broken.argmax()) + 1}; type --missing drop"
            )
    found.notes.append(f"{path.name}: {described(table, roles, len(conductances))}")
    for role in ("height", "width"):
        if role in values:
            kinds = sorted(set(np.round(values[role][np.isfinite(values[role])], 15).tolist()))
            found.pulse_kinds[role] = sorted({*found.pulse_kinds.get(role, []), *kinds})
    branches = branches_of(conductances)
    count = len(columns[0])
    devices, cycles, pulses_used = (
        labels_of(columns, [(role, roles[role]) for role in each if role in roles], count)
        for each in (WHERE, ("cycle",), ("height", "width"))
    )
    place = place_of(table, roles, values)
    for name, readings in conductances.items():
        usable = np.isfinite(readings)
        for device in unique(devices):
            mine = devices == device
            label = device if device != "" else name
            if not (mine & usable).any():
                continue
            if place is not None:
                groups = cycles if place != "voltage" else np.full(count, "", dtype=object)
                of_kind = {
                    "voltage": found.sweeps,
                    "time": found.retention,
                    "read": found.reads,
                }[place]
                for group in unique(groups[mine & usable]):
                    rows = np.flatnonzero(mine & usable & (groups == group))
                    runs: Iterable[np.ndarray] = [rows]
                    if place != "voltage":
                        runs = runs_of(rows, values[place], str(table.columns[roles[place]]), path)
                    for run in runs:
                        of_kind.append(Series(label, values[place][run], readings[run]))
                continue
            signs = np.zeros(count, dtype=np.int64)
            if name in branches:
                signs[mine], cell = branches[name]
                label = device if device != "" else cell or path.stem
            else:
                signs[mine] = pulse_signs(table, columns, roles, values, mine, asked)
                branch = branch_of(path.stem)
                if label == path.stem and branch and (signs[mine] == branch[0]).all():
                    label = branch[1] or _NAMELESS
            check_cycles(cycles[mine], pulses_used[mine], f"device {label}", path)
            for group in unique(cycles[mine]):
                rows = np.flatnonzero(mine & (cycles == group))
                numbers = values["pulse"][rows] if "pulse" in values else None
                for places, pulses in courses_of(
                    signs[rows], usable[rows], numbers, rows + 1, path
                ):
                    found.responses.append(Response(label, readings[rows[places]], pulses))
    return of_file


def _above_zero(readings: Values, name: str, path: Path, asked: Asked) -> Values:
    """Take conductances below 0 for missing, which they are: an instrument's offset."""
    below = readings < 0
    if (readings[np.isfinite(readings)] < 0).all() and below.any():
        cure = "type --read-voltage with the other sign" if asked.read_voltage else "turn it round"
        raise MeasurementError(
            f"{path.name}: all readings of {name} are below 0 S; if that is a matter of which way "
            f"a current was counted, {cure}"
        )
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
