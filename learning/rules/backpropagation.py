"""Backpropagation (BP), Eq. 1: the yardstick, on chips that have gradients.

    d_l = ∂L/∂a_l

The chip propagates the error backwards itself, so that the rule sees neither weights nor graph.
"""

from __future__ import annotations

from torch import Tensor

from devices.interface import Capability, Chip, Observation, PerSampleLoss


class Backpropagation:
    """BP: the gradient itself, in one pass forwards and one backwards."""

    title = "backpropagation (BP)"
    requires = frozenset({Capability.GRADIENTS})

    def errors(
        self, chip: Chip, x: Tensor, loss: PerSampleLoss
    ) -> tuple[Observation, tuple[Tensor, ...]]:
        """Give what was observed in the pass forwards, and ∂L/∂a_l of every layer per sample.

        Raises:
            CapabilityError: the chip lacks `Capability.GRADIENTS`.
        """
        return chip.backpropagate(x, loss)
