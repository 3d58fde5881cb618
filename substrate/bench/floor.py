"""The floating-point operations that a learning step cannot do without.

A product of m×k with k×n matrices is 2·m·k·n operations. Per layer l of n inputs and m nodes, with
B samples a batch:

    product            operations          how often
    R x                2·B·n²              once for every pass that differs there; decorrelated only
    W x*               2·B·m·n             once for every pass that differs there
    Wᵀ d               2·B·m·n             BP only, not in the first layer
    Rᵀ Wᵀ d            2·B·n²              decorrelated BP only, not in the first layer
    ΔW = ⟨d x*ᵀ⟩       2·B·m·n             once
    Rᵀ x*, ⟨x*(…)ᵀ⟩    2·2·qB·n²           once each on a fraction q of the batch; decorrelated only
    Bᵀ e               2·B·m·n             mirror only, not in the first layer; Rᵀ Bᵀ e as for BP
    B δx, ⟨(…) δxᵀ⟩    2·2·pB·m·n          mirror only, likewise, on a fraction p of the batch
    ⟨δx δxᵀ⟩, C⁻¹ δx   2·3·pB·n² + 2·n³/3  mirror only, likewise: a Cholesky factor, two solutions

Passes that differ at layer l, for K perturbed passes (INP: K rounds of L passes):

    BP         1
    NP, ANP    1 in the first layer, where all passes see the same input; 1 + K in the others
    mirror     1 in the first layer; 1 + s K in the others, on a fraction s of the batch
    INP        1 + K (l - 1): the pass that perturbs layer i is the baseline's up to W_i x*

Everything else (drawing noise, activations, the optimiser) grows with B·m or m·n alone and is not
counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def step_operations(
    sizes: Sequence[int],
    batch: int,
    rule: str,
    *,
    decorrelated: bool,
    sample_fraction: float = 1.0,
    mirror_fraction: float = 1.0,
    perturbed_fraction: float = 1.0,
    resamples: int = 1,
) -> int:
    """Count the operations of one step.

    Args:
        sizes: inputs, hidden nodes and outputs of a fully connected network.
        batch: B.
        rule: `bp`, `inp`, `weight_mirror` by least squares, or any rule that perturbs the whole
            network at once.
        decorrelated: whether layers see x* = R x.
        sample_fraction: q.
        mirror_fraction: p.
        perturbed_fraction: s.
        resamples: K.
    """
    total = 0
    for layer, (n, m) in enumerate(pairwise(sizes)):
        weights, matrix = 2 * batch * m * n, 2 * batch * n * n if decorrelated else 0
        passes = _distinct_passes(rule, layer, resamples, perturbed_fraction)
        forward = round(passes * (weights + matrix))
        backward = weights + matrix if rule in ("bp", "weight_mirror") and layer > 0 else 0
        if rule == "weight_mirror" and layer > 0:
            part = mirror_fraction * batch
            backward += round(4 * part * m * n + 6 * part * n * n + 2 * n**3 / 3)
        total += forward + backward + weights + round(2 * sample_fraction * matrix)
    return total


def _distinct_passes(rule: str, layer: int, resamples: int, perturbed: float) -> float:
    if rule == "bp" or layer == 0:
        return 1
    return 1 + perturbed * resamples * (layer if rule == "inp" else 1)
