"""Driving a learning rule by hand: the trials that it would get, and all that it makes of one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from devices.interface import Capability, LayerShape, LayerUpdate, Outer
from devices.seal import SealedChip
from learning.estimator import Estimator
from learning.losses import Loss, cross_entropy
from learning.requirements import PerturbationSettings, RuleSettings, required_capabilities
from learning.rules import Rule, RuleState, Trial
from substrate.randomness import stream
from substrate.verify.networks import SmallNetwork

SIGMA = 1e-3
"""Standard deviation of noise and perturbations: small, so that first order is what counts."""


class Setup(NamedTuple):
    """A rule on a chip."""

    chip: SealedChip
    estimator: Estimator


def set_up(
    rule: Rule,
    network: SmallNetwork,
    seed: int,
    *,
    loss: Loss = cross_entropy,
    resamples: int = 1,
    device: torch.device | str = "cpu",
) -> Setup:
    """Put a rule on a chip that offers what it declares, and nothing else.

    The chip has noise of its own, which nobody knows; where the rule wants to inject, it has none,
    and every pass is perturbed by what is injected. Only where the rule declares it, has the loss a
    derivative. Network, noise and what is drawn follow from the seed.
    """
    settings = rule_settings(rule, resamples)
    device = torch.device(device)
    needs = required_capabilities(settings)
    chip = network.chip(
        seed,
        needs - {Capability.LOSS_DERIVATIVE},
        noise=0.0 if Capability.INJECT in needs else SIGMA,
        mirrors=rule.mirror_on is not None,
        device=device,
    )
    estimator = Estimator(
        chip,
        settings,
        loss if Capability.LOSS_DERIVATIVE in needs else _values_alone(loss),
        stream(seed, "injected perturbation", device=device),
        stream(seed, "learning rule", device=device),
    )
    return Setup(chip, estimator)


def rule_settings(rule: Rule, resamples: int = 1) -> RuleSettings:
    """Give a rule its passes: what is injected on a clean chip, or two noisy ones."""
    if not rule.perturbs:
        return RuleSettings(rule, None)
    injects = Capability.INJECT in rule.needs
    return RuleSettings(
        rule,
        PerturbationSettings("injected", "clean", SIGMA, resamples)
        if injects
        else PerturbationSettings("intrinsic", "noisy", SIGMA, resamples),
    )


def trials_of(
    rule: Rule, network: SmallNetwork, seed: int, count: int, *, samples: int = 12
) -> list[Trial]:
    """Give trials of one mini-batch as the estimator makes them, with nothing remembered.

    All have the same baseline, and different perturbations, where the rule compares passes.
    """
    seen: list[Trial] = []
    kind: type[Rule] = type(rule)

    class Watching(kind):  # type: ignore[misc, valid-type]
        """Declares what the rule does, and does nothing but look."""

        def remember(self, trial: Trial) -> RuleState:
            seen.append(trial)
            return {}

        def requests(self, trial: Trial, read_mirror: object) -> Iterable[LayerUpdate]:
            return ()

        def errors(self, trial: Trial) -> tuple[Tensor, ...]:
            wanted = trial.shapes if self.backward is None else trial.shapes[-1:]
            return tuple(torch.zeros(shape_of(shape, samples)) for shape in wanted)

        def slope_at(self, layer: int, trial: Trial) -> Tensor | None:
            return torch.ones_like(trial.pre_activations[layer])

        @property
        def averages_errors(self) -> bool:
            return True

        @property
        def trials_before_training(self) -> int:
            return 0

    watching = Watching.model_validate(rule.model_dump())
    at_once = count if rule.perturbs else 1
    estimator = set_up(watching, network, seed, resamples=at_once).estimator
    target = torch.arange(samples) % network.classes
    for _ in range(count // at_once):
        estimator.estimate(network.inputs(samples, seed), target)
    return seen


def shape_of(shape: LayerShape, samples: int) -> tuple[int, ...]:
    """Give the shape of a layer's pre-activations, (samples, [positions,] n_out)."""
    positions = () if shape.positions == 1 else (shape.positions,)
    return (samples, *positions, shape.n_out)


def follow(rule: Rule, seen: Sequence[Trial], state: RuleState | None = None) -> RuleState:
    """Have a rule remember one trial after the other, from a state or from nothing."""
    state = {} if state is None else state
    for trial in seen:
        state = rule.remember(fresh(trial, state))
    return state


def fresh(trial: Trial, state: RuleState) -> Trial:
    """Give a trial with a state, and with a stream of random numbers that starts over."""
    return replace(trial, state=state, generator=stream(0, "learning rule"))


