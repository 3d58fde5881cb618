"""A rule's expected errors next to the gradient, for every layer and input by itself.

    along = ⟨d_l⟩ · g / ‖g‖²,   g = ∂L/∂a_l of one input, ⟨⟩ over perturbations of that input

A rule goes downhill where `along` is greater than 0. It is unbiased where ⟨d_l⟩ = g, and `along`
is 1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from learning.losses import cross_entropy
from learning.rules import Rule
from substrate.verify.networks import SmallNetwork
from substrate.verify.statistics import compare, exceed_zero
from substrate.verify.trials import set_up

INPUTS = 4
"""Inputs of a network, each held to its own gradient."""


class Errors(NamedTuple):
    """Of one layer and one input.

    Attributes:
        where: which, in words.
        drawn: mean error of every mini-batch.
        gradient: what it may be held to.
    """

    where: str
    drawn: Float[Tensor, "replicas nodes"]
    gradient: Float[Tensor, " nodes"]

    @property
    def along(self) -> Float[Tensor, " replicas"]:
        """The part along the gradient, in units of it."""
        return self.drawn @ self.gradient / self.gradient.square().sum()


def draw_errors(
    rule: Rule, network: SmallNetwork, seed: int, *, replicas: int, samples: int, warm_up: int
) -> list[Errors]:
    """Have a rule estimate, mini-batch after mini-batch, while nothing is changed by it.

    Args:
        rule: with its settings.
        network: what it is tried on.
        seed: of all draws.
        replicas: mini-batches.
        samples: perturbations of every input in a mini-batch.
        warm_up: mini-batches before, if the rule remembers anything.
    """
    inputs, target = network.inputs(INPUTS, seed), torch.arange(INPUTS) % network.classes
    # one perturbation of every input after the other, so that every part of the batch has them all
    x, targets = (torch.cat([each] * samples) for each in (inputs, target))
    estimator = set_up(rule, network, seed).estimator

    def draw() -> list[Tensor]:
        errors = estimator.estimate(x, targets).errors
        return [e.double().flatten(1).view(samples, INPUTS, -1).mean(0) for e in errors]

    draw()
    if any(name.startswith("rule.") for name in estimator.state()):
        for _ in range(warm_up):
            draw()
    of_layer = [torch.stack(each) for each in zip(*(draw() for _ in range(replicas)), strict=True)]
    truth = network.gradients(inputs, target, cross_entropy, seed)
    return [
        Errors(
            f"layer {layer}, input {number + 1}",
            drawn[:, number],
            gradient[number].double().flatten(),
        )
        for layer, (drawn, gradient) in enumerate(zip(of_layer, truth, strict=True), start=1)
        for number in range(INPUTS)
    ]


def assert_downhill(errors: list[Errors], false_alarm: float) -> None:
    """Show that errors point along the gradient.

    Raises:
        AssertionError: somewhere they do not, beyond chance.
    """
    labels = [f"{each.where}: error along the gradient" for each in errors]
    exceed_zero(torch.stack([each.along for each in errors], 1), labels, false_alarm)


def assert_unbiased(errors: list[Errors], false_alarm: float) -> None:
    """Hold the mean of errors to the gradient, as a whole and node by node.

    Raises:
        AssertionError: somewhere it differs beyond chance.
    """
    along = torch.stack([each.along for each in errors], 1)
    labels = [f"{each.where}: error along the gradient, in units of it" for each in errors]
    compare(along, torch.ones(len(errors)).double(), labels, false_alarm / 2, power=True)
    nodes = [
        f"{each.where}, node {node + 1}" for each in errors for node in range(len(each.gradient))
    ]
    drawn = torch.cat([each.drawn for each in errors], 1)
    stated = torch.cat([each.gradient for each in errors])
    compare(drawn, stated, nodes, false_alarm / 2, power=False)
