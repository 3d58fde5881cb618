"""Running a study: the units of all its points, each done once, whoever else has asked for it.

A study keeps nothing but what it is of: its figures lie in the store of units, and the same command
goes on where the last was stopped. Its tables are the same however often that was, and bitwise on
devices that repeat.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime

import torch

from substrate.assemble.bench import check_room
from substrate.assemble.dataset import checked_dataset
from substrate.data.dataset import Dataset
from substrate.record.summary import FailedSeed, Status, Summary
from substrate.run.arm_summary import ArmOutcome
from substrate.run.origin import data_checksum
from substrate.run.store import Store
from substrate.run.summary import summarise
from substrate.run.unit import Result, know_dataset
from substrate.run.unit_figures import Done, read_unit
from substrate.run.unit_settings import Unit, units_of
from substrate.run.units import run_units
from substrate.scenario.schema import Scenario
from substrate.study.plan import Plan, StudyPoint
from substrate.wire.check import check_remote

OnUnit = Callable[[int, int], None]
"""Is told how many units are done, of how many."""

_LONGEST_REASON = 200


@dataclass(frozen=True)
class StudyResult:
    """What a study came to.

    Attributes:
        summaries: one a point, in its order.
        units: how many it took; what arms and points share counts once.
        failed: of them, those that were given up, with what happened.
    """

    summaries: list[Summary]
    units: int
    failed: dict[str, str]


class StudyData:
    """The data sets of a study's points; points that differ in nothing of it share one."""

    def __init__(self, points: Sequence[StudyPoint]) -> None:
        """Load them, and check every point's network, loss and chips against its data.

        Raises:
            ScenarioError: data is missing or wrong, a point does not fit it, or a chip behind a
                wire or on a bench does not fit the point.
        """
        self._datasets: dict[str, Dataset] = {}
        self._checksums: dict[str, str] = {}
        seen: set[str] = set()
        for point in points:
            scenario = point.scenario
            name = scenario.data.model_dump_json()
            checked = (
                name + scenario.network.model_dump_json() + scenario.training.model_dump_json()
            )
            if checked not in seen:
                seen.add(checked)
                self._datasets.setdefault(name, checked_dataset(scenario, point.source))
            check_room(scenario, self._datasets[name], point.source)
            check_remote(scenario, point.source, self._datasets[name])
        self._checksums = {name: data_checksum(each) for name, each in self._datasets.items()}

    def of(self, scenario: Scenario) -> Dataset:
        """The data set of a scenario."""
        return self._datasets[scenario.data.model_dump_json()]

    def checksum(self, scenario: Scenario) -> str:
        """Its SHA-256."""
        return self._checksums[scenario.data.model_dump_json()]


class Units:
    """Units that are asked for by several points, and what became of them."""

    def __init__(
        self, data: StudyData, device: torch.device, executor: Executor, jobs: int, store: Store
    ) -> None:
        """Ask for nothing yet."""
        self._data, self._device, self._store = data, device, store
        self._executor, self._jobs = executor, jobs
        # of chips behind a wire or on a bench, whose units are done for this study alone
        self._once = secrets.token_hex(8)
        self.failed: dict[str, Result] = {}
        self._asked: dict[str, Unit] = {}
        self._done: set[str] = set()

    def of(self, scenario: Scenario, arm: str, seeds: list[int]) -> list[Unit]:
        """Name the units of an arm."""
        data = self._data.checksum(scenario)
        return units_of(scenario, arm, seeds, data, self._device, once=self._once)

    def do(self, units: Sequence[Unit], on_unit: OnUnit) -> None:
        """Do those that were not done before; in this process the data of the first is at hand.

        Raises:
            RecordError: a unit's folder is damaged, or its data is another.
            OSError: a unit cannot be written.
        """
        new = {each.key: each for each in units if each.key not in self._asked}
        self._asked |= new
        with self._store.using(self._asked):
            on_unit(len(self._done), self.asked)
            for unit, result in run_units(
                new.values(), self._executor, self._jobs, self._store, lambda unit, record: None
            ):
                self._done.add(unit.key)
                if result.state == "failed":
                    self.failed[unit.key] = result
                on_unit(len(self._done), self.asked)

    @property
    def asked(self) -> int:
        """How many there are so far."""
        return len(self._asked)

    def read(self, unit: Unit) -> Done:
        """A unit's figures."""
        return read_unit(self._store.folder(unit.key), unit.key, unit.arm)


def run_study(
    plan: Plan,
    data: StudyData,
    units: Units,
    command: str,
    on_unit: OnUnit = lambda done, asked: None,
) -> StudyResult:
    """Train what is missing of a study, and summarise every point.

    Ctrl-C goes through; what was done stays in the store.

    Raises:
        RecordError: a unit's folder is damaged.
        OSError: a unit cannot be written.
    """
    started = datetime.now(UTC)
    scenarios = [point.scenario for point in plan.points]
    know_dataset(scenarios[0], data.of(scenarios[0]))
    looks = [1] * len(scenarios)
    summaries: dict[int, Summary] = {}
    open_ = set(range(len(scenarios)))
    while open_:
        units.do(
            [each for number in sorted(open_) for each in _units(units, scenarios[number])],
            on_unit,
        )
        for number in sorted(open_):
            summaries[number] = _summary(
                scenarios[number], data, units, looks[number], started, command
            )
        more = {number: _more_seeds(plan, summaries[number]) for number in open_}
        open_ = {number for number, seeds in more.items() if seeds}
        for number in open_:
            looks[number] += 1
            seeds = more[number]
            scenarios[number] = scenarios[number].model_copy(update={"seeds": seeds})
    return StudyResult(
        [summaries[number] for number in range(len(scenarios))],
        units.asked,
        {key: _reason(result) for key, result in units.failed.items()},
    )


def _units(units: Units, scenario: Scenario) -> list[Unit]:
    return [each for arm in scenario.all_arms for each in units.of(scenario, arm, scenario.seeds)]


def _more_seeds(plan: Plan, summary: Summary) -> list[int] | None:
    stopping = plan.study.stopping
    if stopping is None or summary.more_seeds is None:
        return None
    seeds = summary.more_seeds[: stopping.at_most]
    return seeds if len(seeds) > len(summary.seeds) else None


def _summary(
    scenario: Scenario, data: StudyData, units: Units, look: int, started: datetime, command: str
) -> Summary:
    outcomes = {name: ArmOutcome() for name in scenario.all_arms}
    status: Status = "complete"
    for arm, outcome in outcomes.items():
        for unit in units.of(scenario, arm, scenario.seeds):
            if failed := units.failed.get(unit.key):
                status = "failed"
                what = _reason(failed)
                outcome.failed[unit.seed] = FailedSeed(seed=unit.seed, what=what, log="")
                continue
            outcome.take(unit.seed, units.read(unit))
    return summarise(
        scenario,
        data.of(scenario),
        outcomes,
        status=status,
        look=look,
        started=started,
        wall_seconds=(datetime.now(UTC) - started).total_seconds(),
        command=command,
    )


def _reason(result: Result) -> str:
    return result.reason[:_LONGEST_REASON]