def made_of(rule: Rule, trial: Trial, state: RuleState) -> dict[str, Tensor]:
    """Give all that a rule makes of a trial whose state is given: errors, slopes and requests."""
    trial = fresh(trial, state)
    errors = enumerate(rule.errors(trial), start=1)
    made = {f"error of layer {number}": error for number, error in errors}
    if rule.backward is not None:
        for layer in range(len(trial.shapes) - 1):
            slope = rule.slope_at(layer, trial)
            if slope is not None:
                made[f"slope of layer {layer + 1}"] = slope
    shapes = trial.shapes

    def read_mirror(layer: int, x: Tensor) -> Tensor:
        return x.new_zeros(len(x), shapes[layer].n_out)

    for number, update in enumerate(rule.requests(trial, read_mirror)):
        for part in ("weight", "mirror"):
            request = getattr(update, part)
            if isinstance(request, Outer):
                made[f"{part} request {number}"] = request.rate * (request.d.T @ request.x)
            elif request is not None:
                made[f"{part} request {number}"] = request.delta
    return made


def differing(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> str | None:
    """Give the name of the first value that is not bitwise the same, None if there is none."""
    if one.keys() != other.keys():
        return min(one.keys() ^ other.keys())
    return next((name for name in one if not torch.equal(one[name], other[name])), None)


def tensors_of(trial: Trial) -> dict[str, Tensor]:
    """Give every tensor that a trial shows, its state aside."""
    shown: dict[str, Tensor] = {}
    for name in ("activity_changes", "input_changes", "pre_activations", "output_changes"):
        shown |= {f"{name}[{n}]": each for n, each in enumerate(getattr(trial, name))}
    for number, perturbation in enumerate(trial.perturbations):
        layers = enumerate(perturbation or ())
        shown |= {f"perturbations[{number}][{n}]": e for n, e in layers if e is not None}
    shown |= {f"loss_changes[{n}]": each for n, each in enumerate(trial.loss_changes)}
    single = {"output": trial.output, "target": trial.target}
    return shown | {name: each for name, each in single.items() if each is not None}


def part_of(trial: Trial) -> int:
    """Give the number of samples that were passed a second time."""
    assert trial.target is not None
    return len(trial.loss_changes[0]) if trial.loss_changes else len(trial.target)


def permuted(trial: Trial) -> tuple[Trial, Tensor]:
    """Give the same trial with its samples in another order, and that order, (samples,).

    What was passed a second time stays the first part of the batch.
    """
    assert trial.target is not None
    gradient, part = trial.loss_gradient, part_of(trial)
    among = [torch.arange(part), torch.arange(part, len(trial.target))]
    order = torch.cat([each.roll(1).flip(0) for each in among])
    other = replace(
        _each_change(trial, lambda change: change[order[:part]]),
        pre_activations=tuple(a[order] for a in trial.pre_activations),
        output=None if trial.output is None else trial.output[order],
        target=None if trial.target is None else trial.target[order],
        loss_gradient=None if gradient is None else lambda: gradient()[order],
    )
    return other, order


def quiet(trial: Trial) -> Trial:
    """Give a trial in which nothing was perturbed and nothing changed."""
    return _each_change(trial, torch.zeros_like)


def disturbed(trial: Trial, fields: Collection[str]) -> Trial:
    """Give a trial in which some fields hold other values, also where they were not read."""
    draw = stream(1, "disturbed fields")

    def other(
        shapes: Sequence[tuple[int, ...]], given: Sequence[Tensor] = ()
    ) -> tuple[Tensor, ...]:
        noise = [SIGMA * torch.randn(shape, generator=draw) for shape in shapes]
        return tuple(n + g for n, g in zip(noise, given, strict=True)) if given else tuple(noise)

    assert trial.target is not None
    a = [shape_of(shape, len(trial.target)) for shape in trial.shapes]
    changed = [shape_of(shape, part_of(trial)) for shape in trial.shapes]
    x = [(*each[:-1], shape.n_in) for each, shape in zip(changed, trial.shapes, strict=True)]
    gradient = torch.randn(a[-1], generator=draw)
    new: dict[str, Any] = {
        "activity_changes": other(changed, trial.activity_changes),
        "input_changes": other(x, trial.input_changes),
        "pre_activations": other(a, trial.pre_activations),
        "output_changes": other(changed[:-1], trial.output_changes),
        "perturbations": tuple(other(changed) for _ in trial.perturbations),
        "sigma": 2 * trial.sigma,
        "loss_gradient": gradient.clone,
    }
    return replace(trial, **{name: new[name] for name in fields})


def _each_change(trial: Trial, function: Callable[[Tensor], Tensor]) -> Trial:
    """Apply a function to all by which the passes differ."""
    return replace(
        trial,
        activity_changes=tuple(map(function, trial.activity_changes)),
        input_changes=tuple(map(function, trial.input_changes)),
        output_changes=tuple(map(function, trial.output_changes)),
        loss_changes=tuple(map(function, trial.loss_changes)),
        perturbations=tuple(
            None if layers is None else tuple(e if e is None else function(e) for e in layers)
            for layers in trial.perturbations
        ),
    )


def _values_alone(loss: Loss) -> Loss:
    """Give a loss as a black box shows it."""

    def values(output: Tensor, target: Tensor) -> Tensor:
        return loss(output.detach(), target)

    return values
