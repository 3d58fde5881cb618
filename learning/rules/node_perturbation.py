"""Node perturbation (NP), Section 2.1.2.

    d_l = δL ε_l / σ²                                                          (Eq. 4, 5)

ε_l ~ N(0, σ²I) is added to every pre-activation of the network in one perturbed pass. The rule must
know ε, so it needs a periphery that injects it; noise of the device's own comes on top, unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from devices.interface import Capability
from learning.rules.base import Rule, Trial, per_sample

if TYPE_CHECKING:
    from torch import Tensor


class NodePerturbation(Rule):
    """NP: the whole network perturbed at once, by noise that is known."""

    name: ClassVar[str] = "np"
    title: ClassVar[str] = "node perturbation by an injected, known perturbation (Eq. 4, 5)"
    citation: ClassVar[str] = "Dalm, van Gerven and Ahmad, arXiv 2310.00965, Section 2.1.2"
    decorrelated_name: ClassVar[str | None] = "dnp"
    requires: ClassVar[frozenset[Capability]] = frozenset({Capability.OBSERVE, Capability.INJECT})
    knows_perturbation: ClassVar[bool] = True

    @property
    def unbiased_in(self) -> Literal["any network", "one layer"] | None:
        """ε of one node is independent of all others."""
        return "any network"

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Estimate ∂L/∂a_l by Eq. 5."""
        perturbation = trial.perturbations[0]
        assert perturbation is not None
        scale = trial.loss_changes[0] / trial.sigma**2
        return tuple(
            epsilon * per_sample(scale, epsilon) for epsilon in perturbation if epsilon is not None
        )
