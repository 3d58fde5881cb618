"""From a scenario file to a checked `Scenario`; nothing is built."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import yaml
from pydantic import ValidationError

from substrate.plugins import NotRunError, PluginError, load_object
from substrate.scenario.aihwkit_check import check_aihwkit_chip
from substrate.scenario.budgets import FULL, apply_budget
from substrate.scenario.capabilities import check_capabilities
from substrate.scenario.combinations import check_learning
from substrate.scenario.explain import from_validation_error
from substrate.scenario.noise_check import check_noise
from substrate.scenario.overrides import apply_overrides
from substrate.scenario.schema import (
    ActivationFunction,
    AihwkitChip,
    Arm,
    IdealChip,
    LossFunction,
    RemoteChip,
    Scenario,
)
from substrate.scenario.source import Location, Source
from substrate.scenario.yaml_reader import load_yaml


def load_scenario(
    path: Path, overrides: Sequence[str] = (), budget: str = FULL
) -> tuple[Scenario, Source]:
    """Read, validate and check a scenario, with a budget and `--set` overrides on top.

    Raises:
        ScenarioError: the first thing that is wrong with it, and where.
    """
    source = apply_overrides(apply_budget(load_yaml(path), budget), overrides)
    return checked(source), source


def checked(source: Source) -> Scenario:
    """Validate and check a scenario that was read.

    Raises:
        ScenarioError: the first thing that is wrong with it, and where.
    """
    if {"scenario", "axes"} <= source.data.keys():
        hint = f"substrate study {source.path} runs it"
        raise source.error((), "this is a study, not a scenario", hint=hint)
    try:
        scenario = Scenario.model_validate(source.data, context={"folder": source.path.parent})
    except ValidationError as problem:
        raise from_validation_error(problem, source, Scenario) from None
    _check_truth_values(source.data, scenario.model_dump(mode="json"), source, ())
    _check_loss(scenario, source)
    _check_activation(scenario, source)
    for group, arms in (("arms", scenario.arms), ("baselines", scenario.baselines)):
        for name, arm in arms.items():
            _check_arm(scenario, arm, source, (group, name))
    return scenario


def resolved(scenario: Scenario) -> str:
    """Give the scenario as YAML with every default written out; loading it gives it again."""
    settings = scenario.model_dump(mode="json", exclude_none=True)
    return str(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))


def _check_truth_values(given: object, taken: object, source: Source, loc: Location) -> None:
    """Refuse `yes`, `on` and `true` for a number, which pydantic takes for 1."""
    if isinstance(given, dict) and isinstance(taken, dict):
        for key in given.keys() & taken.keys():
            _check_truth_values(given[key], taken[key], source, (*loc, key))
    elif isinstance(given, list) and isinstance(taken, list):
        for place, (each, here) in enumerate(zip(given, taken, strict=False)):
            _check_truth_values(each, here, source, (*loc, place))
    elif isinstance(given, bool) and isinstance(taken, int | float) and given is not taken:
        hint = "YAML reads yes, no, on and off as true and false"
        raise source.error(loc, "must be a number, and not a truth value", found=given, hint=hint)


def _check_loss(scenario: Scenario, source: Source) -> None:
    if not isinstance(scenario.training.loss, LossFunction):
        return
    try:
        with suppress(NotRunError):
            load_object(scenario.training.loss.function, Path())
            # what follows imports torch
            from substrate.assemble.loss import build_loss

            build_loss(scenario.training)
    except PluginError as problem:
        raise source.error(("training", "loss"), problem.message, hint=problem.hint) from None


def _check_activation(scenario: Scenario, source: Source) -> None:
    if not isinstance(scenario.network.activation, ActivationFunction):
        return
    try:
        with suppress(NotRunError):
            load_object(scenario.network.activation.function, Path())
            # what follows imports torch
            from substrate.assemble.activation import own_activation

            own_activation(scenario.network.activation)
    except PluginError as problem:
        loc = ("network", "activation")
        raise source.error(loc, problem.message, hint=problem.hint) from None


def _check_arm(scenario: Scenario, arm: Arm, source: Source, loc: Location) -> None:
    """Refuse what the models alone cannot: unknown presets, rules that the chip cannot serve."""
    if isinstance(arm.chip, AihwkitChip):
        check_aihwkit_chip(arm.chip, arm.learning, source, loc)
    if not isinstance(arm.chip, IdealChip | RemoteChip):
        check_noise(arm.chip, scenario.network, source, (*loc, "chip", "noise"))
    try:
        perturbs = arm.learning.rule_class.perturbs
    except NotRunError:
        return
    if not perturbs:
        # what else is said of it matters only where it can run at all
        check_capabilities(scenario, arm, source, loc)
    check_learning(arm, source, loc)
    check_capabilities(scenario, arm, source, loc)
