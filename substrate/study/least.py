"""The least energy, or time, of a training among the values of a field that stay feasible.

    E(x)     bill of the arm (`substrate.bill.bill`), known at the runs that were made
    least    min E(x) over x that are feasible

A bill depends on a field far more simply than accuracy does, so between runs it is drawn from the
same surrogate (`substrate.spec.surrogate`) on the logarithm. The interval holds what it is at both
ends of the limit's own interval. What the unit costs leave open is told apart, as factors: those of
the bill of the run that is nearest to the least, since what a bill is made of goes with the fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from substrate.randomness import stream_seed
from substrate.record.bill import Amount, Bill
from substrate.report.bill import Kind, Lacking, lacking, left_out_of
from substrate.spec.search import Found, Limit
from substrate.spec.surrogate import Surrogate
from substrate.spec.truths import Point, columns_of
from substrate.study.energy import energy_of, time_of

What = Kind

_DRAWS = 400
_PLACES = 33


@dataclass(frozen=True)
class Least:
    """The least that a training takes while the arm stays feasible.

    Attributes:
        what: energy in joules, or time in seconds.
        value: the least.
        low, high: as the limit's interval leaves it, at its confidence.
        at: the values of the fields there.
        factor_low, factor_high: what the unit costs leave of it, as factors.
        lacks: what is in none of the sums.
    """

    what: What
    value: float
    low: float
    high: float
    at: Point
    factor_low: float
    factor_high: float
    lacks: Lacking


def amount_of(bill: Bill, what: What) -> Amount | None:
    """The figure of a bill that is to be least."""
    return bill.training_joules if what == "energy" else bill.training_seconds


def lacking_of(bills: Sequence[Bill | None], what: What) -> list[Lacking]:
    """What the figure of every run that has a bill lacks."""
    return [lacking(bill, what) for bill in bills if bill is not None]


def least_of(found: Found, bills: Sequence[Bill | None], what: What) -> Least | None:
    """Find the least among feasible values.

    None where no run has a figure, none is feasible, or figures lack different things.

    Args:
        found: the limit, or the border over two fields.
        bills: of the runs, in their order; None where one diverged.
        what: energy or time.
    """
    known = [
        (point, amount)
        for point, bill in zip(found.points, bills, strict=True)
        if bill is not None and (amount := amount_of(bill, what)) is not None and amount.value > 0
    ]
    lacks = set(lacking_of(bills, what))
    if len(known) < 2 or len(lacks) > 1:
        return None
    points = np.array([_places(found, point) for point, _ in known])
    logs = np.log([amount.value for _, amount in known])
    at = {
        end: [
            (column, place)
            for column, limit in enumerate(found.limits)
            for place in _feasible(found, limit, end)
        ]
        for end in ("estimate", "low", "high")
    }
    if not at["estimate"]:
        return None
    where = list(dict.fromkeys(each for chosen in at.values() for each in chosen))
    generator = np.random.default_rng(stream_seed(len(known), "least"))
    coded = np.array([_coded(found, *each) for each in where])
    if np.ptp(logs) < 1e-9:  # the fields change nothing of it
        drawn = np.full(len(where), logs[0])
    else:
        drawn = np.median(Surrogate(points, logs).draws(coded, _DRAWS, generator), 0)
    value = {each: float(np.exp(one)) for each, one in zip(where, drawn, strict=True)}
    least = {end: min(chosen, key=lambda each: value[each]) for end, chosen in at.items() if chosen}
    ends = [value[each] for each in least.values()]
    best = least["estimate"]
    away = np.linalg.norm(points - _coded(found, *best), axis=1)
    amount = known[int(away.argmin())][1]
    axes = found.axes
    place = tuple(
        axis.measurable(each) for axis, each in zip(axes, _coded(found, *best), strict=True)
    )
    return Least(
        what=what,
        value=value[best],
        low=min(ends),
        high=max(ends),
        at=place,
        factor_low=amount.low / amount.value,
        factor_high=amount.high / amount.value,
        lacks=lacks.pop(),
    )


def in_words(least: Least, fields: Sequence[str], units: Sequence[str], within: str) -> str:
    """``Least energy within 2 points: 1.2 mJ (1.1 mJ to 1.4 mJ) to train, at adc 5 bits.``"""
    shown = energy_of if least.what == "energy" else time_of
    where = ", ".join(
        f"{field} {value:g} {unit}".rstrip()
        for field, value, unit in zip(fields, least.at, units, strict=True)
    )
    said = (
        f"Least {least.what} within {within}: {shown(least.value, any(least.lacks))} to train"
        f" ({shown(least.low)} to {shown(least.high)} by where the limit lies; unit costs leave"
        f" {shown(least.value * least.factor_low)} to {shown(least.value * least.factor_high)}),"
        f" at {where}."
    )
    return f"{said} {left_out_of([least.lacks], 'runs')}".rstrip()


def none_in_words(bills: Sequence[Bill | None], what: What) -> str:
    """Why there is no least."""
    lacks = lacking_of(bills, what)
    if len(set(lacks)) < 2:
        return f"No {what} is known of what is feasible."
    return (
        f"The least {what} is not known, since the sums of the runs lack different things."
        f" {left_out_of(lacks, 'runs')}"
    )


def _feasible(found: Found, limit: Limit, end: str) -> list[float]:
    """Places along the last field that are feasible where the limit lies at an end of its interval.

    Whole numbers only, of a field that has no others; none where more likely than not none is.
    """
    if limit.none_feasible > 0.5:
        return []
    axis = found.axes[-1]
    border = axis.place(getattr(limit, end))
    if axis.whole:
        every = [axis.place(value) for value in range(int(axis.low), int(axis.high) + 1)]
    else:
        every = [*np.linspace(0, 1, _PLACES).tolist(), border]
    rounded = 1e-9
    if found.rising:
        return [place for place in every if place >= border - rounded]
    return [place for place in every if place <= border + rounded]


def _coded(found: Found, column: int, place: float) -> tuple[float, ...]:
    if len(found.axes) == 1:
        return (place,)
    return (float(columns_of(found.axes[0])[column]), place)


def _places(found: Found, point: Point) -> list[float]:
    return [axis.place(value) for axis, value in zip(found.axes, point, strict=True)]
