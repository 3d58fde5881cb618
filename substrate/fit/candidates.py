"""The models that are fitted, each with the log-likelihood of a whole trace.

All of them are logarithms of the joint density of the same samples, in the units of the trace, so
they can be compared: exact for Gaussian, uniform, AR(1) and two levels, Whittle's for 1/f^α,

    ln p ≈ -½ Σ_j [ln 2π S(f_j) + I(f_j)/S(f_j)]

with I the periodogram and S the model's spectrum, exact for white noise. The trace's mean is taken
off first and counts as one parameter of every model.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Float64

from devices.noise import (
    AutoregressiveNoise,
    GaussianNoise,
    MagneticTunnelJunctionNoise,
    NoiseModel,
    PinkNoise,
)
from substrate.fit.two_levels import Samples, log_likelihood

Vector = Float64[np.ndarray, " parameters"]


class Candidate(ABC):
    """A model with unbounded parameters θ, to be found by maximising the likelihood."""

    reported: ClassVar[tuple[str, ...]]

    def __init__(self, x: Samples, interval: float) -> None:
        """Take a trace without its mean, and the seconds between its samples."""
        self.x, self.interval = x, interval

    @abstractmethod
    def start(self) -> Vector:
        """θ from moments of the trace."""

    @abstractmethod
    def model(self, theta: Vector) -> NoiseModel:
        """The noise model with parameters θ.

        Raises:
            ValueError: θ is beyond what the model allows.
        """

    @abstractmethod
    def log_likelihood(self, theta: Vector) -> float:
        """ln p(trace | θ)."""


class Gaussian(Candidate):
    """θ = ln σ."""

    reported = ("std",)

    def start(self) -> Vector:
        """The trace's own standard deviation, which is the best."""
        return np.array([math.log(self.x.std())])

    def model(self, theta: Vector) -> NoiseModel:
        """See `Candidate`."""
        return GaussianNoise(std=math.exp(theta[0]))

    def log_likelihood(self, theta: Vector) -> float:
        """Exact."""
        std = math.exp(theta[0])
        constant = len(self.x) * math.log(std * math.sqrt(2 * math.pi))
        return float(-((self.x / std) ** 2).sum() / 2 - constant)


class Autoregressive(Candidate):
    """θ = (ln σ, ln rate), φ = e^-rate."""

    reported = ("std", "correlation_time")

    def start(self) -> Vector:
        """From the correlation of neighbours."""
        phi = float((self.x[1:] * self.x[:-1]).mean() / self.x.var())
        return np.array([math.log(self.x.std()), math.log(-math.log(min(max(phi, 0.01), 0.9999)))])

    def model(self, theta: Vector) -> NoiseModel:
        """See `Candidate`."""
        return AutoregressiveNoise(
            std=math.exp(theta[0]),
            correlation_time=self.interval / math.exp(theta[1]),
            read_interval=self.interval,
        )

    def log_likelihood(self, theta: Vector) -> float:
        """Exact: the first sample from the long run, the others given the one before."""
        std, phi = math.exp(theta[0]), math.exp(-math.exp(theta[1]))
        innovation = std * math.sqrt(-math.expm1(-2 * math.exp(theta[1])))
        rest = (self.x[1:] - phi * self.x[:-1]) / innovation
        constant = len(self.x) * math.log(2 * math.pi) / 2
        logs = math.log(std) + (len(self.x) - 1) * math.log(innovation)
        return float(-((self.x[0] / std) ** 2) / 2 - (rest**2).sum() / 2 - logs - constant)


