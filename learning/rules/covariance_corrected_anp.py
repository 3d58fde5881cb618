"""Activity-based node perturbation, corrected by the inverse covariance of δa (METHOD.md).

    d_l = (Σ_l + λI)⁻¹ N δL δa_l / ‖δa‖²
    Σ_l ← β Σ_l + (1 - β) N ⟨δa_l δa_lᵀ / ‖δa‖²⟩,   Σ_l = I at first

δa of a layer carries the noise of all layers before it, so ANP's expected update is the gradient
turned by the covariance of δa_l (Appendix B). Its inverse undoes that: Σ_l⁻¹⟨δL δa_l⟩ is the
least-squares regression of δL on δa_l, unbiased to first order, since the noise of later layers is
independent of δa_l. Σ_l is estimated from observed activities alone, normalised per sample like
Eq. 6, so that white noise of the same size in every layer gives the identity and λ needs no unit.
The estimate starts there: the rule starts as ANP, scaled by 1/(1 + λ).

In a convolution Σ_l is that of the channels, mean over the positions (Σ of all nodes would be a
matrix of channels × positions); correlations between positions stay uncorrected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PositiveFloat

from devices.deferred import torch
from learning.rules.base import (
    Rule,
    RuleState,
    Trial,
    activity_scale,
    per_sample,
)

if TYPE_CHECKING:
    from torch import Tensor


class CovarianceCorrectedANP(Rule):
    """ANP whose bias is undone by a running estimate of the covariance of δa."""

    name: ClassVar[str] = "anp_corrected"
    title: ClassVar[str] = "activity-based node perturbation, corrected by the covariance of δa"
    citation: ClassVar[str] = "Dalm, van Gerven and Ahmad, arXiv 2310.00965, Appendix B"
    decorrelated_name: ClassVar[str | None] = "danp_corrected"
    reads_activities: ClassVar[bool] = True

    covariance_decay: float = Field(
        0.95, ge=0, lt=1, description="β of the exponential average over mini-batches."
    )
    ridge: PositiveFloat = Field(
        1.0, description="λ on the diagonal, in units of the variance of white noise."
    )

    def remember(self, trial: Trial) -> RuleState:
        """Take the trial's δa into Σ_l of every layer, `covariance.<layer>`, (n_out, n_out)."""
        normalised = activity_scale(trial).sqrt()
        state = {}
        for layer, change in enumerate(trial.activity_changes):
            name = f"covariance.{layer}"
            rows = (change * per_sample(normalised, change)).flatten(0, -2)
            before = trial.state.get(name)
            if before is None:
                before = torch.eye(rows.shape[1], dtype=rows.dtype, device=rows.device)
            state[name] = torch.addmm(
                before,
                rows.T,
                rows,
                beta=self.covariance_decay,
                alpha=(1 - self.covariance_decay) / len(rows),
            )
        return state

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Estimate ∂L/∂a_l; samples whose activity did not change at all give zero."""
        scale = trial.loss_changes[0] * activity_scale(trial)
        return tuple(
            self._corrected(change * per_sample(scale, change), trial.state[f"covariance.{layer}"])
            for layer, change in enumerate(trial.activity_changes)
        )

    def _corrected(self, d: Tensor, covariance: Tensor) -> Tensor:
        ridged = covariance + self.ridge * torch.eye(
            len(covariance), dtype=covariance.dtype, device=covariance.device
        )
        # not checked for success, which would wait for the device; λ > 0 makes it positive definite
        factor, _ = torch.linalg.cholesky_ex(ridged)
        return torch.cholesky_solve(d.flatten(0, -2).T, factor).T.reshape(d.shape)
