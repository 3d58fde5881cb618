"""A rule with its passes, and what it asks of a chip."""

from __future__ import annotations

from typing import Literal, NamedTuple

from devices.interface import Capability
from learning.rules import Rule


class PerturbationSettings(NamedTuple):
    """How a rule's passes are perturbed.

    Attributes:
        source: the noise that makes passes differ: the device's own, injected noise, or both.
        baseline: a clean first pass, or a noisy one like the others (Section 3.4).
        sigma: standard deviation of injected noise, in units of the pre-activation.
        resamples: K perturbed passes for one baseline (Section 3.5).
    """

    source: Literal["intrinsic", "injected", "both"] = "injected"
    baseline: Literal["clean", "noisy"] = "clean"
    sigma: float = 1e-3
    resamples: int = 1


class RuleSettings(NamedTuple):
    """A rule and its passes; `perturbation` is None for one that perturbs nothing."""

    rule: Rule
    perturbation: PerturbationSettings | None


def required_capabilities(settings: RuleSettings) -> frozenset[Capability]:
    """Everything that a chip must offer for a rule with these settings."""
    rule, perturbation = settings
    needs = set(rule.needs)
    if perturbation is not None and perturbation.source != "intrinsic":
        needs.add(Capability.INJECT)
    if perturbation is not None and perturbation.baseline == "clean":
        needs.add(Capability.CLEAN_PASS)
    return frozenset(needs)
