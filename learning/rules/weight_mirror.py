"""The weight mirror: backpropagation's accuracy from two noisy passes (METHOD.md, "The mirror").

Noise travels, so the differences of two noisy passes obey, to first order,

    δa_l = W_l δx*_{l-1} + ν_l

with ν_l the difference of two draws of the layer's own noise, independent of δx*_{l-1}. So W_l is
the regression of δa_l on δx*_{l-1}, both observed: no noise is known, no clean pass is taken and no
weight is read. With B_l its running estimate, errors go backwards through B in place of W:

    B_l ← B_l + μ' ⟨(δa_l - B_l δx) (C_l + λ c̄ I)⁻¹ δx)ᵀ⟩         δx = δx*_{l-1}
    C_l ← β C_l + (1 - β) ⟨δx δxᵀ⟩,   c̄ = tr C_l / n              least squares
    C_l = c̄ I, λ = 0                                              LMS
    μ' = μ / max(1, μ (1 + q / m)),   q = ⟨δxᵀ (C_l + λ c̄ I)⁻¹ δx⟩ over m samples
    e_l = s_l ⊙ R_{l+1}ᵀ B_{l+1}ᵀ e_{l+1},   s_l = f'(a_l)

LMS diverges where noise that a whole layer shares makes one direction of δx much larger than the
others; least squares does not. With few samples before many inputs, of which q is about the number,
a step of μ would take B past W in the samples' directions and further each time, so it is
shortened, as in normalised LMS (Haykin, Adaptive Filter Theory, 2002, chapter 6). The inverse of
C_l is found anew with every fourth trial alone, since C_l is an average over some 1 / (1 - β) = 20
of them. B may be told of the changes that are asked of W, so that it has to find out only what the
device made of them.

The output's error e_L is, by choice,

    derivative     ∂L/∂a_L, which a periphery that computes the loss itself knows
    critic         g(a_L, y), fitted so that g · δa_L ≈ δL (`learning.critic`)
    perturbation   N_L δL δa_L / ‖δa_L‖², node perturbation of the last layer alone

Where f has no derivative, s_l is the regression of δf(a_l) on δa_l in bins of a_l:

    s_l(a) = ⟨δf δa⟩ / ⟨δa²⟩ over what falls into a's bin, of so many from -3 to 3 rms of a_l

Noise η of variance σ² on every reading of x* (not on x* itself) is on δx twice, and shrinks B by
C(C + 2σ²I)⁻¹. A known σ undoes it by calibrated regressors, δx̂ = (I - 2σ² C⁻¹) δx with C that of
the observed δx (Carroll et al., Measurement Error in Nonlinear Models, 2006, chapter 4).

Relatives: weight mirrors (Akrout et al., NeurIPS 2019) have a phase of injected noise; Lansdell,
Prakash and Kording (ICLR 2020) learn feedback by node perturbation; Max et al. (arXiv 2212.10249)
align from a system's own noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from devices.deferred import torch
from devices.interface import Capability, LayerUpdate, Outer
from learning.critic import criticise, fit_critic
from learning.fractions import samples_in
from learning.rules.base import Backward, Rule, RuleState, Trial, per_sample
from learning.states import below, prefixed

if TYPE_CHECKING:
    from torch import Tensor

_SPAN = 3.0
"""Pre-activations beyond so many times their root mean square share the outermost bins."""


class WeightMirror(Rule):
    """Errors go back through B, a running regression of observed differences."""

    name: ClassVar[str] = "weight_mirror"
    title: ClassVar[str] = "errors sent back through a mirror of the weights, learned from noise"
    citation: ClassVar[str] = (
        "after Akrout et al., NeurIPS 2019, and Max et al., arXiv 2212.10249; on two noisy passes"
        " here"
    )
    reads_activities: ClassVar[bool] = True
    reads_inputs: ClassVar[bool] = True
    backward: ClassVar[Backward | None] = "mirror"

    output_error: Literal["derivative", "critic", "perturbation"] = Field(
        "derivative",
        description="The output's error: the derivative of a loss that the periphery computes "
        "itself; from loss changes alone by a small fitted critic; or from loss changes by node "
        "perturbation of the last layer.",
    )
    critic_fraction: float = Field(
        0.25,
        gt=0,
        le=1,
        description="Part of the mini-batch that a critic is shown, which keeps the last 1,000 "
        "samples; no more than this or than B is found from, whichever is more, is then passed a "
        "second time.",
    )
    regression: Literal["least_squares", "lms"] = Field(
        "least_squares",
        description="How B is found: by a running covariance, stable under noise that a layer "
        "shares, or by LMS, which costs less and diverges there.",
    )
    rate: PositiveFloat = Field(
        0.1,
        description="μ, the part of B's error that a batch mends; less where its samples are few "
        "beside the inputs of a layer.",
    )
    ridge: PositiveFloat = Field(
        0.1, description="λ of least squares, in units of the mean variance of δx*."
    )
    covariance_decay: float = Field(
        0.95, ge=0, lt=1, description="β of the exponential average of C over mini-batches."
    )
    inverse_every: PositiveInt = Field(
        4,
        description="Of least squares: trials from one inversion of C + λ c̄ I to the next; 1 "
        "inverts at every step, which costs more time.",
    )
    sample_fraction: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Part of the mini-batch that B is found from; no more of it is passed a second "
        "time where the output's error is the derivative.",
    )
    told: bool = Field(
        True, description="Whether B is told of the weight changes that are asked of the device."
    )
    where: Literal["digital", "crossbar"] = Field(
        "digital",
        description="Where B is: exact in the digital periphery, or on crossbars of the same kind "
        "as the weights, pulsed in place and read through their own noise.",
    )
    passes_before_training: NonNegativeInt = Field(
        0, description="Pairs of passes of the first mini-batch before the first update of W."
    )
    slope: Literal["derivative", "observed"] = Field(
        "derivative",
        description="The slope of the activation: its derivative, or observed, for activations "
        "that have none.",
    )
    slope_bins: PositiveInt = Field(
        16, description="Of an observed slope: bins of the pre-activation; 1 is one slope for all."
    )
    input_readout_std: NonNegativeFloat = Field(
        0.0,
        description="Known standard deviation of noise on every reading of x*, whose bias least "
        "squares then undoes, in units of x*.",
    )

    @model_validator(mode="after")
    def _can_undo_the_bias(self) -> WeightMirror:
        # one variance for all inputs cannot: it would turn B where theirs differ
        if self.input_readout_std > 0 and self.regression == "lms":
            raise ValueError("input_readout_std needs regression: least_squares")
        return self

    @property
    def needs(self) -> frozenset[Capability]:
        """Observations; derivatives where these settings ask for them."""
        needs = set(self.requires)
        if self.output_error == "derivative":
            needs.add(Capability.LOSS_DERIVATIVE)
        if self.slope == "derivative":
            needs.add(Capability.ACTIVATION_DERIVATIVE)
        return frozenset(needs)

    @property
    def unbiased_in(self) -> Literal["one layer"] | None:
        """Of the output's error alone; B is as good as what it has been found from."""
        return None if self.output_error == "critic" else "one layer"

    @property
    def averages_errors(self) -> bool:
        """Where every trial has an output error of its own."""
        return self.output_error == "perturbation"

    @property
    def perturbed_fraction(self) -> float:
        """What B and a critic are found from; all, where every sample's loss change is needed."""
        if self.output_error == "perturbation":
            return 1.0
        if self.output_error == "critic":
            return max(self.sample_fraction, self.critic_fraction)
        return self.sample_fraction

    @property
    def trials_before_training(self) -> int:
        """Those that B is started from."""
        return self.passes_before_training

    @property
    def period(self) -> int:
        """From one inversion to the next."""
        return self.inverse_every if self.regression == "least_squares" else 1

    @property
    def mirror_on(self) -> Literal["digital", "crossbar"] | None:
        """Where B is."""
        return self.where

    @property
    def mirror_is_told(self) -> bool:
        """As set."""
        return self.told

    @property
    def reads_output_changes(self) -> bool:
        """Where slopes are observed."""
        return self.slope == "observed"

    def remember(self, trial: Trial) -> RuleState:
        """Take a trial into covariances, slopes and critic."""
        state = dict(trial.state)
        for layer in range(1, len(trial.shapes)):
            self._remember_covariance(layer, trial, state)
        if self.slope == "observed":
            for layer, change in enumerate(trial.output_changes):
                self._remember_slope(layer, trial, change, state)
        if self.output_error == "critic":
            assert trial.output is not None
            assert trial.target is not None
            assert trial.generator is not None
            part = samples_in(self.critic_fraction, len(trial.output))
            critic = fit_critic(
                below("critic", state),
                trial.output[:part],
                trial.target[:part],
                trial.activity_changes[-1][:part],
                trial.loss_changes[0][:part],
                trial.generator,
            )
            state |= prefixed("critic", critic)
        return state

    def requests(
        self, trial: Trial, read_mirror: Callable[[int, Tensor], Tensor]
    ) -> Iterator[LayerUpdate]:
        """Ask every mirror for a step of its regression."""
        for layer in range(1, len(trial.shapes)):
            x = self._regressor(layer, trial)
            variance = trial.state[f"variance.{layer}"]
            if self.regression == "lms":
                whitened = x / variance
            else:
                if self.input_readout_std > 0:
                    factor = _factor(trial.state[f"covariance.{layer}"], 1e-3 * variance)
                    bias = 2 * self.input_readout_std**2
                    x = x - bias * torch.cholesky_solve(x.T, factor).T
                shrunk = self._since_inverted(layer, trial.state)
                whitened = (x * shrunk) @ trial.state[f"inverse.{layer}"] * shrunk
            along = self.rate * (1 + (x * whitened).sum(1).mean() / len(x))
            whitened = whitened / along.clamp_(min=1.0)
            seen = self._part(trial, trial.activity_changes[layer]).flatten(0, -2)
            misfit = read_mirror(layer, x).sub_(seen)
            yield LayerUpdate(layer, mirror=Outer(whitened, misfit, self.rate / len(x)))

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Give the output's error."""
        if self.output_error == "derivative":
            assert trial.loss_gradient is not None
            return (trial.loss_gradient(),)
        if self.output_error == "critic":
            assert trial.output is not None
            assert trial.target is not None
            critic = below("critic", trial.state)
            return (criticise(critic, trial.output, trial.target),)
        change = trial.activity_changes[-1]
        norm = change.square().sum(1)
        nodes = trial.shapes[-1].nodes
        scale = torch.where(norm > 0, nodes / norm, torch.zeros_like(norm)) * trial.loss_changes[0]
        return (change * per_sample(scale, change),)

    def slope_at(self, layer: int, trial: Trial) -> Tensor | None:
        """Give the observed slope at the baseline's a_l, or None for the periphery's derivative."""
        if self.slope == "derivative":
            return None
        sums = trial.state[f"slope.{layer}"]
        slopes = torch.where(sums[1] > 0, sums[0] / sums[1], torch.zeros_like(sums[0]))
        a = trial.pre_activations[layer]
        return slopes[self._bins(a, trial.state[f"spread.{layer}"])].view(a.shape)

    def _part(self, trial: Trial, changes: Tensor) -> Tensor:
        """Give the samples that B is found from, of those that were passed a second time."""
        return changes[: samples_in(self.sample_fraction, len(trial.pre_activations[0]))]

    def _regressor(self, layer: int, trial: Trial) -> Tensor:
        return self._part(trial, trial.input_changes[layer]).flatten(0, -2)

    def _remember_covariance(self, layer: int, trial: Trial, state: dict[str, Tensor]) -> None:
        x = self._regressor(layer, trial)
        decay = self.covariance_decay
        # far enough from the smallest number that C + λ c̄ I stays normal where nothing moves at all
        seen = x.square().mean().clamp_(min=torch.finfo(x.dtype).tiny ** 0.5)
        variance = state.get(f"variance.{layer}")
        state[f"variance.{layer}"] = seen if variance is None else variance.lerp(seen, 1 - decay)
        if self.regression == "lms":
            return
        before = state.get(f"covariance.{layer}")
        if before is None:
            before = seen * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        state[f"covariance.{layer}"] = covariance = torch.addmm(
            before, x.T, x, beta=decay, alpha=(1 - decay) / len(x)
        )
        name = f"inverse.{layer}"
        if name not in state or trial.number % self.inverse_every == 0:
            factor = _factor(covariance, self.ridge * state[f"variance.{layer}"])
            # as a checkpoint gives it back: products of another layout round otherwise
            state[name] = torch.cholesky_inverse(factor).contiguous()
            state[f"inverted.{layer}"] = self._ridged_diagonal(layer, state)

    def _ridged_diagonal(self, layer: int, state: RuleState) -> Tensor:
        return state[f"covariance.{layer}"].diagonal() + self.ridge * state[f"variance.{layer}"]

    def _since_inverted(self, layer: int, state: RuleState) -> Tensor:
        """Give √ of what each input's variance was at the inversion, of what it is now.

        1 unless it has more than doubled: an inverse of when an input stood still would blow B up.
        """
        then, now = state[f"inverted.{layer}"], self._ridged_diagonal(layer, state)
        return torch.where(now > 2 * then, then / now, 1.0).sqrt_()

    def _remember_slope(
        self, layer: int, trial: Trial, output_change: Tensor, state: dict[str, Tensor]
    ) -> None:
        change = trial.activity_changes[layer]
        a = trial.pre_activations[layer][: len(change)]
        seen = a.square().mean().sqrt_()
        spread = state.get(f"spread.{layer}")
        state[f"spread.{layer}"] = spread = (
            seen if spread is None else spread.lerp(seen, 1 - self.covariance_decay)
        )
        bins = self._bins(a, spread)
        sums = torch.stack(
            [
                torch.zeros(self.slope_bins, dtype=a.dtype, device=a.device).scatter_add_(
                    0, bins, product.flatten()
                )
                for product in (output_change * change, change.square())
            ]
        )
        before = state.get(f"slope.{layer}")
        state[f"slope.{layer}"] = (
            sums if before is None else before.lerp(sums, 1 - self.covariance_decay)
        )

    def _bins(self, a: Tensor, spread: Tensor) -> Tensor:
        place = (a.flatten() / spread.clamp(min=torch.finfo(a.dtype).tiny) + _SPAN) / (2 * _SPAN)
        # of a training that diverges, and is found to at the end of its epoch, any bin will do
        place = place.mul_(self.slope_bins).floor_().nan_to_num_(nan=0.0)
        return place.clamp_(0, self.slope_bins - 1).long()


def _factor(covariance: Tensor, ridge: Tensor) -> Tensor:
    ridged = covariance.clone()
    ridged.diagonal().add_(ridge)
    # not checked for success, which would wait for the device; a ridge makes it positive definite
    factor: Tensor = torch.linalg.cholesky_ex(ridged).L
    return factor
