"""What the loops over cells have in common: tiles of matrices, draws, and two functions of decay.

    φ(z) = -ln(1 - z) / z,    g(κ) = (1 - e^(-κ)) / κ,    g(2κ) = g(κ) (1 - κ g(κ) / 2)

φ is 1 + z P(-z), P the polynomial of the logarithm (`devices/draws_kernel.py`), for z ≤ 1/3, and
-ln(1 - z) / z beyond; g is its series at κ / 2⁷, doubled seven times.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

from devices.compiled import CONTRACT
from devices.draws_kernel import COUNTERS, add_normal, fill_words, ln, ln_rest

_f = np.float32
_ZERO, _ONE, _TWO, _HALF = _f(0), _f(1), _f(2), _f(0.5)
_THIRD = _f(1 / 3)
_DOUBLINGS = 7
_FIRST = _f(2.0**-_DOUBLINGS)
_SIXTH, _TWENTY_FOURTH = _f(1 / 6), _f(1 / 24)
_FAR = _f(64)


@njit(**CONTRACT)
@no_type_check
def phi(z):
    """Give -ln(1 - z) / z, z ≥ -1/3."""
    near = _ONE + z * ln_rest(-min(z, _THIRD))
    far = -ln(_ONE - z) / max(z, _THIRD)
    return near if z < _THIRD else far


@njit(**CONTRACT)
@no_type_check
def decay(kappa):
    """Give (1 - e^-κ) / κ."""
    k = min(kappa, _FAR) * _FIRST
    g = _ONE - k * (_HALF - k * (_SIXTH - k * _TWENTY_FOURTH))
    for _ in range(_DOUBLINGS):
        g *= _ONE - _HALF * k * g
        k *= _TWO
    return g if kappa < _FAR else _ONE / max(kappa, _FAR)


@njit(**CONTRACT)
@no_type_check
def clip(w, high, low, before):
    """Keep a weight within its bounds, or as far beyond as it was before."""
    high, low = max(high, before), min(low, before)
    # NaN stays, which min and max may pass over
    w = high if w > high else w
    return low if w < low else w


@njit(**CONTRACT)
@no_type_check
def cells(values, first, size):
    """Give a tile of a matrix as a vector."""
    return values.reshape(values.size)[first : first + size]


@njit(**CONTRACT)
@no_type_check
def of_tile(values, first, size, spare):
    """Give a tile of what may be one number for all, in `spare` then."""
    if values.size > 1:
        return cells(values, first, size)
    spare[:] = values[0, 0]
    return spare[:size]


@njit(**CONTRACT)
@no_type_check
def draw_tile(z, words, tile, key, spread):
    """Fill `z` with a tile's normal numbers times a spread; `words` is room for them."""
    z[:] = _ZERO
    fill_words(words, np.uint64(tile * COUNTERS), key, np.uint64(0))
    add_normal(z, words, spread)
