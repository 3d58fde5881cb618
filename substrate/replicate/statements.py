"""What the paper says in words, as statements that measured figures confirm, refute or leave open.

    danp better than anp            a higher accuracy; a lower loss or angle
    dnp_noisy worse than danp
    danp_noisy within 1 of danp     points of accuracy, degrees, units of the loss; either way
    danp_noisy at most 1 behind danp  the same one way: it may be better by any amount
    dnp closer to bp than np
    dbp best                        of all arms
    np steady over 6 decades        angle against σ²: five degrees at most between any two of them

Angles are means over the layers for the largest number of noise samples; ` in layer 1` and
` at 100 samples` behind a statement say otherwise.

A statement is confirmed where the whole interval (`substrate.run.estimate`, at 95 %) of the
difference it is about fulfils it, refuted where none of it does, and else not told apart:

    better, best       ahead by more than 0; `best` of every arm, and refuted by any (Holm)
    worse              behind by more than 0
    at most m behind   behind by m at most
    within m           different by m at most, either way
    closer             |rival - target| - |own - target| > 0, where both rival - own and
                       rival + own - 2 target differ from 0: the signs of these two decide
    steady             of stretches of so many decades the flattest: its highest less its lowest
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log10
from statistics import mean
from typing import Literal, Protocol

from substrate.run.estimate import Estimate, Interval
from substrate.run.verdict import beyond

STEADY_DEGREES = 5.0
CONFIDENCE = 0.95

Answer = Literal["confirmed", "refuted", "not told apart", "not measured"]

_NUMBER = r"\d+(?:\.\d+)?"
_STATEMENT = re.compile(
    rf"""(?P<arm>\w+)\ (?:
        (?P<order>better|worse)\ than\ (?P<other>\w+)
        | within\ (?P<margin>{_NUMBER})\ of\ (?P<near>\w+)
        | at\ most\ (?P<lag>{_NUMBER})\ behind\ (?P<ahead>\w+)
        | closer\ to\ (?P<target>\w+)\ than\ (?P<rival>\w+)
        | (?P<best>best)
        | steady\ over\ (?P<decades>\d+)\ decades
    )
    (?:\ in\ layer\ (?P<layer>[1-9]\d*))?
    (?:\ at\ (?P<samples>[1-9]\d*)\ samples)?""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Spread:
    """A figure over seeds: percent, degrees or units of the loss.

    Attributes:
        deviation: standard deviation, None for one seed.
    """

    mean: float
    deviation: float | None
    seeds: int


@dataclass(frozen=True)
class Check:
    """What became of a statement.

    Attributes:
        figures: of the arms that it names.
        difference: which is ahead, behind, different or closer, in words and with its size; empty
            where an arm was not measured.
        low, high: its interval; None where there is none.
        note: why there is none, or what it leaves out.
        lost: seeds that diverged, and that nothing of this is about.
    """

    statement: str
    answer: Answer
    figures: str
    difference: str = ""
    low: float | None = None
    high: float | None = None
    note: str = ""
    lost: str = ""


class Measured(Protocol):
    """A run as statements see it."""

    @property
    def arms(self) -> list[str]:
        """Names of all arms."""
        ...

    @property
    def higher_is_better(self) -> bool:
        """True of accuracies, not of losses and angles."""
        ...

    def compared(
        self, arms: list[str], layer: int | None, samples: int | None
    ) -> dict[str, Spread]:
        """Figures that are fair to compare; no entry for an arm that was not measured."""
        ...

    def contrast(
        self,
        weights: Mapping[str, float],
        arms: list[str],
        layer: int | None,
        samples: int | None,
    ) -> Estimate:
        """Such figures of `arms` added up, each with its weight, in the unit of the figures."""
        ...

    def by_sigma(self, arm: str) -> list[tuple[float, list[float]]] | None:
        """σ² with the angles in degrees of every input, ascending; None where there are none."""
        ...

    def lost(self, arm: str) -> int:
        """How many of its seeds diverged."""
        ...

    def written(self, spread: Spread) -> str:
        """The figure for people, with its unit."""
        ...

    def number(self, value: float) -> str:
        """A difference of figures for people, without its unit."""
        ...

    def without_interval(self, interval: Interval) -> str:
        """Why this interval is none."""
        ...


def check_syntax(text: str) -> str:
    """Give a statement back.

    Raises:
        ValueError: it is none.
    """
    if not _STATEMENT.fullmatch(text):
        raise ValueError(
            f"{text!r} is no statement; one is like 'danp better than np', 'danp within 1 of bp',"
            " 'danp at most 1 behind bp', 'dnp closer to bp than np', 'dbp best' or"
            " 'np steady over 6 decades'"
        )
    return text


