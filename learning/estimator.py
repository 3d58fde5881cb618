"""From passes through the chip to an estimate of ∂L/∂a_l, by any rule.

resampling:     K comparisons of a perturbed pass with one baseline pass, their estimates averaged
noisy baseline: the first pass is as noisy as the others, and stands in for a clean one
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from devices.interface import Capability, Chip, PerSampleLoss
from learning.injection import Injection
from learning.rules import (
    PERTURBATION_RULES,
    Backpropagation,
    RememberingRule,
    RuleState,
    Trial,
    perturbation_rule,
)

_PASSES_AT_ONCE = 8
"""Perturbed passes that are run together, so that they share the work of the first layer."""


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
    if rule.name == "bp" or rule.perturbation is None:
        return Backpropagation.requires
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

    inputs: list[Tensor]
    output: Float[Tensor, "batch n_out"]
    losses: Float[Tensor, " batch"]
    errors: list[Tensor]


class _Baseline(NamedTuple):
    """What later comparisons need of the baseline pass."""

    inputs: list[Tensor]
    pre_activations: list[Tensor]
    output: Float[Tensor, "batch n_out"]
    losses: Float[Tensor, " batch"]


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
            observed, gradients = Backpropagation().errors(self._chip, x, loss)
            return Estimate(
                list(observed.inputs), observed.output, loss(observed.output), list(gradients)
            )
        if isinstance(self._rule, RememberingRule) and not self._remembered:
            for _ in range(self._rule.calibration_trials):
                _, (trial,) = self._compare(x, loss, 1, None, more=False)
                self._remembered = self._rule.remember(replace(trial, state=self._remembered))
        passes_of_one = len(self._chip.shapes) if self._rule.layer_by_layer else 1
        at_once = max(1, _PASSES_AT_ONCE // passes_of_one)
        baseline: _Baseline | None = None
        errors: list[Tensor] = []
        left = self._settings.resamples
        while left > 0:
            count = min(left, at_once)
            left -= count
            baseline, trials = self._compare(x, loss, count, baseline, more=left > 0)
            while trials:
                _accumulate(errors, self._errors(trials.pop(0)))
        assert baseline is not None
        if self._settings.resamples > 1:
            for total in errors:
                total.div_(self._settings.resamples)
        return Estimate(baseline.inputs, baseline.output, baseline.losses, errors)

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
        trial = replace(trial, state=self._remembered)
        if isinstance(self._rule, RememberingRule):
            self._remembered = self._rule.remember(trial)
            trial = replace(trial, state=self._remembered)
        return self._rule.errors(trial)

    def _compare(
        self, x: Tensor, loss: PerSampleLoss, count: int, baseline: _Baseline | None, *, more: bool
    ) -> tuple[_Baseline, list[Trial]]:
        """Run the passes of `count` trials, and the baseline pass too unless it is given.

        With `more` to come, the baseline keeps its pre-activations.
        """
        assert self._settings is not None
        shapes, sigma = self._chip.shapes, self._settings.sigma
        everywhere = range(len(shapes)) if self._injects else ()
        of_trial = [(layer,) for layer in everywhere] if self._rule.layer_by_layer else [everywhere]
        first: list[Collection[int]] = []
        if baseline is None:
            first.append(everywhere if self._injects_baseline else ())
        passes = [
            Injection(shapes, layers, len(x), sigma, self._generator) if layers else None
            for layers in [*first, *of_trial * count]
        ]
        observed = self._chip.passes(
            x,
            passes,
            read_inputs=range(len(first)),
            read_pre_activations=None if self._rule.reads_activities else (),
        )
        outputs = [each.output for each in observed]
        activities = [list(each.pre_activations) for each in observed]
        if baseline is None:
            before = activities.pop(0)
            output = outputs.pop(0)
            baseline = _Baseline(
                list(observed[0].inputs),
                [a.clone() for a in before] if more else before,
                output,
                loss(output),
            )
        del observed
        changes = _activity_changes(activities, baseline.pre_activations, more=more)
        loss_changes = [loss(output) - baseline.losses for output in outputs]
        trials = []
        for number in range(count):
            own = slice(number * len(of_trial), (number + 1) * len(of_trial))
            trials.append(
                Trial(
                    shapes,
                    tuple(changes[number]),
                    tuple(
                        each.again() if each is not None and self._knows else None
                        for each in passes[len(first) :][own]
                    ),
                    tuple(loss_changes[own]),
                    sigma,
                )
            )
        return baseline, trials


def _activity_changes(
    perturbed: list[list[Tensor]], baseline: list[Tensor], *, more: bool
) -> list[list[Tensor]]:
    """Give δa_l of every pass; both activities are used up, unless `more` want the baseline's."""
    changes: list[list[Tensor]] = [[] for _ in perturbed]
    for layer in range(len(baseline)):
        before = baseline[layer] if more else baseline.pop(0)
        for activities, change in zip(perturbed, changes, strict=True):
            change.append(activities.pop(0) - before)
    return changes


def _accumulate(totals: list[Tensor], errors: Sequence[Tensor]) -> None:
    if not totals:
        totals.extend(errors)
        return
    for total, error in zip(totals, errors, strict=True):
        total.add_(error)
