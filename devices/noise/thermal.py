"""Johnson–Nyquist noise of a resistor.

⟨v²⟩ = 4 k T R B    across it, in V²
⟨i²⟩ = 4 k T B / R  through it, in A²
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, PositiveFloat

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel

if TYPE_CHECKING:
    from torch import Tensor

BOLTZMANN = 1.380649e-23
"""In joules per kelvin; exact in the SI since 2019."""


class ThermalNoise(NoiseModel):
    """Johnson–Nyquist noise of a resistor, read as a voltage or as a current."""

    name: ClassVar[str] = "thermal"
    title: ClassVar[str] = "Johnson–Nyquist noise of a resistor"
    citation: ClassVar[str] = (
        "Johnson, Phys. Rev. 32, 97 (1928); Nyquist, Phys. Rev. 32, 110 (1928)"
    )

    temperature: NonNegativeFloat = Field(300.0, description="T of the resistor, K")
    resistance: PositiveFloat = Field(10e3, description="R, Ω; 1/G of a conductance G in S")
    bandwidth: PositiveFloat = Field(10e6, description="B of the read-out, Hz")
    measured: Literal["voltage", "current"] = Field(
        "current", description="what the signal stands for"
    )
    unit: PositiveFloat = Field(
        1e-6, description="voltage or current that one unit of the signal stands for, V or A"
    )

    @property
    def std(self) -> float:
        """Root mean square of the noise, in units of the signal."""
        power = 4 * BOLTZMANN * self.temperature * self.bandwidth
        squared = power * self.resistance if self.measured == "voltage" else power / self.resistance
        return float(squared**0.5 / self.unit)

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Draw one number for every entry."""
        return torch.empty_like(signal).normal_(0, self.std, generator=memory.generator)

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """4kTRB or 4kTB/R in units of the signal squared."""
        return torch.full_like(signal, self.std**2)
