"""From passes through the chip to an estimate of ∂L/∂a_l, by any rule.

resampling:     K comparisons of a perturbed pass with one baseline pass, their estimates averaged
noisy baseline: the first pass is as noisy as the others, and stands in for a clean one
backwards:      a rule that estimates ∂L/∂a_L alone has it sent back (`learning.backward`)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from devices.interface import Capability, Chip, Drawn, Observation, PerSampleLoss, Perturbation
from learning.backward import propagate
from learning.fractions import samples_in
from learning.injection import drawn_again
from learning.losses import Loss, loss_gradient
from learning.requirements import RuleSettings
from learning.rules import RuleState, Trial
from learning.states import below, prefixed

_PASSES_AT_ONCE = 8
"""Perturbed passes that are run together, so that they share the work of the first layer."""


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

    def __init__(
        self,
        chip: Chip,
        settings: RuleSettings,
        loss: Loss,
        generator: torch.Generator,
        rule_generator: torch.Generator | None = None,
    ) -> None:
        """Prepare.

        Args:
            chip: what is driven.
            settings: the rule and its passes.
            loss: of every sample.
            generator: draws what is injected, on the chip's device.
            rule_generator: draws what the rule itself wants, likewise; where there is none, a rule
                that draws nothing is meant.
        """
        self._chip = chip
        self._rule, self._settings = settings
        self._loss = loss
        self._generator = generator
        self._rule_generator = rule_generator
        self._remembered: RuleState = {}
        self._trials = 0
        perturbation = settings.perturbation
        self._injects = perturbation is not None and perturbation.source != "intrinsic"
        # a chip with clean passes has no noise of its own to make the baseline noisy
        self._injects_baseline = (
            self._injects
            and perturbation is not None
            and perturbation.baseline == "noisy"
            and Capability.CLEAN_PASS in chip.capabilities
        )

    @torch.no_grad()
    def estimate(self, x: Tensor, target: Tensor) -> Estimate:
        """Run the passes of one mini-batch, (batch, ...), and estimate the gradient from them."""
        rule, chip = self._rule, self._chip
        if rule.is_gradient and Capability.GRADIENTS in chip.capabilities:
            loss: PerSampleLoss = partial(self._losses, target)
            observed, gradients = chip.backpropagate(x, loss)
            inputs, output = list(observed.inputs), observed.output
            return Estimate(inputs, output, loss(output), list(gradients))
        if self._trials == 0:
            for _ in range(rule.trials_before_training):
                _, (trial,) = self._compare(x, target, 1, None, more=False)
                self._learn(trial)
        resamples = self._settings.resamples if self._settings is not None else 1
        at_once = max(1, _PASSES_AT_ONCE // (len(chip.shapes) if rule.layer_by_layer else 1))
        baseline: _Baseline | None = None
        last: Trial | None = None
        errors: list[Tensor] = []
        left = resamples
        while left > 0:
            count = min(left, at_once)
            left -= count
            baseline, trials = self._compare(x, target, count, baseline, more=left > 0)
            while trials:
                last = self._learn(trials.pop(0))
                # what the periphery or a critic says of the baseline's output is one for all trials
                if rule.averages_errors or (left == 0 and not trials):
                    _accumulate(errors, rule.errors(last))
                if trials or rule.backward is None:
                    last = None
        assert baseline is not None
        if resamples > 1 and rule.averages_errors:
            for total in errors:
                total.div_(resamples)
        if rule.backward is not None:
            assert last is not None
            read = {
                "transposed_read": chip.read_transposed,
                "mirror": chip.read_mirror_transposed,
            }[rule.backward]
            slope = partial(rule.slope_at, trial=last)
            activities = baseline.pre_activations
            errors = propagate(chip, read, errors[0], activities, slope)
        return Estimate(baseline.inputs, baseline.output, baseline.losses, errors)

    def state(self) -> dict[str, Tensor]:
        """What the rule remembers, and where the streams of random numbers are."""
        own = self._rule_generator
        return {
            "generator": self._generator.get_state(),
            "trials": torch.tensor(self._trials),
            **({} if own is None else {"rule generator": own.get_state()}),
            **prefixed("rule", {name: each.clone() for name, each in self._remembered.items()}),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state."""
        self._generator.set_state(state["generator"])
        self._trials = int(state["trials"])
        if self._rule_generator is not None:
            self._rule_generator.set_state(state["rule generator"])
        self._remembered = below("rule", state)

    def _losses(self, target: Tensor, output: Tensor) -> Tensor:
        return self._loss(output, target)

    def _learn(self, trial: Trial) -> Trial:
        """Have the rule remember a trial, and its mirrors learn from it; give it that state."""
        trial = replace(trial, number=self._trials, state=self._remembered)
        self._remembered = self._rule.remember(trial)
        self._trials += 1
        trial = replace(trial, state=self._remembered)
        requests = list(self._rule.requests(trial, self._chip.read_mirror))
        if requests:
            self._chip.apply(requests)
        return trial

    def _compare(
        self, x: Tensor, target: Tensor, count: int, baseline: _Baseline | None, *, more: bool
    ) -> tuple[_Baseline, list[Trial]]:
        """Run the passes of `count` trials, and the baseline pass too unless it is given.

        With `more` to come, the baseline keeps its pre-activations.
        """
        rule, shapes = self._rule, self._chip.shapes
        sigma = self._settings.sigma if self._settings is not None else 0.0
        everywhere = range(len(shapes)) if self._injects else ()
        of_trial: list[Collection[int]] = []
        if rule.perturbs and rule.layer_by_layer:
            of_trial = [(layer,) for layer in everywhere]
        elif rule.perturbs:
            of_trial = [everywhere]
        first: list[Collection[int]] = []
        if baseline is None:
            first.append(everywhere if self._injects_baseline else ())
        part = samples_in(rule.perturbed_fraction, len(x))
        drawn = self._drawn([*first, *of_trial * count])
        samples = [len(x)] * len(first) + [part] * (len(drawn) - len(first))
        # what a rule must know is drawn again after the passes, which then need not hold it
        stream = (
            self._generator.clone_state() if self._injects and rule.knows_perturbation else None
        )
        observed = self._observe(x, drawn, samples, baselines=len(first))
        injected: list[Perturbation | None] = [None] * len(drawn)
        outputs = [each.output for each in observed]
        inputs = [each.inputs for each in observed]
        activities = [list(each.pre_activations) for each in observed]
        keeps = more or rule.reads_inputs or rule.backward is not None
        if baseline is None:
            before = activities.pop(0)
            output = outputs.pop(0)
            baseline = _Baseline(
                list(inputs.pop(0)),
                [a.clone() for a in before] if more else before,
                output,
                self._losses(target, output),
            )
        del observed
        output_changes = self._output_changes(activities, baseline, part)
        changes = _activity_changes(activities, baseline.pre_activations, part, keep=keeps)
        input_changes = _input_changes(inputs, baseline.inputs, part) if rule.reads_inputs else None
        loss_changes = [
            self._losses(target[:part], output) - baseline.losses[:part] for output in outputs
        ]
        if stream is not None:
            injected = drawn_again(shapes, drawn, samples, stream)
        del injected[: len(first)]
        trials = []
        for number in range(count):
            own = slice(number * len(of_trial), (number + 1) * len(of_trial))
            trials.append(
                Trial(
                    shapes,
                    _in_own_pass(changes[own]),
                    tuple(injected[own]),
                    tuple(loss_changes[own]),
                    sigma,
                    input_changes=_in_own_pass(input_changes[own]) if input_changes else (),
                    pre_activations=tuple(baseline.pre_activations) if keeps else (),
                    output_changes=_in_own_pass(output_changes[own]),
                    output=baseline.output,
                    target=target,
                    loss_gradient=partial(loss_gradient, self._loss, baseline.output, target),
                    generator=self._rule_generator,
                )
            )
        return baseline, trials

    def _drawn(self, layers: Sequence[Collection[int]]) -> list[Drawn | None]:
        """Say what is injected in passes, for the layers of each."""
        sigma = 0.0 if self._settings is None else self._settings.sigma
        return [Drawn(frozenset(each), sigma, self._generator) if each else None for each in layers]

    def _observe(
        self, x: Tensor, drawn: Sequence[Drawn | None], samples: Sequence[int], *, baselines: int
    ) -> tuple[Observation, ...]:
        """Run passes, of which the first so many are baselines."""
        rule = self._rule
        return self._chip.passes(
            x,
            drawn,
            samples=samples,
            read_inputs=None if rule.reads_inputs else range(baselines),
            read_pre_activations=None if rule.reads_activities or rule.backward else (),
        )

    def _output_changes(
        self, activities: list[list[Tensor]], baseline: _Baseline, part: int
    ) -> list[list[Tensor]]:
        """Give δf(a_l) of every layer but the last, of every pass, if the rule reads it."""
        if not self._rule.reads_output_changes:
            return []
        activate = self._chip.activate
        return [
            [
                activate(layer, after) - activate(layer, before[:part])
                for layer, (after, before) in enumerate(
                    zip(seen[:-1], baseline.pre_activations[:-1], strict=True)
                )
            ]
            for seen in activities
        ]


