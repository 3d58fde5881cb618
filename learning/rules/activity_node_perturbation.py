"""Activity-based node perturbation (ANP), Section 2.1.3.

    d_l = N δL δa_l / ‖δa‖²,   δa_l = ã_l - a_l,   ‖δa‖² = Σ_l ‖δa_l‖²            (Eq. 6)

N is the number of nodes of the whole network. Nothing but observed activities enters, so any noise
will do as the perturbation, be it injected or the device's own, and the baseline pass may be noisy
as well (Section 3.4). In a network of one layer it is INP.
"""

from __future__ import annotations

import torch
from torch import Tensor

from devices.interface import Capability
from learning.rules.base import Trial, per_sample


class ActivityNodePerturbation:
    """ANP: the whole network at once, by the difference of two observed activities."""

    title = "activity-based node perturbation (ANP)"
    requires = frozenset({Capability.OBSERVE})
    layer_by_layer = False

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Estimate ∂L/∂a_l by Eq. 6; samples whose activity did not change at all give zero."""
        changes = [
            perturbed - baseline
            for perturbed, baseline in zip(
                trial.perturbed[0].pre_activations, trial.baseline.pre_activations, strict=True
            )
        ]
        norm = torch.stack([change.flatten(1).square().sum(1) for change in changes]).sum(0)
        nodes = sum(shape.nodes for shape in trial.shapes)
        scale = nodes * trial.loss_changes[0] / norm
        scale = torch.where(norm > 0, scale, torch.zeros_like(scale))
        return tuple(change.mul_(per_sample(scale, change)) for change in changes)
