"""First-order autoregressive noise: a random walk that is pulled back to zero.

n_t = φ n_{t-1} + σ √(1-φ²) ε_t,  ε ~ N(0, 1),  φ = e^(-Δ/τ)
autocovariance  σ² φ^|k|
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from jaxtyping import Float, Int
from pydantic import Field, NonNegativeFloat, PositiveFloat

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel
from devices.noise.recursions import relaxations

if TYPE_CHECKING:
    from torch import Tensor


class AutoregressiveNoise(NoiseModel):
    """AR(1) noise, also called Ornstein–Uhlenbeck noise as read at regular times."""

    name: ClassVar[str] = "autoregressive"
    title: ClassVar[str] = "AR(1) in time: Gaussian noise with an exponential memory"
    citation: ClassVar[str] = "Uhlenbeck and Ornstein, Phys. Rev. 36, 823 (1930)"

    std: NonNegativeFloat = Field(
        0.02, description="standard deviation σ in the long run, in units of the signal"
    )
    correlation_time: PositiveFloat = Field(1e-5, description="τ of the autocorrelation, s")
    read_interval: PositiveFloat = Field(1e-6, description="Δ from one read to the next, s")

    @property
    def phi(self) -> float:
        """Correlation of one read with the next."""
        return math.exp(-self.read_interval / self.correlation_time)

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Continue every line's process."""
        rate = self.read_interval / self.correlation_time
        return relaxations(signal, [rate], [self.std**2], 0.0, memory)

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """σ²."""
        return torch.full_like(signal, self.std**2)

    def autocovariance(self, lags: Int[Tensor, " n"], signal: float) -> Float[Tensor, " n"]:
        """σ² φ^|k|."""
        return self.std**2 * self.phi ** lags.abs().double()
