"""A stochastic magnetic tunnel junction: two resistance levels with thermal hopping, plus Gaussian.

n = telegraph(parallel, antiparallel; τ_P, τ_AP) + σ ε,  ε ~ N(0, 1)

The defaults are the preset for the junctions of Koenders et al. (arXiv 2412.12783, Phys. Rev.
Applied 23, 054035): circular, 60 nm, in-plane, read at 40 kHz, which gives the read interval.
Its text as far as it could be read here prints no mean dwell times and no level in units of a
signal. In their place stand: the sum of both dwell times of Vodenicarevic et al. (Phys. Rev.
Applied 8, 054045, arXiv 1706.05262), 604 µs, in equal halves, for another in-plane junction; and
levels of ±0.02, with a Gaussian part of a tenth of that, which are choices. Measure yours and
`substrate fit` it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from jaxtyping import Float, Int
from pydantic import Field, NonNegativeFloat, PositiveFloat

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel
from devices.noise.telegraph import TelegraphNoise

if TYPE_CHECKING:
    from torch import Tensor


class MagneticTunnelJunctionNoise(NoiseModel):
    """Noise of superparamagnetic tunnel junctions, one of its own for every line."""

    name: ClassVar[str] = "magnetic_tunnel_junction"
    title: ClassVar[str] = "stochastic magnetic tunnel junction: two levels plus Gaussian"
    citation: ClassVar[str] = (
        "Koenders et al., arXiv 2412.12783 (device, 40 kHz reads); dwell times: Vodenicarevic et "
        "al., arXiv 1706.05262; levels and Gaussian part: chosen"
    )

    parallel: float = Field(
        -0.02, description="level of the parallel state, in units of the signal"
    )
    antiparallel: float = Field(
        0.02, description="level of the antiparallel state, in units of the signal"
    )
    dwell_parallel: PositiveFloat = Field(302e-6, description="mean dwell time τ_P, s")
    dwell_antiparallel: PositiveFloat = Field(302e-6, description="mean dwell time τ_AP, s")
    std: NonNegativeFloat = Field(
        0.002, description="standard deviation σ of the Gaussian part, in units of the signal"
    )
    read_interval: PositiveFloat = Field(25e-6, description="Δ from one read to the next, s")

    @property
    def telegraph(self) -> TelegraphNoise:
        """The hopping alone."""
        return TelegraphNoise(
            low=self.parallel,
            high=self.antiparallel,
            dwell_low=self.dwell_parallel,
            dwell_high=self.dwell_antiparallel,
            read_interval=self.read_interval,
        )

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Continue every junction's hopping, and draw its Gaussian part."""
        noise = torch.empty_like(signal).normal_(0, self.std, generator=memory.generator)
        return noise.add_(self.telegraph.sample(signal, memory))

    def mean(self) -> float:
        """Level, averaged over time."""
        return self.telegraph.mean()

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """Variance of the hopping, plus σ²."""
        return self.telegraph.variance(signal) + self.std**2

    def autocovariance(self, lags: Int[Tensor, " n"], signal: float) -> Float[Tensor, " n"]:
        """Autocovariance of the hopping, plus σ² at lag 0."""
        return self.telegraph.autocovariance(lags, signal) + self.std**2 * (lags == 0)
