"""Decorrelation of layer inputs, Section 2.2.

    x* = R x,   R ← R - ε ⟨x* x*ᵀ - diag(x*²)⟩ R

Formed as ⟨x* (Rᵀ x*)ᵀ⟩ and a factor for every row, it costs two products of the batch with R
(4·B·d²) in place of the covariance and its product with R (2·B·d² + 2·d³), and has the form of an
outer product, which an R that is itself a crossbar can carry out:

    R ← diag(1 + ε ⟨x*²⟩) R - ε ⟨x* (Rᵀ x*)ᵀ⟩
"""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from devices.interface import DecorrelationUpdate, Outer


def decorrelation_update(
    x_star: Float[Tensor, "*samples n_in"],
    read_transposed: Callable[[Tensor], Tensor],
    rate: float,
) -> DecorrelationUpdate:
    """Make the request for a layer's R from its decorrelated inputs.

    Args:
        x_star: x* of the samples (and positions) over which the mean is taken.
        read_transposed: gives Rᵀ y.
        rate: ε.
    """
    samples = x_star.reshape(-1, x_star.shape[-1])
    gain = 1 + rate * samples.square().mean(0)
    outer = Outer(x=read_transposed(samples), d=samples, rate=rate / len(samples))
    return DecorrelationUpdate(gain, outer)
