"""Exact likelihood of a two-level process under Gaussian noise: the forward recursion of an HMM.

    p(x_1…x_n) = π B(x_1) A B(x_2) A … B(x_n) 1

with A the chain's transitions and B(x) the diagonal of both levels' densities. Long traces are cut
into pieces whose 2×2 products are taken side by side, each scaled as it grows.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float64

Samples = Float64[np.ndarray, " samples"]


def log_likelihood(
    x: Samples, levels: tuple[float, float], std: float, keep: float, high: float
) -> float:
    """Logarithm of the density of all samples.

    Args:
        x: the trace.
        levels: low and high.
        std: of the Gaussian part.
        keep: λ, correlation of one state with the next.
        high: stationary probability of the high state.
    """
    stationary = np.array([1 - high, high])
    transitions = keep * np.eye(2) + (1 - keep) * stationary
    exponent = -(((x[:, None] - np.array(levels)) / std) ** 2) / 2
    largest = exponent.max(1)
    densities = np.exp(exponent - largest[:, None])
    constant = largest.sum() - len(x) * math.log(std * math.sqrt(2 * math.pi))
    # step t takes the row vector over states from t-1 to t
    steps = transitions * densities[:, None, :]
    steps[0] = stationary * densities[0]
    pieces = max(1, math.isqrt(len(x)))
    length = math.ceil(len(x) / pieces)
    padded = np.concatenate([steps, np.broadcast_to(np.eye(2), (pieces * length - len(x), 2, 2))])
    padded = padded.reshape(pieces, length, 2, 2)
    products = padded[:, 0].copy()
    logs = np.zeros(pieces)
    for t in range(1, length):
        products = products @ padded[:, t]
        if t % 8 == 0 or t == length - 1:
            scale = products.max((1, 2))
            logs += np.log(scale)
            products /= scale[:, None, None]
    vector, total = np.array([1.0, 0.0]), logs.sum()
    for product in products:
        vector = vector @ product
        scale = vector.sum()
        total += math.log(scale)
        vector /= scale
    return float(total + constant)
