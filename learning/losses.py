"""Losses of every sample, as functions of the network's output.

    cross-entropy:       L = -log softmax(z)_class
    mean squared error:  L = mean_k (z_k - y_k)²
    black box:           L = any function of output and target, differentiable or not

The first two are computed in float64, so that the difference of two almost equal losses, which is
all that a perturbation rule goes by, is rounded once (in the output) and not twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Loss = Callable[[Tensor, Tensor], Tensor]
"""(output (batch, n_out), target) → loss of every sample, (batch,)."""


def cross_entropy(
    output: Float[Tensor, "batch classes"], target: Tensor
) -> Float[Tensor, " batch"]:
    """Categorical cross-entropy against class numbers, (batch,) (Appendix F)."""
    return functional.cross_entropy(output.double(), target, reduction="none")


def mean_squared_error(
    output: Float[Tensor, "batch n_out"], target: Tensor
) -> Float[Tensor, " batch"]:
    """Squared error, mean over the outputs (Appendix J).

    Args:
        output: of the network.
        target: values, (batch, n_out), or class numbers, (batch,), which stand for one-hot values.
    """
    if not target.is_floating_point():
        target = functional.one_hot(target, output.shape[1])
    return (output.double() - target.double()).square().mean(1)


LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "mean_squared_error": mean_squared_error,
}


def loss_gradient(
    loss: Loss, output: Float[Tensor, "batch n_out"], target: Tensor
) -> Float[Tensor, "batch n_out"]:
    """Give ∂L/∂a_L of every sample, by autograd through the loss alone.

    Raises:
        RuntimeError: autograd cannot differentiate the loss.
    """
    with torch.enable_grad():
        output = output.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(output, target).sum(), output)
    return gradient


def black_box(function: Callable[[Tensor, Tensor], Any], name: str) -> Loss:
    """Make a loss of any function of (output, target), whatever it computes with.

    The function gets tensors (`numpy.asarray` makes arrays of them on the CPU), and may give a
    tensor, an array or a list of numbers.

    Args:
        function: of output (batch, n_out) and target, to the loss of every sample, (batch,).
        name: what to call it in messages.

    Raises:
        ValueError: from a call, if the function does not give one number a sample.
    """

    def loss(output: Tensor, target: Tensor) -> Tensor:
        values = torch.as_tensor(function(output, target), device=output.device)
        if values.shape != (len(output),):
            raise ValueError(
                f"the loss {name} must give one number for every sample, shape ({len(output)},),"
                f" and gave shape {tuple(values.shape)}"
            )
        return values if values.is_floating_point() else values.double()

    return loss
