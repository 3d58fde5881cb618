"""Uniform noise, such as the rounding error of a converter without dither.

n ~ U(-w, w), variance w²/3
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from jaxtyping import Float
from pydantic import Field, NonNegativeFloat

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel

if TYPE_CHECKING:
    from torch import Tensor


class UniformNoise(NoiseModel):
    """White noise, uniform between two bounds."""

    name: ClassVar[str] = "uniform"
    title: ClassVar[str] = "white noise, uniform between two bounds"
    citation: ClassVar[str] = (
        "Widrow, IRE Trans. Circuit Theory 3, 266 (1956): a quantiser's error is uniform"
    )

    half_width: NonNegativeFloat = Field(
        0.03, description="bound w of the noise on either side, in units of the signal"
    )

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Draw one number for every entry."""
        w = self.half_width
        return torch.empty_like(signal).uniform_(-w, w, generator=memory.generator)

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """w²/3."""
        return torch.full_like(signal, self.half_width**2 / 3)
