"""`substrate run --sensitivity`: what each parameter of a device costs, one varied at a time.

    cost = figure - figure with the parameter times 2, or divided by 2; bits: one more, one less

over the run's own seeds, sample by sample, with the interval of a verdict
(`substrate.run.estimate`). Everything else stays as it is, learning rates too. Parameters that act
together are beyond it; that is what a study is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from substrate.assemble.parameters import Setting, settings_of, value_in_words
from substrate.data.dataset import Dataset
from substrate.files import sole_writer, write_atomically
from substrate.record.folder import SUMMARY, read_run_folder
from substrate.record.sensitivity import Sensitivity, SensitivityReport, Variation
from substrate.record.summary import Summary
from substrate.run.estimate import contrast
from substrate.run.experiment import Tell
from substrate.run.origin import data_checksum
from substrate.run.store import Store
from substrate.run.unit import know_dataset
from substrate.run.unit_figures import Done, read_unit
from substrate.run.unit_settings import Unit, units_of
from substrate.run.units import run_units
from substrate.scenario.load import checked
from substrate.scenario.overrides import lay
from substrate.scenario.schema import Scenario
from substrate.scenario.source import ScenarioError, Source

FACTOR = 2.0
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class _Varied:
    """A parameter at another value.

    Attributes:
        higher: whether it is larger.
        value: what it is set to.
        scenario: with it.
    """

    higher: bool
    value: Any
    scenario: Scenario


@dataclass(frozen=True)
class _Parameter:
    arm: str
    setting: Setting
    varied: list[_Varied]


@dataclass(frozen=True)
class Variations:
    """What is varied, and what is not, with the reason."""

    parameters: list[_Parameter]
    left_out: list[str]

    @property
    def count(self) -> int:
        """How many arms there are to train with every seed."""
        return sum(len(each.varied) for each in self.parameters)


def variations(scenario: Scenario, source: Source) -> Variations:
    """Vary every numeric parameter of all device arms, as far as the scenario allows it."""
    parameters, left_out = [], []
    for arm, settings in scenario.arms.items():
        for setting in settings_of(settings.chip):
            others = _others(setting)
            if not others:
                continue
            found, reason = [], ""
            for higher, value in others:
                path = f"arms.{arm}.chip.{setting.path}"
                place = (f"{path}={value}", None)
                try:
                    laid = lay(source, [(path, value, place)])
                    found.append(_Varied(higher, value, checked(laid)))
                except ScenarioError as problem:
                    reason = problem.message
            # what a model makes of it counts: a chip may round it to what it was
            found = [each for each in found if each.scenario.arms[arm].chip != settings.chip]
            if found:
                parameters.append(_Parameter(arm, setting, found))
            else:
                left_out.append(f"{arm}: {setting.name} ({reason or 'nothing changes'})")
        left_out += [f"{arm}: {each}" for each in _never(settings_of(settings.chip))]
    return Variations(parameters, left_out)


def add_sensitivity(
    scenario: Scenario,
    varied: Variations,
    dataset: Dataset,
    folder: Path,
    where: torch.device,
    tell: Tell,
    executor: Executor,
    jobs: int,
    on_unit: Callable[[int, int], None],
) -> Summary:
    """Train all variations of a run that is complete, and put what they cost into its folder.

    Args:
        scenario: of the run.
        varied: what is varied.
        dataset: its data, on the CPU.
        folder: of the run.
        where: to compute.
        tell: writes what is told of a run.
        executor: does the units.
        jobs: how many of them it does side by side.
        on_unit: is told how many are done, of how many.

    Raises:
        RecordError: a unit's folder or the run's is damaged.
        OSError: something cannot be written.
    """
    store = Store.default()
    know_dataset(scenario, dataset)
    data = data_checksum(dataset)

    def named(each: Scenario, arm: str) -> list[Unit]:
        return units_of(each, arm, scenario.seeds, data, where)

    own = {arm: named(scenario, arm) for arm in scenario.arms}
    others = [
        [named(each.scenario, parameter.arm) for each in parameter.varied]
        for parameter in varied.parameters
    ]
    units = list(chain(*own.values(), *chain(*others)))
    done: dict[str, Done] = {}
    failed: dict[str, str] = {}
    with sole_writer(folder), store.using(unit.key for unit in units):
        on_unit(0, len(units))
        for unit, result in run_units(units, executor, jobs, store, lambda _, record: None):
            if result.state == "failed":
                failed[unit.key] = result.reason
            else:
                done[unit.key] = read_unit(store.folder(unit.key), unit.key, unit.arm)
            on_unit(len(done) + len(failed), len(units))
        found, left_out = [], list(varied.left_out)
        for parameter, several in zip(varied.parameters, others, strict=True):
            lost = [failed[unit.key] for unit in chain(*several) if unit.key in failed]
            if lost:
                name = parameter.setting.name
                left_out.append(f"{parameter.arm}: {name} (a unit was given up: {lost[0]})")
            else:
                found.append(_sensitivity(parameter, own[parameter.arm], several, done))
        found.sort(key=lambda each: -each.most)
        report = SensitivityReport(
            factor=FACTOR, confidence=_CONFIDENCE, parameters=found, left_out=left_out
        )
        run = read_run_folder(folder)
        summary = run.summary.model_copy(update={"sensitivity": report})
        tell(folder, run._replace(summary=summary))
        write_atomically(folder / SUMMARY, summary.as_json() + "\n")
    return summary


def _others(setting: Setting) -> list[tuple[bool, Any]]:
    """The values to try, each with whether it is larger; none of what a factor does not change."""
    value = setting.value
    if not setting.path or isinstance(value, bool | str) or value is None:
        return []
    if setting.name.rpartition(".")[2] == "bits":
        return [(False, value - 1), (True, value + 1)]
    if isinstance(value, tuple | list):
        if not all(isinstance(each, int | float) for each in value) or not any(value):
            return []
        return [
            (higher, [each * factor for each in value])
            for higher, factor in ((False, 1 / FACTOR), (True, FACTOR))
        ]
    if not isinstance(value, int | float) or value == 0:
        return []
    found = []
    for higher, factor in ((False, 1 / FACTOR), (True, FACTOR)):
        other: float = value * factor
        if isinstance(value, int):
            other = round(other)
        if other != value:
            found.append((higher, other))
    return found


def _never(settings: Sequence[Setting]) -> Iterator[str]:
    """What no factor can vary."""
    zero = [each.name for each in settings if each.path and _is_zero(each.value)]
    if zero:
        yield f"{', '.join(zero)} (0, which no factor changes)"
    alone = [each.name for each in settings if not each.path]
    if alone:
        yield f"{', '.join(alone)} (of a compound device, which a study can vary)"


def _is_zero(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return not any(value)
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


def _sensitivity(
    parameter: _Parameter,
    own: Sequence[Unit],
    others: Sequence[Sequence[Unit]],
    done: Mapping[str, Done],
) -> Sensitivity:
    setting = parameter.setting
    return Sensitivity(
        arm=parameter.arm,
        name=setting.name,
        path=f"arms.{parameter.arm}.chip.{setting.path}",
        value=value_in_words(setting.value),
        meaning=setting.meaning,
        source=setting.source,
        varied=[
            _variation(each, [done[unit.key] for unit in own], [done[unit.key] for unit in units])
            for each, units in zip(parameter.varied, others, strict=True)
        ],
    )


def _variation(varied: _Varied, own: Sequence[Done], others: Sequence[Done]) -> Variation:
    both = [
        place
        for place, pair in enumerate(zip(own, others, strict=True))
        if all(each.diverged is None and each.epochs for each in pair)
    ]
    estimate = interval = None
    if both:
        regression = own[both[0]].epochs[-1].test_accuracy is None
        sign = -1.0 if regression else 1.0
        arms = {"own": [own[place] for place in both], "other": [others[place] for place in both]}
        kept = {name: [each.by_sample for each in found] for name, found in arms.items()}
        estimate = contrast(
            {"own": sign, "other": -sign},
            {name: [_figure(each) for each in found] for name, found in arms.items()},
            {
                name: np.stack([np.asarray(each, float) for each in found])
                for name, found in kept.items()
                if all(each is not None for each in found)
            },
            None,
            accuracies=not regression,
        )
        interval = estimate.interval(_CONFIDENCE)
    whole = interval is not None and interval.whole
    by_place = dict(zip(both, estimate.by_seed, strict=True)) if estimate else {}
    return Variation(
        value=value_in_words(varied.value),
        higher=varied.higher,
        cost=interval.centre if interval else None,
        ci_low=interval.low if interval and whole else None,
        ci_high=interval.high if interval and whole else None,
        by_seed=[by_place.get(place) for place in range(len(own))],
        diverged=sum(each.diverged is not None for each in others),
    )


def _figure(done: Done) -> float:
    last = done.epochs[-1]
    return last.test_loss if last.test_accuracy is None else last.test_accuracy
