"""Random telegraph noise: a trap or a magnet that hops between two levels.

P(high → low within t) = 1 - e^(-t/τ_high), and likewise for low; read every Δ:
λ = e^(-Δ (1/τ_low + 1/τ_high)),  p = τ_high / (τ_low + τ_high)
mean  low + p (high - low),  autocovariance  (high - low)² p (1-p) λ^|k|
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from jaxtyping import Float, Int
from pydantic import Field, PositiveFloat

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel
from devices.noise.recursions import two_state_chain

if TYPE_CHECKING:
    from torch import Tensor


class TelegraphNoise(NoiseModel):
    """Random telegraph noise between two levels, with exponential dwell times; also RTN, RTS."""

    name: ClassVar[str] = "telegraph"
    title: ClassVar[str] = "random telegraph noise: two levels, exponential dwell times"
    citation: ClassVar[str] = "Machlup, J. Appl. Phys. 25, 341 (1954)"

    low: float = Field(-0.02, description="lower level, in units of the signal")
    high: float = Field(0.02, description="upper level, in units of the signal")
    dwell_low: PositiveFloat = Field(1e-5, description="mean dwell time in the lower level, s")
    dwell_high: PositiveFloat = Field(1e-5, description="mean dwell time in the upper level, s")
    read_interval: PositiveFloat = Field(1e-6, description="Δ from one read to the next, s")

    @property
    def occupancy(self) -> float:
        """Fraction p of time in the upper level."""
        return self.dwell_high / (self.dwell_low + self.dwell_high)

    @property
    def keep(self) -> float:
        """Correlation λ of one read with the next."""
        return math.exp(-self.read_interval * (1 / self.dwell_low + 1 / self.dwell_high))

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Continue every line's hopping."""
        if "state" not in memory.past:
            chance = torch.empty_like(signal[0]).uniform_(generator=memory.generator)
            memory.past["state"] = (chance < self.occupancy).to(signal.dtype)
        states = two_state_chain(
            signal, self.keep, self.occupancy, memory.past["state"], memory.generator
        )
        memory.past["state"] = states[-1].clone()
        return states.mul_(self.high - self.low).add_(self.low)

    def mean(self) -> float:
        """Level, averaged over time."""
        return self.low + self.occupancy * (self.high - self.low)

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """(high - low)² p (1-p)."""
        spread = (self.high - self.low) ** 2 * self.occupancy * (1 - self.occupancy)
        return torch.full_like(signal, spread)

    def autocovariance(self, lags: Int[Tensor, " n"], signal: float) -> Float[Tensor, " n"]:
        """(high - low)² p (1-p) λ^|k|."""
        spread = (self.high - self.low) ** 2 * self.occupancy * (1 - self.occupancy)
        return spread * self.keep ** lags.abs().double()
