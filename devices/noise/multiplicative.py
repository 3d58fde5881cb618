"""Multiplicative noise: its size follows the signal.

n = σ x ε,  ε ~ N(0, 1), so the variance is σ² x²
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from jaxtyping import Float
from pydantic import Field, NonNegativeFloat

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel

if TYPE_CHECKING:
    from torch import Tensor


class MultiplicativeNoise(NoiseModel):
    """White Gaussian noise in proportion to the signal."""

    name: ClassVar[str] = "multiplicative"
    title: ClassVar[str] = "white Gaussian noise in proportion to the signal"
    citation: ClassVar[str] = "textbook; gain noise of amplifiers and read circuits"

    relative_std: NonNegativeFloat = Field(
        0.05, description="standard deviation σ as a fraction of the signal, dimensionless"
    )

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Draw one number for every entry, and scale it by the signal."""
        noise = torch.empty_like(signal)
        return noise.normal_(0, self.relative_std, generator=memory.generator).mul_(signal)

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """σ² x²."""
        return (self.relative_std * signal) ** 2
