"""Many pulses at once, compiled by numba: `response.py`'s formula, a tile of cells after another.

torch would pass some thirty times over the memory; here a tile stays in a core's cache. With
a = m u φ(u s_u), b = n v φ(v s_v) (`cells_kernel.py` has φ and g):

    κ = a s_u + b s_v
    w ← w + (a - b - w κ) g,    variance σ² (m u² f_u² + n v² f_v²) g(2κ)
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from devices.compiled import compiled, use_wide_vectors
from devices.crossbars.native.cells_kernel import cells, clip, decay, draw_tile, of_tile, phi
from devices.draws_kernel import COUNTERS, TILE

_f = np.float32
_ZERO, _ONE, _TWO, _HALF = _f(0), _f(1), _f(2), _f(0.5)
_FLAT = _f(1e-30)


_MATRICES = ", ".join(["float32[:,::1]"] * 9)


@compiled(f"void({_MATRICES}, float32, float32, boolean, int64, int64, uint64)")
@no_type_check
def pulse(
    weights,
    up,
    down,
    w_max,
    w_min,
    step_up,
    step_down,
    slope_up,
    slope_down,
    largest,
    spread,
    multiplicative,
    begin,
    end,
    key,
):
    """Apply numbers of up and of down pulses to some tiles of weights, in place.

    Args:
        weights: (n_out, n_in).
        up: (n_out, n_in).
        down: (n_out, n_in).
        w_max: of every device, (n_out, n_in), or (1, 1) for all; and so are the next five.
        w_min: likewise.
        step_up: likewise.
        step_down: likewise.
        slope_up: likewise.
        slope_down: likewise.
        largest: one pulse's part of the way to where steps vanish, at most.
        spread: from cycle to cycle, σ.
        multiplicative: or additive, of the cycle spread.
        begin: the first of the tiles.
        end: the first that is not one of them.
        key: 64 bits.
    """
    use_wide_vectors()
    words = np.empty((4, COUNTERS), np.uint32)
    z = np.zeros(TILE, _f)
    spares = np.empty((6, TILE), _f)
    constant = slope_up.size == 1 and slope_up[0, 0] == 0
    constant = constant and slope_down.size == 1 and slope_down[0, 0] == 0
    for tile in range(begin, end):
        first = tile * TILE
        size = min(TILE, weights.size - first)
        if spread > 0:
            draw_tile(z, words, tile, key, spread)
        w = cells(weights, first, size)
        m, n = cells(up, first, size), cells(down, first, size)
        high = of_tile(w_max, first, size, spares[0])
        low = of_tile(w_min, first, size, spares[1])
        u = of_tile(step_up, first, size, spares[2])
        v = of_tile(step_down, first, size, spares[3])
        if constant:
            for lane in range(size):
                rise, fall = m[lane] * u[lane], n[lane] * v[lane]
                noise = z[lane] * np.sqrt(rise * u[lane] + fall * v[lane])
                before = w[lane]
                w[lane] = clip(before + rise - fall + noise, high[lane], low[lane], before)
            continue
        s_u = of_tile(slope_up, first, size, spares[4])
        s_v = of_tile(slope_down, first, size, spares[5])
        for lane in range(size):
            most_up = min(u[lane], largest / max(s_u[lane], _FLAT))
            most_down = min(v[lane], largest / max(s_v[lane], _FLAT))
            a = m[lane] * most_up * phi(most_up * s_u[lane])
            b = n[lane] * most_down * phi(most_down * s_v[lane])
            kappa = a * s_u[lane] + b * s_v[lane]
            g = decay(kappa)
            before = w[lane]
            after = before + (a - b - before * kappa) * g
            middle = _HALF * (before + after) if multiplicative else _ZERO
            rise = u[lane] * (_ONE - s_u[lane] * middle)
            fall = v[lane] * (_ONE + s_v[lane] * middle)
            square = (
                (m[lane] * rise * rise + n[lane] * fall * fall) * g * (_ONE - _HALF * kappa * g)
            )
            w[lane] = clip(after + z[lane] * np.sqrt(square), high[lane], low[lane], before)
