"""Philox4x32-10 and the Box–Muller transform, compiled by numba to vector instructions.

Four 32-bit words follow from a counter of 128 bits and a key of 64 bits alone (Salmon, Moraes, Dror
and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11; passes BigCrush). In every round

    c ← (hi(M₁ c₂) ⊕ c₁ ⊕ k₀,  lo(M₁ c₂),  hi(M₀ c₀) ⊕ c₃ ⊕ k₁,  lo(M₀ c₀)),    k ← k + weyl

Two words a, b give two independent normal numbers (Box and Muller, 1958):

    u = (a + 1/2) / 2³²,   r = √(-2 ln u),   z₀ = ±r cos φ,   z₁ = ±r sin φ

with both signs and φ ∈ [0, π/2) from b. With ψ = φ - π/4, cos φ = (cos ψ - sin ψ) / √2 and
sin φ = (cos ψ + sin ψ) / √2, so that no quadrant needs a case of its own. |z| reaches 6.8. ln is
the exponent of u and a polynomial in its mantissa, sin ψ and cos ψ are polynomials, all fitted at
Chebyshev nodes to an error below 10⁻⁷: calls of the mathematical library would not vectorise.

Numbers are made a tile at a time; the words of one counter lie a quarter of a tile apart.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

from devices.compiled import CONTRACT, compiled, use_wide_vectors

# 64-bit lanes whose upper halves are masked: the product of two 32-bit words is one instruction.
# Every constant has its type, since numba would go on in 64 bits with a plain number.
_WORD = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL0, _WEYL1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_ROUNDS = 10

COUNTERS = 512
TILE = 4 * COUNTERS
"""Numbers that are made at once; a part of a tensor that begins with a tile has the same numbers
as it has in the whole."""

_f, _i, _u = np.float32, np.int32, np.uint32
_SCALE = _f(2.0**-32)
_TWO_THIRDS = _i(0x3F2AAAAB)
_MANTISSA = _i(23)
_LN2 = _f(0.6931471805599453)
# (m - ln(1 + m)) / m² for |m| ≤ 1/3
_LN = (
    *(_f(0.499999856), _f(-0.333333202), _f(0.250041462), _f(-0.200037803)),
    *(_f(0.164830175), _f(-0.141183099), _f(0.150407637), _f(-0.13425749)),
)
# (sin ψ / ψ - 1) / ψ² and (cos ψ - 1) / ψ², in ψ², for |ψ| ≤ π/4
_SIN = (_f(-0.166666647), _f(0.00833274827), _f(-0.000195878909))
_COS = (_f(-0.5), _f(0.0416666506), _f(-0.00138875892), _f(2.44637882e-05))
_PSI = _f(np.pi / 4 / 2**29)
_ZERO, _ONE, _HALF_STEP = _f(0), _f(1), _f(0.5)
_SIGN, _BIT, _TWO_BITS = _u(0x80000000), _u(1), _u(2)
_TOP_24, _STEP_24 = _u(8), _f(2.0**-24)

_FILL = (
    "void(float32[::1], float32[::1], float32, uint64, uint64, uint64, boolean,"
    " float32[::1], int64, float32)"
)


@njit(inline="always")
@no_type_check
def philox(c0, c1, c2, c3, k0, k1):
    """Give the four words of a counter, all in 64-bit lanes."""
    for _ in range(_ROUNDS):
        p0 = _M0 * (c0 & _WORD)
        p1 = _M1 * (c2 & _WORD)
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1, (p0 >> _HALF) ^ c3 ^ k1, p0
        k0 += _WEYL0
        k1 += _WEYL1
    return _u(c0), _u(c1), _u(c2), _u(c3)


@njit(**CONTRACT)
@no_type_check
def fill_words(words, start, key, stream):
    """Make the words of a tile, (4, a quarter of a tile), from the counter `start` on."""
    c2, c3 = stream & _WORD, stream >> _HALF
    k0, k1 = key & _WORD, key >> _HALF
    for lane in range(COUNTERS):
        counter = start + np.uint64(lane)
        w0, w1, w2, w3 = philox(counter & _WORD, counter >> _HALF, c2, c3, k0, k1)
        words[0, lane], words[1, lane], words[2, lane], words[3, lane] = w0, w1, w2, w3


@njit(**CONTRACT)
@no_type_check
def ln_rest(m):
    """Give (m - ln(1 + m)) / m², |m| ≤ 1/3."""
    p = _LN[7]
    for power in range(6, -1, -1):
        p = p * m + _LN[power]
    return p


@njit(**CONTRACT)
@no_type_check
def ln(u):
    """Give ln u of a normal positive number."""
    bits = _f(u).view(_i)
    exponent = _i(_i(bits - _TWO_THIRDS) >> _MANTISSA)
    m = _i(bits - _i(exponent << _MANTISSA)).view(_f) - _ONE
    return _f(exponent) * _LN2 + (m - m * m * ln_rest(m))


@njit(**CONTRACT)
@no_type_check
def _signed(value, bit):
    return _u(_f(value).view(_u) ^ _u(bit & _SIGN)).view(_f)


@njit(**CONTRACT)
@no_type_check
def _box_muller(a, b):
    r = np.sqrt(-ln((_f(a) + _HALF_STEP) * _SCALE))
    psi = _f(_i(_u(b << _TWO_BITS)) >> _i(2)) * _PSI
    t = psi * psi
    sin = psi + psi * t * (_SIN[0] + t * (_SIN[1] + t * _SIN[2]))
    cos = _ONE + t * (_COS[0] + t * (_COS[1] + t * (_COS[2] + t * _COS[3])))
    return _signed(r * (cos - sin), b), _signed(r * (cos + sin), _u(b << _BIT))


@njit(**CONTRACT)
@no_type_check
def add_normal(tile, words, scale):
    """Make the words normal numbers, and add them times a scale to a tile."""
    for half in range(2):
        a, b = words[2 * half], words[2 * half + 1]
        z = tile[half * TILE // 2 : (half + 1) * TILE // 2]
        for lane in range(COUNTERS):
            z0, z1 = _box_muller(a[lane], b[lane])
            z[lane] += scale * z0
            z[lane + COUNTERS] += scale * z1


@njit(error_model="numpy", **CONTRACT)
@no_type_check
def _convert(values, place, full_scale, lines, levels):
    done = 0
    while done < values.size:
        read = (np.int64(place) + done) // lines
        end = min(values.size, (read + 1) * lines - np.int64(place))
        step = full_scale[read] / levels
        part = values[done:end]
        for lane in range(part.size):
            part[lane] = min(max(np.rint(part[lane] / step), -levels), levels) * step
        done = end


@compiled(_FILL)
@no_type_check
def fill(out, signal, scale, start, key, stream, normal, full_scale, lines, levels):
    """Fill a vector with a signal plus normal numbers, or uniform ones in [0, 1), times a scale.

    Args:
        out: float32.
        signal: as long as `out`, or `out` itself, or empty: nothing is added to the numbers.
        scale: standard deviation of the normal, width of the uniform.
        start: number of the first tile.
        key: 64 bits.
        stream: the upper 64 bits of the counter.
        normal: or uniform, multiples of 2⁻²⁴.
        full_scale: of the converter that the sums then pass, for every read; empty where there is
            none.
        lines: a read's numbers.
        levels: of the converter, to either side of zero.
    """
    use_wide_vectors()
    words = np.empty((4, COUNTERS), _u)
    flat = words.reshape(TILE)
    spare = np.empty(TILE, _f)
    for first in range(0, out.size, TILE):
        tile = out[first : first + TILE]
        whole = tile if tile.size == TILE else spare
        if signal.size:
            base = signal[first : first + TILE]
            # a loop over overlapping memory would not be made of vector instructions
            if base.ctypes.data != whole.ctypes.data:
                for lane in range(tile.size):
                    whole[lane] = base[lane]
        else:
            for lane in range(TILE):
                whole[lane] = _ZERO
        fill_words(words, start * np.uint64(COUNTERS) + np.uint64(first // 4), key, stream)
        if normal:
            add_normal(whole, words, scale)
        else:
            for lane in range(TILE):
                whole[lane] += _f(flat[lane] >> _TOP_24) * _STEP_24 * scale
        if full_scale.size:
            _convert(whole[: tile.size], start * TILE + first, full_scale, lines, levels)
        if tile.size < TILE:
            for lane in range(tile.size):
                tile[lane] = spare[lane]
