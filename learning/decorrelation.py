"""Decorrelation of layer inputs, Section 2.2.

    x* = R x,   R ← R - ε ⟨x* x*ᵀ - diag(x*²)⟩ R

How it is carried out is the chip's affair (`devices.decorrelation`). The mean may be taken over
part of the batch, and the update made every few steps only.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from devices.interface import DecorrelationUpdate
from learning.fractions import samples_in


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
    x_star: Float[Tensor, "batch *positions n_in"], settings: DecorrelationSettings
) -> DecorrelationUpdate:
    """Make the request for a layer's R from its decorrelated inputs.

    A part of the batch is its first samples: mini-batches come shuffled, so these are as random as
    any, and are taken without a copy.

    Args:
        x_star: x* of the batch.
        settings: how R is learned.
    """
    part = x_star[: samples_in(settings.sample_fraction, len(x_star))]
    samples = part.flatten(0, -2)
    return DecorrelationUpdate(samples, settings.rate / len(samples))
