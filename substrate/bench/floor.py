"""The floating-point operations that the algebra of a learning step cannot do without.

A product of m×k with k×n matrices is 2·m·k·n operations. Per layer l of n inputs and m nodes, with
B samples a batch, U of whose passes have an x* that nobody reads:

    product            operations                  how often
    R x                2·B·n²                      once for every pass whose x* is read; all of this
                                                   and the next line with R alone
    R x, or W R        2·n²·min(U·B, m)            once: U passes through R, or W R as one matrix
    W x*, or W R x     2·B·m·n                     once for every pass that differs there
    Wᵀ d               2·B·m·n                     BP only, not in the first layer
    Rᵀ Wᵀ d            2·n²·min(B, m)              BP only, likewise; B counts with the U·B above
    ΔW = ⟨d x*ᵀ⟩       2·B·m·n                     once
    R's update         2·n²·min(2 qB, ½ qB + n)    once, of a fraction q of the batch: by Rᵀ x*, or
                                                   by the symmetric ⟨x* x*ᵀ⟩
    Bᵀ e               2·B·m·n                     mirror only, not in the first layer
    Rᵀ Bᵀ e            2·n²·min(B, m)              mirror only, likewise
    B δx, ⟨(…) δxᵀ⟩    2·2·pB·m·n                  mirror only, likewise, of a fraction p
    ⟨δx δxᵀ⟩, C⁻¹ δx   2·1½·pB·n²                  mirror only, likewise: a symmetric product and
                                                   one with C⁻¹
    C⁻¹                n³/i                        mirror only, likewise: by a Cholesky factor, once
                                                   in i steps

Passes that differ at layer l, for K perturbed passes (INP: K rounds of L passes):

    BP         1
    NP, ANP    1 in the first layer, where all passes see the same input; 1 + K in the others
    mirror     1 in the first layer; 1 + s K in the others, on a fraction s of the batch
    INP        1 + K (l - 1): the pass that perturbs layer i is the baseline's up to W_i x*

The x* of the baseline alone is read, but that the mirror reads those of all passes.

The published code of the paper's first author (`paper/three_hidden` names it) makes every product
as the formulas have it: all passes whole, ⟨x* x*ᵀ⟩ in full, and its product with R.

Everything else (drawing noise, activations, the optimiser) grows with B·m or m·n alone and is not
counted. Nor is a critic, which takes 1,000 samples a step through a small network of its own.
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
    inverse_every: int = 1,
    resamples: int = 1,
) -> int:
    """Count the operations of one step, at the least.

    Args:
        sizes: inputs, hidden nodes and outputs of a fully connected network.
        batch: B.
        rule: `bp`, `inp`, `weight_mirror` by least squares, or any rule that perturbs the whole
            network at once.
        decorrelated: whether layers see x* = R x.
        sample_fraction: q.
        mirror_fraction: p.
        perturbed_fraction: s.
        inverse_every: i.
        resamples: K.
    """
    total = 0.0
    for layer, (n, m) in enumerate(pairwise(sizes)):
        passes = _distinct_passes(rule, layer, resamples, perturbed_fraction)
        mirror = rule == "weight_mirror" and layer > 0
        back = mirror or (rule == "bp" and layer > 0)
        total += (passes + back + 1) * batch * m * n
        if decorrelated:
            read = passes if rule == "weight_mirror" else 1
            unread = (passes - read + (back and not mirror)) * batch
            samples = sample_fraction * batch
            lines = read * batch + min(unread, m) + min(2 * samples, samples / 2 + n)
            total += n * n * (lines + (min(batch, m) if mirror else 0))
        if mirror:
            part = mirror_fraction * batch
            total += 2 * part * m * n + 1.5 * part * n * n + n**3 / inverse_every / 2
    return round(2 * total)


def published_operations(sizes: Sequence[int], batch: int) -> int:
    """Count what the published code of DANP, DNP takes for one step, with one perturbed pass."""
    total = 0
    for n, m in pairwise(sizes):
        total += batch * (2 * (n * n + m * n) + m * n + n * n) + n**3
    return 2 * total


def _distinct_passes(rule: str, layer: int, resamples: int, perturbed: float) -> float:
    if rule == "bp" or layer == 0:
        return 1
    return 1 + perturbed * resamples * (layer if rule == "inp" else 1)
