"""Sums of noises that are fitted, each by unbounded parameters θ.

    x = offset + slope · (t / T - ½) + fluctuators + background

Everything is in standard deviations of the trace and in samples, and what must be positive stands
as its logarithm. The background is white; or an AR(1) process, with or without a white floor; or
1/f^α over a white floor (`devices.noise.pink`), or without one: then the floor is a hundredth of
1/f^α at the highest frequency of the trace, too little to be seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float64

from devices.noise import (
    AutoregressiveNoise,
    DriftNoise,
    GaussianNoise,
    NoiseModel,
    PinkNoise,
    TelegraphNoise,
)
from substrate.fit.predictive import (
    Background,
    Samples,
    log_densities,
    together,
    two_levels,
)

Vector = Float64[np.ndarray, " parameters"]
Kind = Literal["white", "autoregressive", "autoregressive + white", "1/f", "1/f + white"]

HIDDEN_FLOOR = 0.01
_SIZES: dict[str, int] = {
    "white": 1,
    "autoregressive": 2,
    "autoregressive + white": 3,
    "1/f": 2,
    "1/f + white": 3,
}
_NONE = np.empty(0)


@dataclass(frozen=True)
class Sum:
    """Which noises are added up.

    Attributes:
        background: what is Gaussian.
        fluctuators: number of independent two-level fluctuators.
        drift: whether there is a slope.
    """

    background: Kind
    fluctuators: int = 0
    drift: bool = False

    @property
    def name(self) -> str:
        """For people."""
        telegraph = {0: [], 1: ["telegraph"]}.get(
            self.fluctuators, [f"{self.fluctuators} telegraphs"]
        )
        return " + ".join([*telegraph, self.background, *(["drift"] if self.drift else [])])

    @property
    def size(self) -> int:
        """Number of parameters."""
        return 1 + self.drift + _SIZES[self.background] + 3 * self.fluctuators

    @property
    def _first_fluctuator(self) -> int:
        return 1 + self.drift + _SIZES[self.background]

    def of_background(self, theta: Vector, n: int) -> Background:
        """The Gaussian part of θ, for a trace of n samples."""
        own = theta[1 + self.drift : self._first_fluctuator]
        if self.background == "white":
            return Background(math.exp(own[0]), _NONE, _NONE)
        if self.background.startswith("auto"):
            white = math.exp(own[2]) if len(own) == 3 else 0.0
            return Background(white, np.exp(own[1:2]), np.exp(2 * own[:1]))
        pink = self._pink(theta, n, 1.0, 1.0)
        rates, variances = pink.processes()
        return Background(pink.std, np.array(rates), np.array(variances))

    def _pink(self, theta: Vector, n: int, spread: float, interval: float) -> PinkNoise:
        """θ = (ln of the amplitude in the middle of the band, logit α/2, ln of the floor)."""
        own = theta[1 + self.drift : self._first_fluctuator]
        alpha = 2 / (1 + math.exp(-own[1]))
        lowest, highest = 1 / n, 0.5
        density = math.exp(2 * own[0]) * (lowest * highest) ** (alpha / 2)  # at 1 cycle a sample
        if len(own) == 3:
            std = math.exp(own[2])
            corner = (density / (2 * std**2)) ** (1 / alpha)
        else:
            corner = highest * HIDDEN_FLOOR ** (-1 / alpha)
            std = math.sqrt(density / 2 * corner**-alpha)
        return PinkNoise(
            std=std * spread,
            alpha=alpha,
            corner=corner / interval,
            lowest=lowest / interval,
            read_interval=interval,
        )

    def log_densities(self, theta: Vector, x: Samples, whole: int) -> Samples:
        """ln p of every sample given those before it.

        Args:
            theta: parameters.
            x: the trace, or its first part.
            whole: samples of the whole trace.

        Raises:
            ValueError: θ is beyond what the models allow.
        """
        centred = x - theta[0]
        if self.drift:
            centred = centred - theta[1] * ((np.arange(len(x)) + 0.5) / whole - 0.5)
        chain = together([two_levels(*each) for each in self._dwells(theta)])
        return log_densities(centred, self.of_background(theta, whole), chain)

    def _dwells(self, theta: Vector) -> list[tuple[float, float, float]]:
        own = np.exp(theta[self._first_fluctuator :]).reshape(-1, 3)
        return [(float(step), float(low), float(high)) for step, low, high in own]

    def models(self, theta: Vector, n: int, spread: float, interval: float) -> list[NoiseModel]:
        """The sum as noise models, in units of the signal and seconds, each of mean zero.

        Raises:
            ValueError: θ is beyond what the models allow.
        """
        result: list[NoiseModel] = []
        dwells = sorted(self._dwells(theta), key=lambda each: -each[0])
        for step, stay_low, stay_high in dwells:
            high = stay_high / (stay_low + stay_high)
            result.append(
                TelegraphNoise(
                    low=-high * step * spread,
                    high=(1 - high) * step * spread,
                    dwell_low=stay_low * interval,
                    dwell_high=stay_high * interval,
                    read_interval=interval,
                )
            )
        own = theta[1 + self.drift : self._first_fluctuator]
        if self.background.startswith("1/f"):
            result.append(self._pink(theta, n, spread, interval))
        elif self.background.startswith("auto"):
            result.append(
                AutoregressiveNoise(
                    std=math.exp(own[0]) * spread,
                    correlation_time=interval / math.exp(own[1]),
                    read_interval=interval,
                )
            )
        if self.background == "white" or self.background.endswith("ive + white"):
            result.append(GaussianNoise(std=math.exp(own[-1]) * spread))
        if self.drift:
            period = n * interval
            result.append(
                DriftNoise(
                    per_second=theta[1] * spread / period, period=period, read_interval=interval
                )
            )
        return result

    def parameters(self, theta: Vector, n: int, spread: float, interval: float) -> dict[str, float]:
        """What is fitted, by the names of the models' own parameters.

        From the second fluctuator on, names end in its number; `step` is high - low. The white
        floor is `std`, and an AR(1) process beside it `autoregressive_std`.
        """
        result: dict[str, float] = {}
        numbered = 0
        for model in self.models(theta, n, spread, interval):
            if isinstance(model, TelegraphNoise):
                numbered += 1
                end = "" if numbered == 1 else f"_{numbered}"
                result |= {
                    f"{name}{end}": getattr(model, name)
                    for name in ("low", "high", "dwell_low", "dwell_high")
                }
                result[f"step{end}"] = model.high - model.low
            elif isinstance(model, PinkNoise):
                kept = ("std", "alpha", "corner")[: 3 if self.background == "1/f + white" else 0]
                result |= {name: getattr(model, name) for name in kept or ("alpha", "corner")}
            elif isinstance(model, AutoregressiveNoise):
                floor = self.background.endswith("white")
                result["autoregressive_std" if floor else "std"] = model.std
                result["correlation_time"] = model.correlation_time
            elif isinstance(model, GaussianNoise):
                result["std"] = model.std
            elif isinstance(model, DriftNoise):
                result["per_second"] = model.per_second
        return result

    def with_drift(self, theta: Vector, slope: float) -> tuple[Sum, Vector]:
        """The same and a slope to begin with, in standard deviations from start to end."""
        return replace(self, drift=True), np.insert(theta, 1, slope)

    def starts(self, theta: Vector, floor: float) -> list[tuple[Sum, Vector]]:
        """The same and one fluctuator more, which takes so much of the background's variance.

        Args:
            theta: parameters of this sum.
            floor: standard deviation of what is white, at most.
        """
        more = replace(self, fluctuators=self.fluctuators + 1)
        taken = sum(
            step**2 * low * high / (low + high) ** 2 for step, low, high in self._dwells(theta)
        )
        left = max(1 - taken, 0.02)
        found = []
        for share in (0.1, 0.3, 0.6, 0.9, 0.98):
            for slow in (10.0, 50.0, 250.0, 1250.0, 6250.0):
                for ratio in (0.15, 1.0, 6.7):
                    low, high = (slow, slow * ratio) if ratio <= 1 else (slow / ratio, slow)
                    occupied = high / (low + high)
                    step = math.sqrt(share * left / (occupied * (1 - occupied)))
                    start = theta.copy()
                    own = slice(1 + self.drift, self._first_fluctuator)
                    start[own] = self._smaller(start[own], (1 - share) * left, floor)
                    dwell = [math.log(step), math.log(low), math.log(high)]
                    found.append((more, np.concatenate([start, dwell])))
        return found

    def _smaller(self, own: Vector, variance: float, floor: float) -> Vector:
        """The background when only so much variance is left to it."""
        result, std = own.copy(), math.sqrt(variance)
        if self.background == "white":
            result[0] = math.log(std)
        else:
            result[0] = min(result[0], result[0] + math.log(std))
        if len(own) == 3:
            result[2] = math.log(min(floor, std))
        return result

    def start(self, floor: float, n: int) -> Vector:
        """θ of a sum without fluctuators: all variance is the background's."""
        theta = np.zeros(self.size)
        own = theta[1 + self.drift :]
        if self.background.startswith("auto"):
            own[1] = math.log(0.1)
        elif self.background.startswith("1/f"):
            own[0] = math.log(2 / math.log(n) * math.sqrt(n / 2)) / 2
        if len(own) == 3:
            own[2] = math.log(floor)
        return theta


def fleeting(parameters: dict[str, float], errors: dict[str, float], interval: float) -> list[str]:
    """Names of dwell times within a sample that are no further than their errors from none.

    So short a stay is one sample off the rest, as any outlier is, and no level for all that the
    trace says.
    """
    return [
        name
        for name, value in parameters.items()
        if name.startswith("dwell") and value < interval and errors[name] >= value
    ]
