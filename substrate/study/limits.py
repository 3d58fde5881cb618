"""`substrate spec`: the limit of one or two fields of a scenario that keeps an arm feasible.

A run is the arm and its baseline with a seed of their own, at a value of the field. The margin is
the tolerance minus the gap, and the limit is where that of a typical run, over new seeds and new
test data, crosses 0 (`substrate.spec.search`, `substrate.spec.claim`). What the test samples have
in common in all runs is their C² / n, as in a verdict (`substrate.run.estimate`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from substrate.assemble.meaning import unit_of
from substrate.bill.bill import bill_of
from substrate.record import RecordError
from substrate.record.bill import Bill
from substrate.record.summary import MetricName
from substrate.run.estimate import sample_variance
from substrate.run.unit_figures import Done
from substrate.scenario.load import checked
from substrate.scenario.overrides import check_arm, keys_of, lay, split_setting
from substrate.scenario.schema import Scenario
from substrate.scenario.source import ScenarioError, Source
from substrate.spec.axis import Axis
from substrate.spec.search import Found, Measured, search_limit
from substrate.spec.truths import Point
from substrate.study.least import What
from substrate.study.plan import StudyPoint, Value
from substrate.study.run import OnUnit, StudyData, Units

LOST = 100.0
"""A run that diverged is behind by so many tolerances."""

_FEWEST_NEAR = 4


@dataclass(frozen=True)
class Question:
    """What is asked of a scenario.

    Attributes:
        fields: the dotted paths that are varied, one or two.
        axes: their ranges.
        arm: whose limit is sought.
        against: the baseline; empty for the best one.
        tolerance: a fraction of accuracy, or a loss.
        within: the same, as it was asked.
        least: what of a training is to be least, while the arm stays feasible.
        meanings: what the fields are, as they are documented.
    """

    fields: tuple[str, ...]
    axes: tuple[Axis, ...]
    arm: str
    against: str
    tolerance: float
    within: str
    least: What | None = None
    meanings: tuple[str, ...] = ()

    @property
    def units(self) -> tuple[str, ...]:
        """Of the fields, as they stand behind a number; empty where they have none."""
        return tuple(map(unit_of, self.meanings)) or ("",) * len(self.fields)

    @property
    def titles(self) -> tuple[str, ...]:
        """The fields with their units."""
        pairs = zip(self.fields, self.units, strict=True)
        return tuple(f"{field}, {unit}" if unit else field for field, unit in pairs)


def tolerance_of(words: str) -> float:
    """Read ``1 point``, ``2 points``, ``1.5 %``, or a plain number in the metric's own unit.

    Raises:
        ScenarioError: it is none of these, or not above 0.
    """
    found = re.fullmatch(r"\s*([0-9.eE+-]+)\s*(points?|%)?\s*", words)
    try:
        value = float(found[1]) if found else math.nan
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        hint = "such as '1 point', '1.5 points' or, of a loss, 0.02"
        raise ScenarioError("no distance", file="--within", found=words, hint=hint)
    return value / 100 if found and found[2] else value


def check_tolerance(question: Question, *, regression: bool) -> None:
    """See that the distance is one of the metric.

    Raises:
        ScenarioError: points of a loss, or more than all points of an accuracy.
    """
    plain = question.within.lstrip("0123456789.eE+- ") == ""
    if regression and not plain:
        hint = "a number in the unit of the loss, such as 0.02"
        message = "a loss has no points"
    elif not regression and question.tolerance >= 1:
        hint = f"'{question.within} points'?" if plain else "such as '1 point'"
        message = "no device falls behind so far in accuracy, which is a fraction"
    else:
        return
    raise ScenarioError(message, file="--within", found=question.within, hint=hint)


def axis_of(words: str, source: Source, scenario: Scenario) -> tuple[str, Axis]:
    """Read ``PATH``, ``PATH=LOW:HIGH`` or ``PATH=LOW:HIGH:log``.

    Without a range it goes from a tenth to ten times the scenario's value, in equal ratios; of
    whole numbers from a quarter to one and a half times. A learning rate needs a range: the
    scenario's is a good one, and a device gets worse to both sides of it.

    Raises:
        ScenarioError: there is no such field, it is no number, or the range is missing or makes no
            sense.
    """
    path, _, given = split_setting(words, source.data)
    place = f"--vary {words}"
    if path.partition(".")[0] == "data":
        message = "the data are the same in all runs of a search, and so no field of theirs varies"
        raise ScenarioError(message, file=place)
    check_arm(path, source.data, (place, None))
    now = _value(scenario.model_dump(mode="json"), path, place)
    number = isinstance(now, int | float) and not isinstance(now, bool)
    whole = isinstance(now, int) and number
    if not given:
        if path.endswith((".learning_rate", ".decorrelation.rate")):
            message = "a device gets worse to both sides of the best learning rate"
            hint = f"give a range on one side of the best: --vary {path}=LOW:HIGH:log"
            raise ScenarioError(message, file=place, found=now, hint=hint)
        if not number or now <= 0:
            hint = f"give a range: --vary {path}=LOW:HIGH"
            raise ScenarioError("has no number to begin with", file=place, found=now, hint=hint)
        if whole:
            return path, Axis(max(1, now // 4), max(3, round(1.5 * now)), whole=True)
        return path, Axis(now / 10, now * 10, log=True)
    low_high, log = given.removesuffix(":log"), given.endswith(":log")
    try:
        low, high = map(float, low_high.split(":"))
    except ValueError:
        message = "a range is LOW:HIGH or LOW:HIGH:log"
        raise ScenarioError(message, file=place, found=given) from None
    if not low < high or not math.isfinite(high - low) or (log and low <= 0):
        message = "a range goes up, and a logarithmic one begins above 0"
        raise ScenarioError(message, file=place, found=given)
    # of a field that says `exact` or the like, whole ends mean whole numbers
    whole = whole or (not number and low.is_integer() and high.is_integer())
    if whole:
        low, high = math.ceil(low), math.floor(high)
        if not low < high:
            message = "a range of whole numbers holds two at least"
            raise ScenarioError(message, file=place, found=given)
    return path, Axis(low, high, log=log, whole=whole)


class LimitRuns:
    """Makes the runs of a search: at every point the arm and its baselines, with a new seed."""

    def __init__(
        self,
        question: Question,
        source: Source,
        data: StudyData,
        units: Units,
        on_unit: OnUnit,
    ) -> None:
        """Make none yet."""
        self._question, self._source, self._data = question, source, data
        self._units, self._on_unit = units, on_unit
        self.against = question.against
        self.metric: MetricName = "test_accuracy"
        self.points: list[Point] = []
        self.gaps: list[float] = []
        self.bills: list[Bill | None] = []
        self._margins: list[float] = []
        self._differences: list[Any] = []

    def __call__(self, points: Sequence[Point]) -> Measured:
        """Make a run at each of some points.

        Raises:
            RecordError: a unit was given up, or a baseline diverged.
        """
        first = len(self.points)
        asked, scenarios = {}, {}
        for number, point in enumerate(points, start=first):
            scenario = point_of(self._question, self._source, point, number).scenario
            scenarios[number] = scenario
            arms = [self._question.arm, *self._baselines(scenario)]
            asked[number] = {arm: self._units.of(scenario, arm, [number])[0] for arm in arms}
        self._units.do([unit for each in asked.values() for unit in each.values()], self._on_unit)
        for result in self._units.failed.values():
            raise RecordError(f"a run was given up: {result.reason}")
        done = {
            number: {arm: self._units.read(unit) for arm, unit in each.items()}
            for number, each in asked.items()
        }
        if not self.against:
            self.against = self._best(done)
        for number, point in enumerate(points, start=first):
            self._take(point, done[number][self._question.arm], done[number][self.against])
            self._bill(scenarios[number], done[number][self._question.arm])
        return Measured(self._margins[first:], self._shared_error())

    def _baselines(self, scenario: Scenario) -> list[str]:
        return [self.against] if self.against else list(scenario.baselines)

    def _best(self, done: dict[int, dict[str, Done]]) -> str:
        """The baseline that is best on average over the first runs; it stays."""
        names = [name for name in next(iter(done.values())) if name != self._question.arm]

        def behind(name: str) -> float:
            found = [_figure(each[name]) for each in done.values()]
            return math.inf if None in found else -float(np.mean([each or 0.0 for each in found]))

        return min(names, key=behind)

    def _take(self, point: Point, own: Done, other: Done) -> None:
        figures = _figure(own), _figure(other)
        if figures[1] is None:
            raise RecordError(f"the baseline {self.against} diverged")
        tolerance = self._question.tolerance
        gap = math.nan if figures[0] is None else figures[1] - figures[0]
        self.points.append(point)
        self.gaps.append(gap)
        self._margins.append(-LOST * tolerance if math.isnan(gap) else tolerance - gap)
        regression = bool(own.epochs) and own.epochs[-1].test_accuracy is None
        self.metric = "test_loss" if regression else "test_accuracy"
        both = own.by_sample, other.by_sample
        kept = None
        if both[0] is not None and both[1] is not None:
            kept = np.asarray(both[1], float) - np.asarray(both[0], float)
            kept = -kept if regression else kept
        self._differences.append(kept)

    def _bill(self, scenario: Scenario, own: Done) -> None:
        ledger = None if own.end is None else own.end.ledger
        chip = scenario.all_arms[self._question.arm].chip
        self.bills.append(None if ledger is None else bill_of(ledger, chip, scenario.costs))

    def _shared_error(self) -> float:
        """√(C² / n) of the runs nearest to the limit."""
        nearest = np.argsort(np.abs(self._margins))
        near = [number for number in nearest if self._differences[number] is not None]
        within = [each for each in near if abs(self._margins[each]) < self._question.tolerance]
        chosen = within if len(within) >= _FEWEST_NEAR else near[:_FEWEST_NEAR]
        if not chosen:
            return 0.0
        differences = np.stack([self._differences[each] for each in chosen])
        most = (
            1.0
            if set(np.unique(differences)) <= {-1.0, 0.0, 1.0}
            else float(np.abs(differences).max())
        )
        variance = sample_variance(differences, most)
        return 0.0 if variance is None else math.sqrt(variance / differences.shape[1])


def point_of(question: Question, source: Source, point: Point, seed: int) -> StudyPoint:
    """Give the scenario at a point, with one seed.

    Raises:
        ScenarioError: it makes no scenario.
    """
    settings: list[tuple[str, Any, tuple[str, None]]] = [
        (path, value, (f"--vary {path}", None))
        for path, value in zip(question.fields, point, strict=True)
    ]
    laid = lay(source, [*settings, ("seeds", [seed], ("--vary", None))])
    values: dict[str, Value] = dict(zip(question.fields, point, strict=True))
    return StudyPoint(values, checked(laid), laid)


def find_limit(
    question: Question,
    runs: LimitRuns,
    *,
    resolution: float,
    confidence: float,
    most_runs: int,
    on_round: Callable[[Found], None] = lambda found: None,
) -> Found:
    """Search a limit; arguments as of `substrate.spec.search.search_limit`.

    Raises:
        RecordError: a run was given up.
    """
    return search_limit(
        question.axes,
        runs,
        question.tolerance,
        resolution=resolution,
        confidence=confidence,
        most_runs=most_runs,
        on_round=on_round,
    )


def _figure(done: Done) -> float | None:
    """How good it is: the accuracy, or in a regression minus the loss; None where it diverged."""
    if done.diverged is not None or not done.epochs:
        return None
    last = done.epochs[-1]
    return -last.test_loss if last.test_accuracy is None else last.test_accuracy


def _value(settings: Any, path: str, place: str) -> Any:
    from substrate.nearest import did_you_mean

    for part in keys_of(path, settings):
        if isinstance(settings, list) and part.isdecimal() and int(part) < len(settings):
            settings = settings[int(part)]
        elif isinstance(settings, dict) and part in settings:
            settings = settings[part]
        else:
            known = [*settings] if isinstance(settings, dict) else []
            hint = did_you_mean(part, known) if known else None
            raise ScenarioError("no such field", file=place, found=part, hint=hint)
    return settings