def _activity_changes(
    perturbed: list[list[Tensor]], baseline: list[Tensor], part: int, *, keep: bool
) -> list[list[Tensor]]:
    """Give δa_l of every pass; both activities are used up, unless the baseline's are kept."""
    changes: list[list[Tensor]] = [[] for _ in perturbed]
    if not perturbed:
        return changes
    for layer in range(len(baseline)):
        before = baseline[layer] if keep else baseline.pop(0)
        for activities, change in zip(perturbed, changes, strict=True):
            change.append(activities.pop(0) - before[:part])
    return changes


def _in_own_pass(passes: Sequence[Sequence[Tensor]]) -> tuple[Tensor, ...]:
    """Give what changed in every layer: in the trial's only pass, or in the layer's own."""
    if not passes:
        return ()
    return tuple(passes[layer if len(passes) > 1 else 0][layer] for layer in range(len(passes[0])))


def _input_changes(
    perturbed: list[tuple[Tensor, ...]], baseline: list[Tensor], part: int
) -> list[list[Tensor]]:
    """Give δx*_l of every layer, of every pass."""
    return [
        [after - before[:part] for after, before in zip(seen, baseline, strict=True)]
        for seen in perturbed
    ]


def _accumulate(totals: list[Tensor], errors: Sequence[Tensor]) -> None:
    if not totals:
        totals.extend(errors)
        return
    for total, error in zip(totals, errors, strict=True):
        total.add_(error)
