"""Activation functions of the digital periphery, by name.

    leaky ReLU:        f(a) = a where a ≥ 0, s a elsewhere                 s: 0.01 unless given
    sign:              f(a) = 1 where a ≥ 0, -1 elsewhere                  a comparator
    step:              f(a) = 1 where a ≥ 0, 0 elsewhere
    k-level staircase: f(a) = 2 i/(k - 1) - 1,  i = round((k - 1)(a + 1)/2) held within 0…k-1

The staircase is an ideal quantiser of k equal steps over -1…1; with two levels it is `sign`. None
of the last three has a useful derivative (0 almost everywhere), so backpropagation cannot train
them. Perturbation rules can, if the perturbation is large enough to take pre-activations over
thresholds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

Activation = Callable[[Tensor], Tensor]
"""Element-wise function f of x_l = f(a_l)."""


def sign(a: Tensor) -> Tensor:
    """Compare with 0: 1 or -1."""
    return step(a).mul_(2).sub_(1)


def step(a: Tensor) -> Tensor:
    """Compare with 0: 1 or 0; what is no number stays so, and is seen."""
    return torch.where(a.isnan(), a.detach(), (a >= 0).to(a.dtype))


def leaky_relu(slope: float) -> Activation:
    """Make the leaky ReLU of this slope below zero."""
    return partial(functional.leaky_relu, negative_slope=slope)


def staircase(levels: int) -> Activation:
    """Make the staircase of k = `levels` equal steps from -1 to 1.

    Raises:
        ValueError: fewer than two levels.
    """
    if levels < 2:
        raise ValueError(f"a staircase has at least 2 levels, not {levels}")
    top = levels - 1

    def quantise(a: Tensor) -> Tensor:
        # floor(· + ½): torch.round would take the thresholds to the even step
        index = ((a + 1) * (top / 2) + 0.5).floor_().clamp_(0, top)
        return index.mul_(2 / top).sub_(1)

    return quantise


DIFFERENTIABLE: dict[str, Activation] = {
    "leaky_relu": functional.leaky_relu,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
"""Activations that backpropagation can train; `leaky_relu` has torch's slope of 0.01."""

ACTIVATIONS: dict[str, Activation] = {**DIFFERENTIABLE, "sign": sign, "step": step}
"""All activations without parameters."""
