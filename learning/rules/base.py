"""What a learning rule is: observations and losses in, an estimate of ∂L/∂a_l for every layer out.

Every rule of METHOD.md has the same last step, ΔW_l = ⟨d_l x_{l-1}ᵀ⟩ over the batch, with x_{l-1}
the layer's input in the baseline pass; what sets rules apart is d_l. So a rule is a pure function
that gives d_l per sample, in the shape of the layer's pre-activation. What a rule remembers from
one trial to the next is handed to it with the trial, so that it can be saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from devices.interface import Capability, LayerShape, Perturbation

RuleState = Mapping[str, Tensor]
"""What a rule remembers, by name."""


@dataclass(frozen=True)
class Trial:
    """One comparison of a baseline pass with perturbed passes of the same input.

    Attributes:
        shapes: the layers.
        activity_changes: δa_l = ã_l - a_l of every layer, observed in the perturbed pass; empty
            for rules that do not read activities.
        perturbations: what was injected in each perturbed pass: one, or one for every layer in
            rules that perturb layer by layer; None where nothing was, or none need know.
        loss_changes: δL of each of them, per sample.
        sigma: standard deviation of what was injected, in units of the pre-activation.
        state: what a `RememberingRule` knows, this trial included; empty for all other rules.
    """

    shapes: tuple[LayerShape, ...]
    activity_changes: tuple[Float[Tensor, "batch *_position_and_n_out"], ...]
    perturbations: tuple[Perturbation | None, ...]
    loss_changes: tuple[Float[Tensor, " batch"], ...]
    sigma: float
    state: RuleState = field(default_factory=dict[str, Tensor])


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

    @property
    def reads_activities(self) -> bool:
        """Whether pre-activations count; those of passes are empty in its trials if not."""
        ...

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Estimate ∂L/∂a_l per sample, in the pre-activation's shape, for every layer."""
        ...


@runtime_checkable
class RememberingRule(PerturbationRule, Protocol):
    """A rule that learns something about the chip's noise from trial to trial."""

    @property
    def calibration_trials(self) -> int:
        """Trials to be remembered before training begins."""
        ...

    def remember(self, trial: Trial) -> RuleState:
        """Give the state that follows from the state and the observations of a trial.

        `trial.state` is empty in the first trial. The state before is left as it was.
        """
        ...


def activity_scale(trial: Trial) -> Float[Tensor, " batch"]:
    """Give N / ‖δa‖² of every sample, ‖δa‖² = Σ_l ‖δa_l‖²; 0 where no activity changed."""
    changes = trial.activity_changes
    norm = torch.stack([change.flatten(1).square().sum(1) for change in changes]).sum(0)
    nodes = sum(shape.nodes for shape in trial.shapes)
    return torch.where(norm > 0, nodes / norm, torch.zeros_like(norm))


def per_sample(value: Float[Tensor, " batch"], like: Tensor) -> Tensor:
    """Give a per-sample value the axes and the type that multiply `like`, (batch, ...)."""
    return value.to(like.dtype).view(-1, *[1] * (like.ndim - 1))
