"""Shot noise: a current is a stream of single electrons.

⟨i²⟩ = 2 q (|I| + I_dark) B,  I = x · (amperes a unit of the signal)

Gaussian, as the Poisson count of electrons is once many arrive in a read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, PositiveFloat

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel

if TYPE_CHECKING:
    from torch import Tensor

ELECTRON_CHARGE = 1.602176634e-19
"""In coulombs; exact in the SI since 2019."""


class ShotNoise(NoiseModel):
    """Shot noise of the current that the signal stands for."""

    name: ClassVar[str] = "shot"
    title: ClassVar[str] = "shot noise of the current that the signal stands for"
    citation: ClassVar[str] = "Schottky, Annalen der Physik 362, 541 (1918)"

    bandwidth: PositiveFloat = Field(10e6, description="of the read-out, Hz")
    unit: PositiveFloat = Field(
        1e-6, description="current that one unit of the signal stands for, A"
    )
    dark_current: NonNegativeFloat = Field(
        0.0, description="current that flows without a signal, A"
    )

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Draw one number for every entry, and scale it by the root of the current."""
        noise = torch.empty_like(signal).normal_(generator=memory.generator)
        return noise.mul_(self.variance(signal).sqrt_())

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """2 q (|I| + I_dark) B in units of the signal squared."""
        per_ampere = 2 * ELECTRON_CHARGE * self.bandwidth / self.unit**2
        return signal.abs().mul_(self.unit * per_ampere).add_(self.dark_current * per_ampere)
