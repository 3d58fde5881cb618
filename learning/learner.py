"""One learning step: passes, the rule's estimate, and the requests for change.

A learner meets the chip through `devices.interface.Chip` and nothing else. Perturbation,
resampling, two noisy passes, decorrelation and the optimiser are settings that go with every rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from devices.interface import (
    Capability,
    Chip,
    LayerShape,
    LayerUpdate,
    Observation,
    PerSampleLoss,
    Perturbation,
)
from learning.decorrelation import decorrelation_update
from learning.losses import Loss
from learning.optimisers import Optimiser, OptimiserSettings
from learning.rules import PERTURBATION_RULES, PerturbationRule, Trial


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


class LearningSettings(NamedTuple):
    """A rule with everything that goes with it.

    Attributes:
        rule: `bp`, or a key of `learning.rules.PERTURBATION_RULES`.
        perturbation: None for backpropagation.
        decorrelation_rate: ε of R's update; None without decorrelation.
    """

    rule: str
    perturbation: PerturbationSettings | None
    optimiser: OptimiserSettings
    decorrelation_rate: float | None


def required_capabilities(settings: LearningSettings) -> frozenset[Capability]:
    """Everything that a chip must offer for these settings."""
    if settings.perturbation is None:
        return frozenset({Capability.GRADIENTS})
    needs = set(PERTURBATION_RULES[settings.rule].requires)
    if settings.perturbation.source != "intrinsic":
        needs.add(Capability.INJECT)
    if settings.perturbation.baseline == "clean":
        needs.add(Capability.CLEAN_PASS)
    return frozenset(needs)


@dataclass(frozen=True)
class Step:
    """What one learning step shows of itself.

    Attributes:
        losses: loss of every sample in the baseline pass.
        output: the baseline pass's output.
    """

    losses: Float[Tensor, " batch"]
    output: Float[Tensor, "batch n_out"]


class Learner:
    """Trains a chip by observations alone.

    Raises:
        CapabilityError: from a step, if the chip lacks what `required_capabilities` names.
    """

    def __init__(
        self, chip: Chip, settings: LearningSettings, loss: Loss, generator: torch.Generator
    ) -> None:
        """Prepare to train `chip`; `generator` draws what is injected, on the chip's device."""
        self._chip = chip
        self._settings = settings
        self._loss = loss
        self._generator = generator
        self._optimiser = Optimiser(settings.optimiser, chip.shapes, generator.device)

    @torch.no_grad()
    def step(self, x: Tensor, target: Tensor) -> Step:
        """Learn from one mini-batch: inputs (batch, ...) and their targets."""

        def loss(output: Tensor) -> Tensor:
            return self._loss(output, target)

        if self._settings.perturbation is None:
            baseline, errors = self._chip.backpropagate(x, loss)
        else:
            rule = PERTURBATION_RULES[self._settings.rule]
            baseline, errors = self._estimate(rule, self._settings.perturbation, x, loss)
        requests = self._optimiser.requests(errors, baseline.inputs)
        updates = []
        for layer, (weight, bias) in enumerate(requests):
            decorrelation = None
            if self._settings.decorrelation_rate is not None:
                decorrelation = decorrelation_update(
                    baseline.inputs[layer],
                    partial(self._chip.read_decorrelation_transposed, layer),
                    self._settings.decorrelation_rate,
                )
            updates.append(LayerUpdate(weight, bias, decorrelation))
        self._chip.apply(updates)
        return Step(loss(baseline.output), baseline.output)

    def _estimate(
        self,
        rule: PerturbationRule,
        settings: PerturbationSettings,
        x: Tensor,
        loss: PerSampleLoss,
    ) -> tuple[Observation, tuple[Tensor, ...]]:
        """Run the passes and average the rule's estimate over the resamples."""
        shapes = self._chip.shapes
        inject = settings.source != "intrinsic"
        # a chip with clean passes has no noise of its own to make the baseline noisy
        inject_baseline = (
            inject
            and settings.baseline == "noisy"
            and Capability.CLEAN_PASS in self._chip.capabilities
        )
        baseline_perturbation = self._draw(x, shapes) if inject_baseline else None
        baseline: Observation | None = None
        baseline_losses = torch.empty(0)
        mean_errors: tuple[Tensor, ...] = ()
        for _ in range(settings.resamples):
            perturbations = self._perturbations(rule, inject, x, shapes)
            first = [] if baseline is not None else [baseline_perturbation]
            observed = self._chip.passes(x, [*first, *perturbations])
            if baseline is None:
                baseline, observed = observed[0], observed[1:]
                baseline_losses = loss(baseline.output)
            trial = Trial(
                shapes,
                baseline,
                observed,
                tuple(perturbations),
                tuple(loss(passed.output) - baseline_losses for passed in observed),
                settings.sigma,
            )
            errors = rule.errors(trial)
            if mean_errors:
                for mean, error in zip(mean_errors, errors, strict=True):
                    mean.add_(error)
            else:
                mean_errors = errors
        assert baseline is not None
        if settings.resamples > 1:
            for mean in mean_errors:
                mean.div_(settings.resamples)
        return baseline, mean_errors

    def _perturbations(
        self,
        rule: PerturbationRule,
        inject: bool,
        x: Tensor,
        shapes: tuple[LayerShape, ...],
    ) -> list[Perturbation | None]:
        if not inject:
            return [None]
        drawn = self._draw(x, shapes)
        if not rule.layer_by_layer:
            return [drawn]
        return [
            tuple(epsilon if layer == alone else None for layer, epsilon in enumerate(drawn))
            for alone in range(len(drawn))
        ]

    def _draw(self, x: Tensor, shapes: tuple[LayerShape, ...]) -> tuple[Tensor, ...]:
        """Draw ε_l ~ N(0, σ²I) for every layer, independent for every sample."""
        assert self._settings.perturbation is not None
        sigma = self._settings.perturbation.sigma
        drawn = []
        for shape in shapes:
            positions = () if shape.positions == 1 else (shape.positions,)
            epsilon = torch.empty(len(x), *positions, shape.n_out, device=self._generator.device)
            drawn.append(epsilon.normal_(0.0, sigma, generator=self._generator))
        return tuple(drawn)
