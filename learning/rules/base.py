"""What a learning rule is: observations and losses in, an estimate of ∂L/∂a_l for every layer out.

Every rule of METHOD.md has the same last step, ΔW_l = ⟨d_l x_{l-1}ᵀ⟩ over the batch, with x_{l-1}
the layer's input in the baseline pass; what sets rules apart is d_l. So a rule is a pure function
that gives d_l per sample, in the shape of the layer's pre-activation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from devices.interface import Capability, LayerShape, Observation, Perturbation


@dataclass(frozen=True)
class Trial:
    """One comparison of a baseline pass with perturbed passes of the same input.

    Attributes:
        shapes: the layers.
        baseline: what was observed in the baseline pass, clean or noisy.
        perturbed: what was observed in each perturbed pass: one, or one for every layer in rules
            that perturb layer by layer.
        perturbations: what was injected in each of them; None where nothing was.
        loss_changes: δL of each of them, per sample.
        sigma: standard deviation of what was injected, in units of the pre-activation.
    """

    shapes: tuple[LayerShape, ...]
    baseline: Observation
    perturbed: tuple[Observation, ...]
    perturbations: tuple[Perturbation | None, ...]
    loss_changes: tuple[Float[Tensor, " batch"], ...]
    sigma: float


@runtime_checkable
class PerturbationRule(Protocol):
    """A rule that learns from the loss changes that perturbations make."""

    @property
    def title(self) -> str:
        """The name in full, with its source."""
        ...

    @property
    def requires(self) -> frozenset[Capability]:
        """What the chip must offer whatever the settings."""
        ...

    @property
    def layer_by_layer(self) -> bool:
        """Whether each layer is perturbed in a pass of its own."""
        ...

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Estimate ∂L/∂a_l per sample, in the pre-activation's shape, for every layer."""
        ...


def per_sample(value: Float[Tensor, " batch"], like: Tensor) -> Tensor:
    """Give a per-sample value the axes and the type that multiply `like`, (batch, ...)."""
    return value.to(like.dtype).view(-1, *[1] * (like.ndim - 1))
