"""Losses of every sample, as functions of the network's output.

    cross-entropy:       L = -log softmax(z)_class
    mean squared error:  L = mean_k (z_k - y_k)²

They are computed in float64, so that the difference of two almost equal losses, which is all that a
perturbation rule goes by, is rounded once (in the output) and not twice.
"""

from __future__ import annotations

from collections.abc import Callable

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
    output: Float[Tensor, "batch n_out"], target: Float[Tensor, "batch n_out"]
) -> Float[Tensor, " batch"]:
    """Squared error, mean over the outputs (Appendix J)."""
    return (output.double() - target.double()).square().mean(1)


LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "mean_squared_error": mean_squared_error,
}
