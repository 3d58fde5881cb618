"""Backpropagation (BP), Eq. 1: the yardstick, and training in situ where arrays read backwards.

    e_L = ∂L/∂a_L,   e_l = f'(a_l) ⊙ R_{l+1}ᵀ W_{l+1}ᵀ e_{l+1}

On an ideal chip the gradient is exact. On arrays that can be driven from their columns, Wᵀ e is a
read like any other, with the array's own noise, and ΔW is pulsed in place: this is how aihwkit
trains (Gokmen and Vlasov, Front. Neurosci. 10:333, 2016). One pass forwards, noise and all; no
second one is compared with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from devices.interface import Capability
from learning.rules.base import Backward, Rule, Trial

if TYPE_CHECKING:
    from torch import Tensor


class Backpropagation(Rule):
    """BP: the error goes back through the weights themselves."""

    name: ClassVar[str] = "bp"
    title: ClassVar[str] = "backpropagation"
    citation: ClassVar[str] = (
        "Rumelhart, Hinton and Williams, Nature 323:533, 1986; on crossbars Gokmen and Vlasov,"
        " Front. Neurosci. 10:333, 2016"
    )
    decorrelated_name: ClassVar[str | None] = "dbp"
    requires: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.TRANSPOSED_READ,
            Capability.ACTIVATION_DERIVATIVE,
            Capability.LOSS_DERIVATIVE,
        }
    )
    perturbs: ClassVar[bool] = False
    backward: ClassVar[Backward | None] = "transposed_read"
    is_gradient: ClassVar[bool] = True

    @property
    def unbiased_in(self) -> Literal["any network", "one layer"] | None:
        """The gradient is exact, but for the noise of the passes."""
        return "any network"

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Give ∂L/∂a_L as the periphery computes it."""
        assert trial.loss_gradient is not None
        return (trial.loss_gradient(),)
