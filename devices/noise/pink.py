"""1/f^α noise over a white floor, as data sheets of amplifiers give it: floor and corner.

S(f) = S_w (1 + (f_c / f)^α),  flat below f_min,  S_w = 2 σ² Δ (one-sided, up to 1/2Δ)

The 1/f^α part is a sum of processes with exponential memory, whose rates f_k are spread evenly
over the logarithm of frequency between f_min and 1/2Δ (McWhorter's picture of many traps):

    1/f^α ≈ (2h/π) sin(πα/2) Σ_k f_k^(2-α) / (f_k² + f²),   h = ln(f_{k+1}/f_k)
    variance of process k  v_k = S_w f_c^α h sin(πα/2) f_k^(1-α)

The slowest process also has the variance of all that would be slower, so that for α from 0.7 to 2
the sum is straight within 5 % from ten times f_min to a tenth of 1/2Δ. Above, reads fold back what
is faster than they are: the 1/f^α part is 1.10, 1.21 and 1.71 times the formula at 0.2, 0.4 and 0.9
of 1/2Δ for α = 1. Processes faster than 1/2Δ are left out, which the flatter ones of lower α miss:
at a tenth of 1/2Δ it is too low by 6 % for α = 0.5, by 25 % for 0.3 and by 67 % for 0.1. The stated
variance and autocovariance are those of the sum, so they hold exactly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar

from jaxtyping import Float, Int
from pydantic import Field, PositiveFloat, model_validator

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel
from devices.noise.recursions import relaxations

if TYPE_CHECKING:
    from torch import Tensor

PER_DECADE = 2


class PinkNoise(NoiseModel):
    """1/f^α noise that meets a white floor at a corner; also called flicker noise."""

    name: ClassVar[str] = "pink"
    title: ClassVar[str] = "1/f^α noise that meets a white floor at a corner frequency"
    citation: ClassVar[str] = (
        "McWhorter, in Semiconductor Surface Physics (1957); Dutta and Horn, RMP 53, 497 (1981)"
    )

    std: PositiveFloat = Field(
        0.01, description="standard deviation σ of the white floor, in units of the signal"
    )
    alpha: Annotated[float, Field(gt=0, lt=2)] = Field(
        1.0, description="exponent α of 1/f^α, dimensionless"
    )
    corner: PositiveFloat = Field(1e4, description="f_c where 1/f^α meets the white floor, Hz")
    lowest: PositiveFloat = Field(10.0, description="f_min below which the noise is flat, Hz")
    read_interval: PositiveFloat = Field(1e-6, description="Δ from one read to the next, s")

    @model_validator(mode="after")
    def _band_is_not_empty(self) -> PinkNoise:
        if self.lowest >= 0.5 / self.read_interval:
            raise ValueError(
                f"`lowest` must lie below {0.5 / self.read_interval:g} Hz, half the rate of reads"
            )
        return self

    def processes(self) -> tuple[list[float], list[float]]:
        """Rate -ln φ from one read to the next, and variance, of every process of the sum."""
        highest = 0.5 / self.read_interval
        steps = max(1, round(math.log10(highest / self.lowest) * PER_DECADE))
        h = math.log(highest / self.lowest) / steps
        white = 2 * self.std**2 * self.read_interval
        scale = white * self.corner**self.alpha * h * math.sin(math.pi * self.alpha / 2)
        frequencies = [self.lowest * math.exp(h * k) for k in range(steps + 1)]
        rates = [2 * math.pi * frequency * self.read_interval for frequency in frequencies]
        variances = [scale * frequency ** (1 - self.alpha) for frequency in frequencies]
        # the tail of the sum below f_min, as seen from well above it
        variances[0] *= 1 + math.exp(-h * (2 - self.alpha) / 2) / (h * (2 - self.alpha))
        return rates, variances

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Continue every line's processes."""
        rates, variances = self.processes()
        return relaxations(signal, rates, variances, self.std, memory)

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """σ² + Σ v_k."""
        return torch.full_like(signal, self.std**2 + sum(self.processes()[1]))

    def autocovariance(self, lags: Int[Tensor, " n"], signal: float) -> Float[Tensor, " n"]:
        """σ² at lag 0, and Σ v_k φ_k^|lag|."""
        apart = lags.abs().double()
        rates, variances = self.processes()
        sums = [v * torch.exp(-r * apart) for r, v in zip(rates, variances, strict=True)]
        return self.std**2 * (lags == 0) + torch.stack(sums).sum(0)
