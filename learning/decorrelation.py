"""Decorrelation of layer inputs, Section 2.2.

    x* = R x,   R ← R - ε ⟨x* x*ᵀ - diag(x*²)⟩ R

Formed as ⟨x* (Rᵀ x*)ᵀ⟩ and a factor for every row, it costs two products of the batch with R
(4·B·d²) in place of the covariance and its product with R (2·B·d² + 2·d³), and has the form of an
outer product, which an R that is itself a crossbar can carry out:

    R ← diag(1 + ε ⟨x*²⟩) R - ε ⟨x* (Rᵀ x*)ᵀ⟩

The mean may be taken over part of the batch, and the update made every few steps only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from devices.interface import DecorrelationUpdate, Outer


class DecorrelationSettings(NamedTuple):
    """How R is learned.

    Attributes:
        rate: ε.
        sample_fraction: part of the mini-batch over which the mean is taken, above 0 up to 1.
        every: steps from one update to the next.
    """

    rate: float
    sample_fraction: float = 1.0
    every: int = 1


def decorrelation_update(
    x_star: Float[Tensor, "batch *positions n_in"],
    read_transposed: Callable[[Tensor], Tensor],
    settings: DecorrelationSettings,
) -> DecorrelationUpdate:
    """Make the request for a layer's R from its decorrelated inputs.

    A part of the batch is its first samples: mini-batches come shuffled, so these are as random as
    any, and are taken without a copy.

    Args:
        x_star: x* of the batch.
        read_transposed: gives Rᵀ y.
        settings: how R is learned.
    """
    part = x_star[: math.ceil(settings.sample_fraction * len(x_star))]
    samples = part.flatten(0, -2)
    gain = samples.square().mean(0).mul_(settings.rate).add_(1)
    outer = Outer(x=read_transposed(samples), d=samples, rate=settings.rate / len(samples))
    return DecorrelationUpdate(gain, outer)
