"""What training leaves behind, in words: one row a condition, one column a device arm."""

from __future__ import annotations

from typing import NamedTuple

from substrate.record.summary import Arm, Measure, Summary
from substrate.report.wording import mean_and_deviation, seeds_in_words, seeds_measured

_PERIODS = {3600.0: "an hour", 86400.0: "a day", 2592000.0: "a month"}


class Row(NamedTuple):
    """One condition.

    Attributes:
        condition: in words.
        figures: of every arm that has any, in the order of `tested`.
    """

    condition: str
    figures: tuple[str, ...]


def tested(summary: Summary) -> dict[str, Arm]:
    """The arms whose trained networks were tested under any condition."""
    return {name: arm for name, arm in summary.arms.items() if arm.afterwards}


def rows(summary: Summary) -> list[Row]:
    """All conditions that some arm was tested under, after the figure of the training itself."""
    arms = tested(summary)
    found = {
        (each.what, each.amount): None
        for arm in arms.values()
        for each in arm.afterwards
        if each.untried is None
    }
    at_once = tuple(_figure(arm.measure(summary.metric), summary) for arm in arms.values())
    result = [Row("at the end of training", at_once)]
    for what, amount in sorted(found, key=lambda each: (_ORDER[each[0]], each[1])):
        figures = []
        for arm in arms.values():
            same = [
                each
                for each in arm.afterwards
                if (each.what, each.amount, each.untried) == (what, amount, None)
            ]
            measure = getattr(same[0], summary.metric) if same else None
            figures.append(_figure(measure, summary))
        result.append(Row(_condition(what, amount), tuple(figures)))
    return result


def untried(summary: Summary) -> list[str]:
    """What was not tried and why, a sentence a reason and the arms that it is true of."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, arm in tested(summary).items():
        for each in arm.afterwards:
            if each.untried is not None:
                reasons.setdefault((_NOT_TRIED[each.what], each.untried), []).append(name)
    return [f"{', '.join(names)}: {what} {why}." for (what, why), names in reasons.items()]


def _figure(measure: Measure | None, summary: Summary) -> str:
    """``92.0 ± 1.0 %``; of fewer seeds than there are, with their number."""
    written = mean_and_deviation(measure, summary.metric)
    seeds = len(summary.seeds)
    if measure is None or not 0 < seeds_measured(measure) < seeds:
        return written
    return f"{written}, {seeds_measured(measure)} of {seeds_in_words(seeds)}"


_ORDER = {"read again": 0, "drift": 1, "failing cells": 2}
_NOT_TRIED = {
    "read again": "not tested after its training:",
    "drift": "not aged:",
    "failing cells": "no cells failed:",
}


def _condition(what: str, amount: float) -> str:
    if what == "read again":
        return "read once more"
    if what == "drift":
        return f"after {_PERIODS.get(amount, f'{amount:g} s')}"
    return f"{100 * amount:g} % of cells failed"