def check(statement: str, run: Measured) -> Check:
    """Hold a statement against what a run measured."""
    found = _STATEMENT.fullmatch(check_syntax(statement))
    assert found
    part = found.groupdict()
    if part["decades"]:
        return _check_steady(statement, part["arm"], int(part["decades"]), run)
    own = part["arm"]
    others = [part[key] for key in ("other", "near", "ahead", "target", "rival") if part[key]]
    named = run.arms if part["best"] else [own, *others]
    layer, samples = (int(part[key]) if part[key] else None for key in ("layer", "samples"))
    figures = run.compared(named, layer, samples)
    text = ", ".join(f"{arm} {run.written(figures[arm])}" for arm in named if arm in figures)
    missing = [arm for arm in named if arm not in figures]
    if missing or own not in figures:
        missing = missing or [own]
        text = f"{', '.join(missing)} not measured" + (f"; {text}" if text else "")
        return Check(statement, "not measured", text)
    sign = 1.0 if run.higher_is_better else -1.0

    def less(arm: str, other: str, weight: float = sign) -> Estimate:
        weights = {arm: weight, other: -weight} if arm != other else {arm: 0.0}
        return run.contrast(weights, named, layer, samples)

    lost = ", ".join(f"{arm} lost {each} seeds" for arm in named if (each := run.lost(arm)))
    told = _Told(statement, text, run, lost)
    if part["order"] == "better":
        return told.above_zero("ahead by", less(own, part["other"]))
    if part["order"]:
        return told.above_zero("behind by", less(part["other"], own))
    if part["ahead"]:
        return told.at_most("behind by", less(part["ahead"], own), float(part["lag"]))
    if part["near"]:
        return told.within("different by", less(own, part["near"], 1.0), float(part["margin"]))
    if part["target"]:
        add = {own: 1.0, part["rival"]: 1.0, part["target"]: -2.0}
        return told.closer(
            lambda weight: less(part["rival"], own, weight),
            lambda weight: run.contrast(
                {arm: weight * each for arm, each in add.items()}, named, layer, samples
            ),
        )
    return told.best({arm: less(own, arm) for arm in named if arm != own})


@dataclass(frozen=True)
class _Told:
    """Makes checks of a statement, of which figures and run are known."""

    statement: str
    figures: str
    run: Measured
    lost: str = ""

    def above_zero(self, words: str, estimate: Estimate) -> Check:
        interval = estimate.interval(CONFIDENCE)
        return self._answer(words, estimate, interval.low > 0, interval.high < 0)

    def at_most(self, words: str, estimate: Estimate, bound: float) -> Check:
        interval = estimate.interval(CONFIDENCE)
        return self._answer(words, estimate, interval.high <= bound, interval.low > bound)

    def within(self, words: str, estimate: Estimate, margin: float) -> Check:
        low, high = estimate.interval(CONFIDENCE).low, estimate.interval(CONFIDENCE).high
        outside = low > margin or high < -margin
        return self._answer(words, estimate, -margin <= low and high <= margin, outside)

    def closer(
        self, difference: Callable[[float], Estimate], around: Callable[[float], Estimate]
    ) -> Check:
        """Of rival - own and rival + own - 2 target, the smaller is how much closer own is."""
        both = [(each, each(1.0).interval(CONFIDENCE)) for each in (difference, around)]
        (smaller, at), (_, other) = sorted(both, key=lambda each: abs(each[1].centre))
        clear = all(each.whole and each.low * each.high > 0 for each in (at, other))
        alike = at.centre * other.centre > 0
        estimate = smaller(1.0 if other.centre >= 0 else -1.0)
        return self._answer("closer by", estimate, clear and alike, clear and not alike)

    def best(self, leads: Mapping[str, Estimate]) -> Check:
        if not leads:
            return Check(self.statement, "not told apart", self.figures, note="no other arm")
        intervals = {arm: each.interval(CONFIDENCE) for arm, each in leads.items()}
        nearest = min(leads, key=lambda arm: intervals[arm].centre)
        lags = [each.negated() for each in leads.values()]
        return self._answer(
            f"ahead of {nearest} by",
            leads[nearest],
            all(each.whole and each.low > 0 for each in intervals.values()),
            bool(beyond(lags, 0.0, CONFIDENCE)),
        )

    def _answer(self, words: str, estimate: Estimate, confirmed: bool, refuted: bool) -> Check:
        interval = estimate.interval(CONFIDENCE)
        difference = f"{words} {self.run.number(interval.centre)}"
        if not interval.whole:
            note = self.run.without_interval(interval)
            return Check(
                self.statement,
                "not told apart",
                self.figures,
                difference,
                note=note,
                lost=self.lost,
            )
        note = "" if estimate.paired else "errors of the arms as if independent"
        answer: Answer = "confirmed" if confirmed else "refuted" if refuted else "not told apart"
        low, high = interval.low, interval.high
        return Check(self.statement, answer, self.figures, difference, low, high, note, self.lost)


def _check_steady(statement: str, arm: str, decades: int, run: Measured) -> Check:
    curve = run.by_sigma(arm)
    if not curve:
        return Check(statement, "not measured", f"{arm} not measured against σ²")
    means = [mean(angles) for _, angles in curve]
    stretches = _stretches([log10(squared) for squared, _ in curve], decades)
    if not stretches:
        text = f"only from σ² = {curve[0][0]:.0e} to {curve[-1][0]:.0e}"
        return Check(statement, "not measured", text)
    ends = [
        (max(stretch, key=means.__getitem__), min(stretch, key=means.__getitem__), stretch)
        for stretch in stretches
    ]
    top, bottom, flattest = min(ends, key=lambda each: means[each[0]] - means[each[1]])
    text = (
        f"from σ² = {curve[flattest[0]][0]:.0e} to {curve[flattest[-1]][0]:.0e}"
        f" {means[bottom]:.1f} to {means[top]:.1f}°"
    )
    differences = [high - low for high, low in zip(curve[top][1], curve[bottom][1], strict=True)]
    estimate = over_inputs(differences)
    return _Told(statement, text, run).at_most("different by", estimate, STEADY_DEGREES)


def over_inputs(values: Sequence[float]) -> Estimate:
    """A mean over inputs, where these are all that was drawn: nothing is left to test data."""
    return Estimate(values, 2, 0.0)


def _stretches(exponents: Sequence[float], decades: int) -> list[range]:
    """The shortest stretches of places that are so many decades wide, one for every start."""
    assert all(low < high for low, high in pairwise(exponents))
    found = []
    for first, low in enumerate(exponents):
        wide = [at for at, high in enumerate(exponents) if high - low > decades - 1e-9]
        if wide:
            found.append(range(first, wide[0] + 1))
    return found