class Pink(Candidate):
    """θ = (ln σ, logit α/2, ln f_c); flat below the lowest frequency that the trace resolves."""

    reported = ("std", "alpha", "corner")

    def __init__(self, x: Samples, interval: float) -> None:
        """Take the periodogram; high frequencies in bins, within which a spectrum is smooth."""
        super().__init__(x, interval)
        n = len(x)
        periodogram = np.abs(np.fft.rfft(x)) ** 2 / n
        # Every frequency but the middle one of an even number stands for itself and its negative.
        weights = np.full(len(periodogram), 2.0)
        weights[-1] = 1.0 if n % 2 == 0 else 2.0
        edges = np.unique(np.geomspace(1, len(periodogram), 2000).astype(int))
        counts = np.add.reduceat(weights, edges[:-1])
        self._weights = counts
        frequencies = np.arange(len(periodogram)) / n
        self._power = np.add.reduceat(weights * periodogram, edges[:-1]) / counts
        self._angle = 2 * math.pi * np.add.reduceat(weights * frequencies, edges[:-1]) / counts
        self._variance = x.var()

    def start(self) -> Vector:
        """The floor from the highest frequencies, and a corner where power is ten times that."""
        floor = float(np.median(self._power[-20:]))
        high = np.flatnonzero(self._power > 4 * floor)
        place = int(high.max()) if len(high) else 5
        corner = self._angle[place] / (2 * math.pi * self.interval)
        return np.array([math.log(floor) / 2, 0.0, math.log(corner)])

    def model(self, theta: Vector) -> NoiseModel:
        """See `Candidate`."""
        return PinkNoise(
            std=math.exp(theta[0]),
            alpha=2 / (1 + math.exp(-theta[1])),
            corner=math.exp(theta[2]),
            lowest=1 / (len(self.x) * self.interval),
            read_interval=self.interval,
        )

    def log_likelihood(self, theta: Vector) -> float:
        """Whittle's approximation."""
        model = self.model(theta)
        assert isinstance(model, PinkNoise)
        spectrum = np.full(len(self._angle), model.std**2)
        for rate, variance in zip(*model.processes(), strict=True):
            phi = math.exp(-rate)
            gap = 1 - 2 * phi * np.cos(self._angle) + phi**2
            spectrum += variance * -math.expm1(-2 * rate) / gap
        logs = np.log(2 * math.pi * spectrum) + self._power / spectrum
        # The mean was taken off: frequency 0 carries nothing, and the floor's constant stands in.
        zero = math.log(2 * math.pi * self._variance)
        return float(-(self._weights * logs).sum() / 2 - zero / 2)


class TwoLevels(Candidate):
    """θ = (low, high - low, in standard deviations; ln σ, ln τ_low, ln τ_high)."""

    reported = ("parallel", "antiparallel", "dwell_parallel", "dwell_antiparallel", "std")

    def start(self) -> Vector:
        """Split at the threshold that leaves least variance on its sides, and count the hops."""
        ordered = np.sort(self.x)
        n = len(ordered)
        below = np.arange(1, n)
        sums = ordered.cumsum()[:-1]
        between = sums**2 / below + sums**2 / (n - below)
        cut = int(between[n // 1000 : n - n // 1000 - 1].argmax()) + n // 1000
        high = self.x > (ordered[cut] + ordered[cut + 1]) / 2
        low_level, high_level = self.x[~high].mean(), self.x[high].mean()
        rest = np.where(high, self.x - high_level, self.x - low_level)
        hops = max(1, int(np.abs(np.diff(high.astype(int))).sum()) // 2)
        # Gaussian samples that stray over the threshold look like hops: dwell times start longer.
        dwells = [max(2.0, 2 * (~high).sum() / hops), max(2.0, 2 * high.sum() / hops)]
        spread = self.x.std()
        return np.array(
            [
                low_level / spread,
                (high_level - low_level) / spread,
                math.log(rest.std() / spread),
                math.log(dwells[0]),
                math.log(dwells[1]),
            ]
        )

    def model(self, theta: Vector) -> NoiseModel:
        """See `Candidate`."""
        spread = float(self.x.std())
        return MagneticTunnelJunctionNoise(
            parallel=theta[0] * spread,
            antiparallel=(theta[0] + theta[1]) * spread,
            std=math.exp(theta[2]) * spread,
            dwell_parallel=math.exp(theta[3]) * self.interval,
            dwell_antiparallel=math.exp(theta[4]) * self.interval,
            read_interval=self.interval,
        )

    def log_likelihood(self, theta: Vector) -> float:
        """Exact, by the forward recursion."""
        model = self.model(theta)
        assert isinstance(model, MagneticTunnelJunctionNoise)
        hopping = model.telegraph
        levels = (model.parallel, model.antiparallel)
        return log_likelihood(self.x, levels, model.std, hopping.keep, hopping.occupancy)
