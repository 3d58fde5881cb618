"""Gaussian noise.

n ~ N(0, σ²), independent in every read and line
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from jaxtyping import Float
from pydantic import Field, NonNegativeFloat

from devices.converters import Conversion
from devices.deferred import torch
from devices.draws import normal_, plus_normal
from devices.noise.base import Memory, NoiseModel

if TYPE_CHECKING:
    from torch import Tensor


class GaussianNoise(NoiseModel):
    """White Gaussian noise of a fixed standard deviation, whatever the signal."""

    name: ClassVar[str] = "gaussian"
    title: ClassVar[str] = "white Gaussian noise of a fixed standard deviation"
    citation: ClassVar[str] = "textbook; as in Dalm et al., arXiv 2310.00965, Section 2.1"

    std: NonNegativeFloat = Field(0.02, description="standard deviation σ, in units of the signal")

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Draw one number for every entry."""
        return normal_(torch.empty_like(signal), self.std, memory.generator)

    def add_to(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory, *, overwrite: bool = False
    ) -> Float[Tensor, "reads *lines"]:
        """Draw and add in one go."""
        return plus_normal(signal, self.std, memory.generator, overwrite=overwrite)

    def add_and_convert(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory, convert: Conversion
    ) -> Float[Tensor, "reads *lines"]:
        """Draw, add and convert in one go where the converter is of that kind."""
        rounding = convert.rounding_of(signal)
        if rounding is None:
            return super().add_and_convert(signal, memory, convert)
        return plus_normal(signal, self.std, memory.generator, overwrite=True, rounding=rounding)

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """σ²."""
        return torch.full_like(signal, self.std**2)
