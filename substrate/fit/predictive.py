"""How well a sum of noises foretells every sample of a trace from those before it.

    x_t = offset_t + l(s_t) + Σ_m z_m,t + √r ε_t,     z_m,t+1 = φ_m z_m,t + √(v_m (1-φ_m²)) ε_m,t
    ln p(x) = Σ_t ln p(x_t | x_1…x_t-1),    p(x_t | …) = Σ_j w_j N(x_t; l_j + Σ_m z̄_jm, S_t)

s is a Markov chain of levels l, all else is Gaussian with a past. For one level this is Kalman's
filter, and for no processes z the forward recursion of a hidden Markov model: both exact. For both
together it is the interacting multiple model filter (Blom and Bar-Shalom, IEEE Trans. Autom.
Control 33, 780, 1988): every level keeps one estimate of the processes, the mean over its pasts.
The gains K_t and variances S_t do not depend on the levels, which only shift the samples, so they
are taken from the Riccati equation once. The result is the joint density of all samples under this
forecast, normalised like any other, so that sums of different kinds may be compared by it.
"""

from __future__ import annotations

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float64

from devices.compiled import compiled

Samples = Float64[np.ndarray, " samples"]

_STEPS = 4096
"""Gains are followed for so long at most, and stay as they are then."""


class Background(NamedTuple):
    """All that is Gaussian: a white floor, and processes that each forget exponentially."""

    white: float
    rates: Float64[np.ndarray, " processes"]
    variances: Float64[np.ndarray, " processes"]


class Chain(NamedTuple):
    """Levels, and the chances of going from one to another within a sample."""

    levels: Float64[np.ndarray, " levels"]
    transitions: Float64[np.ndarray, "levels levels"]
    stationary: Float64[np.ndarray, " levels"]


STILL = Chain(np.zeros(1), np.ones((1, 1)), np.ones(1))


def two_levels(step: float, stay_low: float, stay_high: float) -> Chain:
    """A fluctuator of mean zero, by the mean dwell times in samples."""
    total = 1 / stay_low + 1 / stay_high
    high = stay_high / (stay_low + stay_high)
    stationary = np.array([1 - high, high])
    kept = np.exp(-total)
    transitions = kept * np.eye(2) + (1 - kept) * stationary
    return Chain(np.array([-high * step, (1 - high) * step]), transitions, stationary)


def together(chains: list[Chain]) -> Chain:
    """The sum of independent chains."""
    result = STILL
    for each in chains:
        result = Chain(
            np.add.outer(result.levels, each.levels).ravel(),
            np.kron(result.transitions, each.transitions),
            np.kron(result.stationary, each.stationary),
        )
    return result


def log_densities(x: Samples, background: Background, chain: Chain) -> Samples:
    """ln p(x_t | all samples before it), for every sample."""
    out = np.empty(len(x))
    phi = np.exp(-np.asarray(background.rates, dtype=np.float64))
    gains, deviations = np.empty((_STEPS, len(phi))), np.empty(_STEPS)
    used = np.zeros(1, dtype=np.int64)
    _gains(gains, deviations, used, background.white**2, phi, np.asarray(background.variances))
    _filter(out, x, *map(np.ascontiguousarray, chain), phi, gains[: used[0]], deviations)
    return out


@compiled("void(float64[:,::1], float64[::1], int64[::1], float64, float64[::1], float64[::1])")
@no_type_check
def _gains(gains, deviations, used, white, phi, variances):
    """Riccati's equation from the long run's covariance on, until gains no longer change."""
    count = phi.size
    p = np.zeros((count, count))
    for m in range(count):
        p[m, m] = variances[m]
    for step in range(gains.shape[0]):
        used[0] = step + 1
        total = white
        change = 0.0
        for m in range(count):
            row = 0.0
            for k in range(count):
                row += p[m, k]
            gains[step, m] = row
            total += row
        for m in range(count):
            gains[step, m] /= total
            if step > 0:
                change = max(change, abs(gains[step, m] - gains[step - 1, m]))
        deviations[step] = np.sqrt(total)
        if step > 0 and change < 1e-9:
            break
        for m in range(count):
            for k in range(count):
                p[m, k] = phi[m] * phi[k] * (p[m, k] - gains[step, m] * gains[step, k] * total)
            p[m, m] += variances[m] * (1 - phi[m] * phi[m])


@compiled(
    "void(float64[::1], float64[::1], float64[::1], float64[:,::1], float64[::1], float64[::1],"
    " float64[:,::1], float64[::1])"
)
@no_type_check
def _filter(out, x, levels, transitions, stationary, phi, gains, deviations):
    n, m_count = levels.size, phi.size
    half_log = 0.5 * np.log(2 * np.pi)
    chance = stationary.copy()
    ahead = np.empty(n)
    z = np.zeros((n, m_count))
    mixed = np.zeros((n, m_count))
    off = np.empty(n)
    for t in range(x.size):
        g = min(t, gains.shape[0] - 1)
        deviation = deviations[g]
        largest = -np.inf
        for j in range(n):
            weight = 0.0
            for i in range(n):
                weight += chance[i] * transitions[i, j]
            ahead[j] = weight
            if m_count:
                if weight < 1e-250:
                    weight = 1e-250
                mixed[j, :] = 0.0
                for i in range(n):
                    share = chance[i] * transitions[i, j] / weight
                    if share > 1e-10:
                        for m in range(m_count):
                            mixed[j, m] += share * z[i, m]
            expected = levels[j]
            for m in range(m_count):
                expected += mixed[j, m]
            off[j] = x[t] - expected
            if ahead[j] > 0:
                largest = max(largest, -0.5 * (off[j] / deviation) ** 2)
        total = 0.0
        for j in range(n):
            chance[j] = ahead[j] * np.exp(-0.5 * (off[j] / deviation) ** 2 - largest)
            total += chance[j]
        out[t] = np.log(total) + largest - np.log(deviation) - half_log
        for j in range(n):
            chance[j] /= total
            for m in range(m_count):
                z[j, m] = phi[m] * (mixed[j, m] + gains[g, m] * off[j])
