"""A limit in words, for a data sheet."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from substrate.spec.axis import Axis
from substrate.spec.claim import LOST_BEYOND, Claim
from substrate.spec.search import Found, Limit, tail, whole


def no_limit(found: Found, fields: Sequence[str]) -> str:
    """``adc_bits: no limit is named, 34 runs``."""
    return f"{' and '.join(fields)}: no limit is named, {_runs(found)}"


def sentence(found: Found, field: str, unit: str = "") -> str:
    """``adc_bits: at least 6 bits (95 %: 6 to 7), 34 runs``, of one field."""
    return f"{field}: {limit_in_words(found, found.limits[0], unit)}, {_runs(found)}"


def border_in_words(
    found: Found, fields: Sequence[str], units: Sequence[str] = ("", "")
) -> list[str]:
    """``at read_noise 0.01, adc: at least 6 bits (95 %: 6 to 7)``, a line a column."""
    first, last = fields
    places = [
        f"{shown(each.first or 0.0, found.axes[0])} {units[0]}".rstrip() for each in found.limits
    ]
    return [
        f"at {first} {place}, {last}: {limit_in_words(found, each, units[1])}"
        for place, each in zip(places, found.limits, strict=True)
    ]


def limit_in_words(found: Found, limit: Limit, unit: str = "") -> str:
    """``at least 6 bits (95 %: 6 to 7)``; said otherwise where the range holds no limit.

    Of whole numbers the interval has the whole numbers that are feasible at its two ends.
    """
    axis = found.axes[-1]
    behind = f" {unit}" if unit else ""
    ends = f"between {_number(axis.low)} and {_number(axis.high)}{behind}"
    if limit.none_feasible > 0.5:
        return f"feasible nowhere {ends} ({_sure(limit.none_feasible)})"
    if limit.all_feasible > 0.5:
        return f"feasible everywhere {ends} ({_sure(limit.all_feasible)})"
    word = "at least" if found.rising else "at most"
    if axis.whole:
        interval = " to ".join(str(whole(each, found.rising)) for each in (limit.low, limit.high))
    else:
        interval = f"{_rounded(limit.low, axis, floor)} to {_rounded(limit.high, axis, ceil)}"
    beyond = max(limit.none_feasible, limit.all_feasible)
    cut = " (cut off by the range)" if beyond > tail(found.confidence, axis) else ""
    return (
        f"{word} {shown(limit.estimate, axis, rising=found.rising)}{behind}"
        f" ({100 * found.confidence:g} %: {interval}{cut})"
    )


def claim_in_words(
    found: Found, claim: Claim, arm: str, against: str, within: str, fields: Sequence[str]
) -> list[str]:
    """What a limit means and what was checked of it, or why none is named."""
    lost = f"diverged or fell behind by more than {LOST_BEYOND:g} × {within}"
    share = f"{100 * claim.lost_low:.1f} to" if claim.lost else "at most"
    do = f"{100 * found.confidence:g} %: {share} {100 * claim.lost_high:.0f} % of all do"
    last = fields[-1]
    if not claim.one_direction:
        at = ", ".join(
            f"{field} {value:g}" for field, value in zip(fields, found.against_at, strict=True)
        )
        return [
            f"The search takes {arm} to get better all the way in one direction of {last}, which"
            f" the runs contradict, most at {at}: give a range on one side of the best"
            " (--vary PATH=LOW:HIGH)."
        ]
    if not claim.on_average:
        return [
            f"Not resolved: where a typical run is within {within} of {against}, {claim.lost} of"
            f" {claim.runs} runs {lost} ({do}), and with them the mean is not within {within}."
        ]
    said = [f"Feasible: {arm} within {within} of {against} in a typical run."]
    if claim.runs:
        said.append(f"Of {claim.runs} runs on that side {claim.lost or 'none'} {lost} ({do}).")
    return [
        *said,
        f"Taken for granted: {arm} gets better all the way in one direction of {last}; the runs"
        " do not contradict it.",
    ]


def shown(value: float, axis: Axis, *, rising: bool = True) -> str:
    """A limit to two digits of what it can be told to, rounded to the side that is feasible."""
    if axis.whole:
        return str(whole(value, rising))
    return _rounded(value, axis, ceil if rising else floor)


def _rounded(value: float, axis: Axis, how: object) -> str:
    """Round up or down to a hundredth of the value or range."""
    size = abs(value) if axis.log else axis.high - axis.low
    step = 10.0 ** (floor(log10(size)) - (1 if axis.log else 2)) if size else 1.0
    assert callable(how)
    return _number(how(round(value / step, 6)) * step)


def _sure(probability: float) -> str:
    """``94 % sure``; nothing that is only likely is said to be certain."""
    return "over 99 % sure" if probability > 0.99 else f"{100 * probability:.0f} % sure"


def _number(value: float) -> str:
    return f"{value:.6g}"


def _runs(found: Found) -> str:
    return f"{len(found.points)} runs"
