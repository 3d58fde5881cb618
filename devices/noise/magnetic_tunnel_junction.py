"""A stochastic magnetic tunnel junction: two resistance levels with thermal hopping, plus Gaussian.

n = telegraph(parallel, antiparallel; τ_P, τ_AP) + σ ε,  ε ~ N(0, 1)

The defaults are the preset for the junctions of Koenders et al. (arXiv 2412.12783, Phys. Rev.
Applied 23, 054035): circular, 60 nm, in-plane, read at 40 kHz. The authors' code simulates one as

    0.042092 V ± 0.0059316 V + 0.000908 V · N(0, 1),  flipping with probability 0.0809 a sample

(github.com/artcogsys/MTJ-Node-Perturbation). In volts, without the constant offset; and since a
sample keeps its state with correlation λ = 1 - 2 · 0.0809 = e^(-2Δ/τ), τ = -2Δ / ln λ = 283.3 µs.
Scale levels and σ by how many units of the signal your circuit makes of a volt.
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
        "Koenders et al., arXiv 2412.12783; figures of the simulated junction in the authors' code"
    )

    parallel: float = Field(
        -0.0059316, description="level of the parallel state, in units of the signal"
    )
    antiparallel: float = Field(
        0.0059316, description="level of the antiparallel state, in units of the signal"
    )
    dwell_parallel: PositiveFloat = Field(283.3e-6, description="mean dwell time τ_P, s")
    dwell_antiparallel: PositiveFloat = Field(283.3e-6, description="mean dwell time τ_AP, s")
    std: NonNegativeFloat = Field(
        0.000908, description="standard deviation σ of the Gaussian part, in units of the signal"
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
