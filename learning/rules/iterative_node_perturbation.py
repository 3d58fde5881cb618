"""Iterative node perturbation (INP), Section 2.1.1.

    d_l = N_l δL_l v_l / ‖v_l‖²                                                    (Eq. 3)

One perturbed pass for every layer, in which v_l ~ N(0, σ²I) is added to that layer alone; δL_l is
that pass's loss minus the baseline's. The norm is per sample, over all nodes of the layer; where it
is 0, as it is once in some ten million draws for a layer of one node, so is d_l.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from devices.deferred import torch
from devices.interface import Capability
from learning.rules.base import Rule, Trial, per_sample

if TYPE_CHECKING:
    from torch import Tensor


class IterativeNodePerturbation(Rule):
    """INP: one layer at a time, the directional derivative in full."""

    name: ClassVar[str] = "inp"
    title: ClassVar[str] = "iterative node perturbation, one layer at a time (Eq. 3)"
    citation: ClassVar[str] = "Dalm, van Gerven and Ahmad, arXiv 2310.00965, Section 2.1.1"
    decorrelated_name: ClassVar[str | None] = "dinp"
    requires: ClassVar[frozenset[Capability]] = frozenset({Capability.OBSERVE, Capability.INJECT})
    layer_by_layer: ClassVar[bool] = True
    knows_perturbation: ClassVar[bool] = True

    @property
    def unbiased_in(self) -> Literal["any network", "one layer"] | None:
        """v of one node is independent of all others."""
        return "any network"

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Estimate ∂L/∂a_l by Eq. 3."""
        errors = []
        for layer, (perturbation, loss_change) in enumerate(
            zip(trial.perturbations, trial.loss_changes, strict=True)
        ):
            v = perturbation[layer] if perturbation is not None else None
            assert v is not None
            norm = v.flatten(1).square().sum(1)
            scale = trial.shapes[layer].nodes * loss_change / norm
            scale = torch.where(norm > 0, scale, torch.zeros_like(scale))
            errors.append(v * per_sample(scale, v))
        return tuple(errors)
