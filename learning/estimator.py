"""From passes through the chip to an estimate of ∂L/∂a_l, by any rule.

resampling:     K comparisons of a perturbed pass with one baseline pass, their estimates averaged
noisy baseline: the first pass is as noisy as the others, and stands in for a clean one
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from devices.interface import Capability, Chip, LayerShape, Observation, PerSampleLoss, Perturbation
from learning.rules import PERTURBATION_RULES, RememberingRule, RuleState, Trial, perturbation_rule


class PerturbationSettings(NamedTuple):
    """How a rule's passes are perturbed.

    Attributes:
        source: the noise that makes passes differ: the device's own, injected noise, or both.
        baseline: a clean first pass, or a noisy one like the others (Section 3.4).
        sigma: standard deviation of injected noise, in units of the pre-activation.
        resamples: K perturbed passes for one baseline (Section 3.5).
    """

    source: Literal["intrinsic", "injected", "both"] = "injected"
    baseline: Literal["clean", "noisy"] = "clean"
    sigma: float = 1e-3
    resamples: int = 1


class RuleSettings(NamedTuple):
    """A rule with its own settings and those of its passes.

    Attributes:
        name: `bp`, or a key of `learning.rules.PERTURBATION_RULES`.
        perturbation: None for backpropagation.
        settings: of the rule itself, where they are not its defaults.
    """

    name: str
    perturbation: PerturbationSettings | None
    settings: Mapping[str, int | float] = MappingProxyType({})


def required_capabilities(rule: RuleSettings) -> frozenset[Capability]:
    """Everything that a chip must offer for a rule with these settings."""
    if rule.perturbation is None:
        return frozenset({Capability.GRADIENTS})
    needs = set(PERTURBATION_RULES[rule.name].requires)
    if rule.perturbation.source != "intrinsic":
        needs.add(Capability.INJECT)
    if rule.perturbation.baseline == "clean":
        needs.add(Capability.CLEAN_PASS)
    return frozenset(needs)


class Estimate(NamedTuple):
    """What a rule makes of one mini-batch.

    Of the baseline pass it keeps only what an update is made of, so that the rest is given free.

    Attributes:
        inputs: x_{l-1} of every layer in the baseline pass.
        output: of the baseline pass.
        losses: of every sample in the baseline pass.
        errors: the estimate of ∂L/∂a_l per sample, in the pre-activation's shape, of every layer.
    """

    inputs: tuple[Tensor, ...]
    output: Float[Tensor, "batch n_out"]
    losses: Float[Tensor, " batch"]
    errors: tuple[Tensor, ...]


class Estimator:
    """Runs a rule's passes on a chip.

    Raises:
        CapabilityError: from an estimate, if the chip lacks what `required_capabilities` names.
    """

    def __init__(self, chip: Chip, rule: RuleSettings, generator: torch.Generator) -> None:
        """Prepare; `generator` draws what is injected, on the chip's device."""
        self._chip = chip
        self._settings = rule.perturbation
        self._generator = generator
        self._remembered: RuleState = {}
        if rule.perturbation is not None:
            self._rule = perturbation_rule(rule.name, rule.settings)
            # a rule that does not need to know what was injected does not hold it
            self._knows = Capability.INJECT in self._rule.requires
            self._injects = rule.perturbation.source != "intrinsic"
            # a chip with clean passes has no noise of its own to make the baseline noisy
            self._injects_baseline = (
                self._injects
                and rule.perturbation.baseline == "noisy"
                and Capability.CLEAN_PASS in chip.capabilities
            )

    @torch.no_grad()
    def estimate(self, x: Tensor, loss: PerSampleLoss) -> Estimate:
        """Run the passes of one mini-batch, (batch, ...), and estimate the gradient from them."""
        if self._settings is None:
            baseline, errors = self._chip.backpropagate(x, loss)
            return Estimate(baseline.inputs, baseline.output, loss(baseline.output), errors)
        if isinstance(self._rule, RememberingRule) and not self._remembered:
            for _ in range(self._rule.calibration_trials):
                self._remembered = self._rule.remember(self._trial(x, loss, self._settings.sigma))
        trial = self._trial(x, loss, self._settings.sigma)
        baseline, losses = trial.baseline, loss(trial.baseline.output)
        errors = self._errors(trial)
        for _ in range(self._settings.resamples - 1):
            trial = self._trial(x, loss, self._settings.sigma, baseline)
            for total, error in zip(errors, self._errors(trial), strict=True):
                total.add_(error)
        if self._settings.resamples > 1:
            for total in errors:
                total.div_(self._settings.resamples)
        return Estimate(baseline.inputs, baseline.output, losses, errors)

    def state(self) -> dict[str, Tensor]:
        """What the rule remembers, and where the stream of injected noise is."""
        return {
            "generator": self._generator.get_state(),
            **{f"rule.{name}": value for name, value in self._remembered.items()},
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state."""
        self._generator.set_state(state["generator"])
        self._remembered = {
            name.removeprefix("rule."): value
            for name, value in state.items()
            if name.startswith("rule.")
        }

    def _errors(self, trial: Trial) -> tuple[Tensor, ...]:
        if isinstance(self._rule, RememberingRule):
            self._remembered = self._rule.remember(trial)
            trial = replace(trial, state=self._remembered)
        return self._rule.errors(trial)

    def _trial(
        self, x: Tensor, loss: PerSampleLoss, sigma: float, baseline: Observation | None = None
    ) -> Trial:
        """Run the perturbed passes, and the baseline pass too unless it is given."""
        shapes = self._chip.shapes
        first: list[Iterable[Tensor] | None] = []
        if baseline is None:
            first.append(self._draw(x, shapes, sigma) if self._injects_baseline else None)
        known: list[Perturbation | None] = [None]
        perturbations: list[Iterable[Tensor | None] | None] = [None]
        if self._injects and self._knows:
            known = self._perturbations(x, shapes, sigma)
            perturbations = [*known]
        elif self._injects:
            perturbations = [self._draw(x, shapes, sigma)]
        observed = self._chip.passes(
            x,
            [*first, *perturbations],
            read_inputs=range(len(first)),
            read_pre_activations=None if self._rule.reads_activities else (),
        )
        if baseline is None:
            baseline, observed = observed[0], observed[1:]
        baseline_losses = loss(baseline.output)
        return Trial(
            shapes,
            baseline,
            observed,
            tuple(known),
            tuple(loss(passed.output) - baseline_losses for passed in observed),
            sigma,
            self._remembered,
        )

    def _perturbations(
        self, x: Tensor, shapes: Sequence[LayerShape], sigma: float
    ) -> list[Perturbation | None]:
        """Draw what a rule needs to know, for each of its perturbed passes."""
        drawn = tuple(self._draw(x, shapes, sigma))
        if not self._rule.layer_by_layer:
            return [drawn]
        return [
            tuple(epsilon if layer == alone else None for layer, epsilon in enumerate(drawn))
            for alone in range(len(drawn))
        ]

    def _draw(self, x: Tensor, shapes: Sequence[LayerShape], sigma: float) -> Iterator[Tensor]:
        """Draw ε_l ~ N(0, σ²I) layer by layer, independent for every sample."""
        for shape in shapes:
            positions = () if shape.positions == 1 else (shape.positions,)
            epsilon = torch.empty(len(x), *positions, shape.n_out, device=self._generator.device)
            yield epsilon.normal_(0.0, sigma, generator=self._generator)
