"""Courses of a device: how many pulses lie between its readings, and which way they went.

    numbers of pulses      say how many: up or down by turns, and again from the lowest on in a new
                           course; out of order they say nothing
    no numbers             a row a pulse
    rows without reading   their pulses count

Where pulses of both directions lie between two readings, it is not known how they followed each
other: a new course begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from devices.measurement_columns import MeasurementError
from substrate.fit.device.layout import Values

_MOST = 1e6
"""Pulses between two readings: more are no number of pulses."""

Places = Int64[np.ndarray, " readings"]


def courses_of(
    signs: Int64[np.ndarray, " rows"],
    kept: Bool[np.ndarray, " rows"],
    numbers: Values | None,
    rows: Int64[np.ndarray, " rows"],
    path: Path,
) -> Iterator[tuple[Places, Places]]:
    """Give places of readings among the rows, and the pulses before each; 0 at the first.

    Args:
        signs: 1 after pulses up, -1 down, 0 where there was none.
        kept: rows that have a reading.
        numbers: of the pulses, where the file has them.
        rows: numbers of the rows in the file, from 1, for messages.
        path: the file, likewise.

    Raises:
        MeasurementError: numbers are out of order, or nothing happened between two readings.
    """
    counts, begins = _counted(signs, numbers, rows, path)
    places: list[int] = []
    pulses: list[int] = []
    pending, both = 0, False
    for place in range(len(signs)):
        if begins[place]:
            if len(places) > 1:
                yield np.array(places), np.array(pulses)
            places, pulses, pending, both = [], [], 0, False
        else:
            here = int(counts[place] * signs[place])
            both |= pending * here < 0
            pending += here
        if not kept[place]:
            continue
        if both:
            if len(places) > 1:
                yield np.array(places), np.array(pulses)
            places, pulses = [], []
        if places and pending == 0:
            raise MeasurementError(
                f"{path.name}: no pulse lies between the readings in rows {rows[places[-1]]} and "
                f"{rows[place]}; leave one out, or put their mean in one row"
            )
        pulses.append(pending if places else 0)
        places.append(place)
        pending, both = 0, False
    if len(places) > 1:
        yield np.array(places), np.array(pulses)


def _counted(
    signs: Int64[np.ndarray, " rows"],
    numbers: Values | None,
    rows: Int64[np.ndarray, " rows"],
    path: Path,
) -> tuple[Int64[np.ndarray, " rows"], Bool[np.ndarray, " rows"]]:
    """Pulses before every row, and where courses begin."""
    counts, begins = np.ones(len(signs), dtype=np.int64), np.zeros(len(signs), dtype=bool)
    begins[0] = True
    if numbers is None:
        return counts, begins
    if not np.isfinite(numbers).all():
        place = int((~np.isfinite(numbers)).argmax())
        raise MeasurementError(
            f"{path.name}: row {rows[place]} has no number of its pulse; write it, or leave out "
            "the column of numbers"
        )
    steps = np.diff(numbers, prepend=numbers[0])
    usual = round(float(np.median(steps[steps > 0]))) if (steps > 0).any() else 1
    begin = 0
    for _, group in groupby(signs.tolist()):
        end = begin + len(list(group))
        within = steps[begin + 1 : end]
        # down is counted backwards by some
        way = -1.0 if len(within) and np.median(within) < 0 else 1.0
        first = begin
        for place in range(begin, end):
            step = float(steps[place]) if place == begin else way * float(steps[place])
            if place == 0:
                continue
            if place == begin or step > 0:
                counts[place] = max(1, round(step)) if step > 0 else max(1, usual)
            elif step < 0 and way * (numbers[place] - numbers[first]) <= 0:
                begins[place], first = True, place
            else:
                raise MeasurementError(
                    f"{path.name}: pulse {numbers[place]:g} in row {rows[place]} comes after pulse "
                    f"{numbers[place - 1]:g}; put rows in the order of their pulses, one reading "
                    "after each"
                )
            if counts[place] > _MOST:
                raise MeasurementError(
                    f"{path.name}: {counts[place]:.3g} pulses lie before row {rows[place]}, if the "
                    "numbers are those of pulses; call their column otherwise, or delete it"
                )
        begin = end
    return counts, begins
