"""From a study file to checked scenarios, one a point; nothing is built."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from substrate.scenario.budgets import apply_budget
from substrate.scenario.explain import from_validation_error
from substrate.scenario.load import checked
from substrate.scenario.overrides import check_arm, lay
from substrate.scenario.schema import Scenario
from substrate.scenario.shipped import find_scenario
from substrate.scenario.source import Location, Place, ScenarioError, Source
from substrate.scenario.yaml_reader import load_yaml
from substrate.study.schema import COLUMNS, Grid, Study, StudyAxis

MOST_POINTS = 100_000

Value = int | float | str | bool
"""What a table shows of a setting."""


@dataclass(frozen=True)
class StudyPoint:
    """One point of a study.

    Attributes:
        values: by axis, as tables and pictures show them.
        scenario: checked.
        source: of it, for what is found wrong with its data.
    """

    values: dict[str, Value]
    scenario: Scenario
    source: Source


@dataclass(frozen=True)
class Plan:
    """A study, and all its points."""

    study: Study
    points: list[StudyPoint]


@dataclass(frozen=True)
class _Level:
    """A value of an axis: what is shown, and what is set."""

    shown: Value
    settings: dict[str, Any]
    loc: Location


def read_study(path: Path) -> tuple[Study, Source]:
    """Read a study file; its scenario is not looked at.

    Raises:
        ScenarioError: the first thing that is wrong with it, and where.
    """
    return checked_study(load_yaml(path))


def checked_study(source: Source) -> tuple[Study, Source]:
    """Validate what was read of a study.

    Raises:
        ScenarioError: as `read_study`.
    """
    if {"arms", "baselines"} <= source.data.keys():
        hint = f"substrate run {source.path} trains it"
        raise source.error((), "this is a scenario, not a study", hint=hint)
    try:
        folder = source.path.parent
        study = Study.model_validate(source.data, context={"folder": folder})
    except ValidationError as problem:
        raise from_validation_error(problem, source, Study) from None
    _check_axes(study, source)
    return study, source


def _check_axes(study: Study, source: Source) -> None:
    """See that tables and pictures can tell the axes apart."""
    owner: dict[str, str] = {}
    for name, axis in study.axes.items():
        if name in COLUMNS:
            message = f"the tables have a column {name!r} already; name the axis otherwise"
            raise source.error(("axes", name), message)
        for path in axis.paths:
            if path in owner:
                message = f"{owner[path]!r} and {name!r} both set {path}"
                raise source.error(("axes", name), message)
            owner[path] = name


def plan_study(study: Study, source: Source) -> Plan:
    """Check a study's scenario at every point.

    Raises:
        ScenarioError: the first point that makes no scenario, and the line of the study that it
            comes from.
    """
    base = _base(study, source)
    points = []
    for levels in _combinations(study, source):
        settings = [
            (path, value, source.place(level.loc))
            for level in levels
            for path, value in level.settings.items()
        ]
        laid = lay(base, settings)
        values = {name: each.shown for name, each in zip(study.axes, levels, strict=True)}
        points.append(StudyPoint(values, checked(laid), laid))
    return Plan(study, points)


def _base(study: Study, source: Source) -> Source:
    """The scenario with what all points have in common."""
    given = Path(study.scenario)
    beside = source.path.parent / given
    try:
        path = beside if os.path.exists(beside) else find_scenario(given)
    except ScenarioError as problem:
        message, hint = problem.message, problem.hint
        raise source.error(("scenario",), message, found=study.scenario, hint=hint) from None
    base = apply_budget(load_yaml(path), study.budget)
    settings: list[tuple[str, Any, Place]] = [
        (path, value, source.place(("set", path))) for path, value in study.set.items()
    ]
    if study.seeds is not None:
        settings.append(("seeds", study.seeds, source.place(("seeds",))))
    base = lay(base, settings)
    for name, axis in study.axes.items():
        loc: Location = ("axes", name, "choices" if axis.choices else "field")
        for path_ in [
            *axis.fields,
            *(key for each in (axis.choices or {}).values() for key in each),
        ]:
            check_arm(path_, base.data, source.place(loc))
    return base


def _combinations(study: Study, source: Source) -> Iterator[tuple[_Level, ...]]:
    design = study.design
    if isinstance(design, Grid):
        levels = [_levels(name, axis, source) for name, axis in study.axes.items()]
        count = math.prod(map(len, levels))
    else:
        count = design.points
    if count > MOST_POINTS:
        message = f"{count:,} points are more than {MOST_POINTS:,}"
        raise source.error(("axes",), message, hint="a sobol design takes as many as you say")
    if isinstance(design, Grid):
        yield from itertools.product(*levels)
        return
    # scipy.stats takes a second to import
    import numpy as np
    from scipy.stats import qmc

    from substrate.randomness import stream_seed

    generator = np.random.default_rng(stream_seed(design.seed, "study"))
    if design.kind == "sobol":
        sobol = qmc.Sobol(len(study.axes), rng=generator)
        places = sobol.random_base2(max(1, math.ceil(math.log2(count))))[:count]
    else:
        places = generator.random((count, len(study.axes)))
    for row in places.tolist():
        yield tuple(
            _level_at(name, axis, place)
            for (name, axis), place in zip(study.axes.items(), row, strict=True)
        )


def _levels(name: str, axis: StudyAxis, source: Source) -> list[_Level]:
    if axis.range is None:
        count = len(axis.values or axis.choices or ())
        return [_level_at(name, axis, (number + 0.5) / count) for number in range(count)]
    low, high = axis.range
    if axis.steps is None and axis.whole:
        places = [(value - low) / (high - low) for value in range(math.ceil(low), int(high) + 1)]
        if axis.scale == "log":
            places = [
                math.log(value / low) / math.log(high / low)
                for value in range(math.ceil(low), int(high) + 1)
            ]
    elif axis.steps is None:
        raise source.error(("axes", name), "a range in a grid needs steps: how many values")
    else:
        places = [number / (axis.steps - 1) for number in range(axis.steps)]
    found = [_level_at(name, axis, place) for place in places]
    return list({each.shown: each for each in found}.values())  # whole numbers may coincide


def _level_at(name: str, axis: StudyAxis, place: float) -> _Level:
    """The value at a place in 0…1."""
    loc: Location
    if axis.range is not None:
        low, high = axis.range
        value: Any = (
            low * (high / low) ** place if axis.scale == "log" else low + place * (high - low)
        )
        value = round(value) if axis.whole else float(f"{value:.6g}")
        loc = ("axes", name, "range")
        return _Level(value, dict.fromkeys(axis.fields, value), loc)
    if axis.choices is not None:
        chosen = list(axis.choices)
        key = chosen[min(len(chosen) - 1, int(place * len(chosen)))]
        return _Level(key, axis.choices[key], ("axes", name, "choices", key))
    values = axis.values or []
    number = min(len(values) - 1, int(place * len(values)))
    value = values[number]
    shown = value if isinstance(value, int | float | str) else str(value)
    return _Level(shown, dict.fromkeys(axis.fields, value), ("axes", name, "values", number))
