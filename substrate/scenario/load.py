"""From a scenario file to a checked `Scenario`; nothing is built."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import yaml
from pydantic import ValidationError

from substrate.plugins import NotRunError, PluginError
from substrate.scenario.aihwkit_check import check_aihwkit_chip
from substrate.scenario.budgets import FULL, apply_budget
from substrate.scenario.combinations import check_learning
from substrate.scenario.explain import from_validation_error
from substrate.scenario.noise_check import check_noise
from substrate.scenario.schema import (
    ActivationFunction,
    AihwkitChip,
    Arm,
    IdealChip,
    LossFunction,
    Scenario,
)
from substrate.scenario.source import (
    Location,
    ScenarioError,
    Source,
    apply_overrides,
    load_yaml,
)


def load_scenario(
    path: Path, overrides: Sequence[str] = (), budget: str = FULL
) -> tuple[Scenario, Source]:
    """Read, validate and check a scenario, with a budget and `--set` overrides on top.

    Raises:
        ScenarioError: the first thing that is wrong with it, and where.
    """
    source = apply_overrides(apply_budget(load_yaml(path), budget), overrides)
    try:
        scenario = Scenario.model_validate(source.data, context={"folder": source.path.parent})
    except ValidationError as problem:
        raise from_validation_error(problem, source, Scenario) from None
    _check_loss(scenario, source)
    _check_activation(scenario, source)
    for group, arms in (("arms", scenario.arms), ("baselines", scenario.baselines)):
        for name, arm in arms.items():
            _check_arm(scenario, arm, source, (group, name))
    return scenario, source


def resolved(scenario: Scenario) -> str:
    """Give the scenario as YAML with every default written out; loading it gives it again."""
    settings = scenario.model_dump(mode="json", exclude_none=True)
    return str(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))


def _check_loss(scenario: Scenario, source: Source) -> None:
    if not isinstance(scenario.training.loss, LossFunction):
        return
    from substrate.assemble.loss import build_loss

    try:
        with suppress(NotRunError):
            build_loss(scenario.training)
    except PluginError as problem:
        raise source.error(("training", "loss"), problem.message, hint=problem.hint) from None


def _check_activation(scenario: Scenario, source: Source) -> None:
    if not isinstance(scenario.network.activation, ActivationFunction):
        return
    from substrate.assemble.activation import own_activation

    try:
        with suppress(NotRunError):
            own_activation(scenario.network.activation)
    except PluginError as problem:
        loc = ("network", "activation")
        raise source.error(loc, problem.message, hint=problem.hint) from None


def _check_arm(scenario: Scenario, arm: Arm, source: Source, loc: Location) -> None:
    """Refuse what the models alone cannot: unknown presets, rules that the chip cannot serve."""
    if isinstance(arm.chip, AihwkitChip):
        check_aihwkit_chip(arm.chip, arm.learning, source, loc)
    if not isinstance(arm.chip, IdealChip):
        check_noise(arm.chip, scenario.network, source, (*loc, "chip", "noise"))
    try:
        perturbs = arm.learning.rule_class.perturbs
    except NotRunError:
        return
    if not perturbs:
        # what else is said of it matters only where it can run at all
        _check_capabilities(scenario, arm, source, loc)
    check_learning(arm, source, loc)
    _check_capabilities(scenario, arm, source, loc)


def _check_capabilities(scenario: Scenario, arm: Arm, source: Source, loc: Location) -> None:
    from devices.interface import Capability
    from learning.estimator import required_capabilities
    from substrate.assemble.chip import chip_capabilities, chip_title
    from substrate.assemble.learner import rule_settings
    from substrate.library import rule_names

    learning = arm.learning
    capabilities = chip_capabilities(arm.chip, scenario.network)
    if scenario.training.differentiable:
        capabilities |= {Capability.LOSS_DERIVATIVE}
    missing = required_capabilities(rule_settings(learning)) - capabilities
    if not missing:
        return
    working = []
    for rule in rule_names():
        plain = {"rule": rule, "optimiser": learning.optimiser}
        with suppress(ScenarioError, ValidationError):  # the latter: a package that is broken
            other = Arm.model_validate({"chip": arm.chip.model_dump(), "learning": plain})
            check_learning(other, source, loc)
            if required_capabilities(rule_settings(other.learning)) <= capabilities:
                working.append(rule)
    named = " and ".join(f"'{capability}'" for capability in sorted(missing))
    if working == [learning.rule] or learning.rule in working:
        hint = "it would with this chip's default perturbation: leave out `perturbation`"
    else:
        hint = f"rules that work on this chip: {', '.join(working)}"
    try:
        title = chip_title(arm.chip)
    except NotRunError:
        title = "of your own"
    message = (
        f"{learning.rule} with these settings needs the capability {named}, which this chip"
        f" ({title}) lacks"
    )
    if Capability.ACTIVATION_DERIVATIVE in missing:
        message += f"; the activation {scenario.network.activation_title} has no useful derivative"
    if Capability.LOSS_DERIVATIVE in missing:
        message += f"; {scenario.training.loss_title} is not declared differentiable"
    if missing == {Capability.TRANSPOSED_READ}:
        hint = f"set chip.transposed_read: true if its arrays can be driven from columns; {hint}"
    raise source.error(
        (*loc, "learning", "rule"),
        message,
        found=learning.rule,
        hint=hint,
    )
