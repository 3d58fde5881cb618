"""Node perturbation from observed activities, for noise that cannot be measured (METHOD.md).

    d_l = δL δa_l / σ_l²,   δa_l = ã_l - a_l,   σ_l² = ⟨δa_l²⟩ over trials before training

Where plain NP must know the ε_l that it injects, this form takes the difference of two observed
activities in its place, and a variance of every layer that was calibrated beforehand from repeated
passes and is not changed again. Unlike ANP it does not normalise per sample, so what σ_l² was
found to be stays, even where the noise depends on the input or drifts.

σ_l² is that of a difference as training makes it: with two noisy passes both contribute to it, with
a clean baseline only one does, and the estimate is right in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PositiveInt

from devices.deferred import torch
from learning.rules.base import Rule, RuleState, Trial, per_sample

if TYPE_CHECKING:
    from torch import Tensor


class ObservedNodePerturbation(Rule):
    """NP with observed δa in place of the unknown noise."""

    name: ClassVar[str] = "np_observed"
    title: ClassVar[str] = "node perturbation by observed activity differences and a calibrated σ²"
    citation: ClassVar[str] = "Dalm, van Gerven and Ahmad, arXiv 2310.00965, Section 3.4"
    decorrelated_name: ClassVar[str | None] = "dnp_observed"
    own_noise_only: ClassVar[bool] = True
    reads_activities: ClassVar[bool] = True

    calibration_trials: PositiveInt = Field(
        10, description="Pairs of passes of the first mini-batch that σ² is taken from."
    )

    @property
    def unbiased_in(self) -> Literal["any network", "one layer"] | None:
        """Behind other layers δa_l carries their noise as well."""
        return "one layer"

    @property
    def trials_before_training(self) -> int:
        """Those that σ² is taken from."""
        return self.calibration_trials

    def remember(self, trial: Trial) -> RuleState:
        """Take the trial into σ_l², `variance.<layer>`, until calibration is over."""
        # counted on the CPU, so that looking at it does not wait for the device
        seen = int(trial.state.get("trials", torch.zeros((), dtype=torch.int64)))
        if seen >= self.calibration_trials:
            return trial.state
        state = {"trials": torch.tensor(seen + 1)}
        for layer, change in enumerate(trial.activity_changes):
            name = f"variance.{layer}"
            variance = change.square().mean()
            if seen:
                variance = trial.state[name].lerp(variance, 1 / (seen + 1))
            state[name] = variance
        return state

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Estimate ∂L/∂a_l; a layer that showed no noise in calibration gives zero."""
        errors = []
        for layer, change in enumerate(trial.activity_changes):
            variance = trial.state[f"variance.{layer}"]
            inverse = torch.where(variance > 0, 1 / variance, torch.zeros_like(variance))
            errors.append(change * per_sample(trial.loss_changes[0] * inverse, change))
        return tuple(errors)
