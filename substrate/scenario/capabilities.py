"""What a chip can serve, and what a rule asks of it; nothing is built."""

from __future__ import annotations

from contextlib import suppress

from pydantic import ValidationError

from devices.interface import Capability
from learning.requirements import PerturbationSettings, RuleSettings, required_capabilities
from substrate.library import rule_names
from substrate.plugins import NotRunError
from substrate.scenario.combinations import check_learning
from substrate.scenario.schema import Arm, Chip, IdealChip, Learning, Network, RemoteChip, Scenario
from substrate.scenario.schema.chips import chip_title
from substrate.scenario.source import Location, ScenarioError, Source


def chip_capabilities(chip: Chip, network: Network) -> frozenset[Capability]:
    """What a chip of these settings can serve."""
    derivative = {Capability.ACTIVATION_DERIVATIVE} if network.differentiable else set()
    if isinstance(chip, IdealChip):
        able = {
            Capability.OBSERVE,
            Capability.INJECT,
            Capability.CLEAN_PASS,
            Capability.TRANSPOSED_READ,
        }
        return frozenset(able | derivative | ({Capability.GRADIENTS} if derivative else set()))
    if isinstance(chip, RemoteChip):
        # the most that it may tell of itself; nobody is asked before something runs
        return frozenset(Capability) - {Capability.GRADIENTS, Capability.LOSS_DERIVATIVE}
    inject = {Capability.INJECT} if chip.inject else set()
    transposed = {Capability.TRANSPOSED_READ} if chip.transposed_read else set()
    return frozenset({Capability.OBSERVE, *inject, *transposed, *derivative})


def rule_settings(learning: Learning) -> RuleSettings:
    """Translate the rule and its passes alone."""
    perturbation = learning.perturbation
    return RuleSettings(
        learning.make_rule(),
        PerturbationSettings(
            perturbation.source,
            perturbation.baseline,
            perturbation.sigma,
            perturbation.resamples,
        )
        if perturbation
        else None,
    )


def backpropagates(scenario: Scenario, arm: str) -> bool:
    """Whether an arm's rule goes back through the pass itself, as on the ideal chip it does.

    Gradients lead to the weights, so such a chip is in the learner's process.
    """
    found = scenario.all_arms[arm]
    gradients = Capability.GRADIENTS in chip_capabilities(found.chip, scenario.network)
    return gradients and found.learning.rule_class.is_gradient


def check_capabilities(
    scenario: Scenario,
    arm: Arm,
    source: Source,
    loc: Location,
    told: frozenset[Capability] | None = None,
) -> None:
    """Refuse a rule that the chip cannot serve, and name those that it can.

    Args:
        scenario: says what network and loss the arm has.
        arm: a chip and its rule.
        source: the scenario's file.
        loc: where the arm stands in it.
        told: what the chip says that it can serve, of one that was asked.

    Raises:
        ScenarioError: the rule needs a capability that the chip lacks.
    """
    learning = arm.learning
    capabilities = chip_capabilities(arm.chip, scenario.network) if told is None else told
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
