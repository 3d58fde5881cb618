"""A steady drift that is calibrated away again and again: a sawtooth.

n_t = s T (φ_t - ½),    φ_t = (φ_0 + t Δ / T) mod 1,    φ_0 uniform for every line

mean 0,  variance  s² T² / 12,  autocovariance  s² T² (1/12 - u (1-u) / 2),  u = |k| Δ / T mod 1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from jaxtyping import Float, Int
from pydantic import Field, FiniteFloat, PositiveFloat

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel

if TYPE_CHECKING:
    from torch import Tensor


class DriftNoise(NoiseModel):
    """An offset that drifts at a constant rate and starts again at every calibration."""

    name: ClassVar[str] = "drift"
    title: ClassVar[str] = "steady drift of an offset, calibrated away every period"
    citation: ClassVar[str] = "a straight line; rate and period are your own measurement"

    per_second: FiniteFloat = Field(1.0, description="rate s, units of the signal per second")
    period: PositiveFloat = Field(
        1e-3, description="T from one calibration of the offset to the next, s"
    )
    read_interval: PositiveFloat = Field(1e-6, description="Δ from one read to the next, s")

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Let every line's offset go on drifting."""
        if "phase" not in memory.past:
            phase = torch.empty(signal.shape[1:], device=signal.device, dtype=torch.float64)
            memory.past["phase"] = phase.uniform_(generator=memory.generator)
        step, start = self.read_interval / self.period, memory.past["phase"]
        reads = torch.arange(len(signal), device=signal.device, dtype=torch.float64)
        phases = (start + (reads * step).view(-1, *[1] * (signal.ndim - 1))).frac()
        memory.past["phase"] = (start + len(signal) * step).frac()
        return phases.sub_(0.5).mul_(self.per_second * self.period).to(signal.dtype)

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """s² T² / 12."""
        return torch.full_like(signal, (self.per_second * self.period) ** 2 / 12)

    def autocovariance(self, lags: Int[Tensor, " n"], signal: float) -> Float[Tensor, " n"]:
        """s² T² (1/12 - u (1-u) / 2)."""
        u = (lags.abs().double() * (self.read_interval / self.period)).frac()
        return (self.per_second * self.period) ** 2 * (1 / 12 - u * (1 - u) / 2)
