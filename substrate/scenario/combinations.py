"""Combinations of a rule with its settings and its chip's noise that make no sense, and why."""

from __future__ import annotations

from substrate.scenario.schema import Arm, IdealChip, NativeChip
from substrate.scenario.source import Location, Source


def check_learning(arm: Arm, source: Source, loc: Location) -> None:
    """Refuse what makes no sense, whatever the chip can do.

    Raises:
        ScenarioError: the first such combination, with its reason.
    """
    learning, optimiser = arm.learning, arm.learning.optimiser
    if learning.perturbation and not learning.rule_class.perturbs:
        at = (*loc, "learning", "perturbation")
        raise source.error(at, f"the rule {learning.rule} perturbs nothing")
    if optimiser.write == "pulses" and optimiser.name != "sgd":
        raise source.error(
            (*loc, "learning", "optimiser", "write"),
            f"{optimiser.name} makes a dense step; only sgd can be pulsed in place",
            found="pulses",
            hint="use sgd, or write: dense",
        )
    _check_noise(arm, source, loc)


def _check_noise(arm: Arm, source: Source, loc: Location) -> None:
    """Refuse a rule that cannot learn from the noise that its passes have."""
    learning, ideal = arm.learning, isinstance(arm.chip, IdealChip)
    if learning.perturbation is None:
        return
    at, found = (*loc, "learning", "perturbation", "source"), learning.perturbation.source
    if learning.rule_class.own_noise_only and (ideal or found == "injected"):
        raise source.error(
            at if found == "injected" and not ideal else (*loc, "learning", "rule"),
            f"{learning.rule} is for a device's own noise, which cannot be measured;"
            " injected noise is known",
            found=found if found == "injected" and not ideal else learning.rule,
            hint="use a rule that takes the noise that it injects, such as np",
        )
    if ideal and found != "injected":
        raise source.error(
            at,
            "the ideal chip has no noise of its own to learn from",
            found=found,
            hint="use injected",
        )
    if isinstance(arm.chip, NativeChip) and found == "intrinsic" and not _is_noisy(arm.chip):
        raise source.error(
            at,
            f"the native {arm.chip.preset} so set has no read noise, nor any other noise that "
            "travels through the network: nothing perturbs it",
            found=found,
            hint="give the chip a conductance.read_noise above 0 or a noise at its output, or use "
            "injected, with the chip's inject: true",
        )
    if learning.rule_class.knows_perturbation and found == "intrinsic":
        raise source.error(
            at,
            f"{learning.rule} must know the perturbation; a device's own noise is unknown",
            found=found,
            hint="use injected or both, or the rule danp, which needs observations alone",
        )


def _is_noisy(chip: NativeChip) -> bool:
    """Whether anything makes two passes of a network on this chip differ."""
    return chip.conductance.read_noise > 0 or chip.adds_travelling_noise
