"""Pulses along a table of measured steps, compiled by numba: `steps.py`'s formula, tile by tile."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

from devices.compiled import CONTRACT, compiled, use_wide_vectors
from devices.crossbars.native.cells_kernel import cells, clip, decay, draw_tile, of_tile, phi
from devices.crossbars.native.steps import (
    LEAST_DECREASE,
    LEAST_KAPPA,
    MOST_DECREASE,
    MOST_SHARES,
    PIECES,
)
from devices.draws_kernel import COUNTERS, TILE

_f, _i = np.float32, np.int32
_ZERO, _HALF, _ONE, _TWO = _f(0), _f(0.5), _f(1), _f(2)
_LEAST, _MOST = _f(LEAST_DECREASE), _f(MOST_DECREASE)
_LEAST_KAPPA = _f(LEAST_KAPPA)
_HALF_PIECES, _LAST, _NEXT = _f(PIECES / 2), _i(PIECES - 1), _i(1)
_SHARES = _f(MOST_SHARES)


@njit(error_model="numpy", **CONTRACT)
@no_type_check
def _within(value, low, high):
    return min(max(value, low), high)


# Loops of few arrays each: with many the compiler gives up proving that they do not overlap.


@njit(error_model="numpy", **CONTRACT)
@no_type_check
def _find(w, high, low, piece, along, per_weight):
    for lane in range(w.size):
        bound = high[lane] if w[lane] > _ZERO else -low[lane]
        per_weight[lane] = _HALF_PIECES / bound
    for lane in range(w.size):
        place = _within(w[lane] * per_weight[lane], -_HALF_PIECES, _HALF_PIECES) + _HALF_PIECES
        place = place if place >= _ZERO else _ZERO  # of NaN, too
        piece[lane] = min(_i(place), _LAST)
        along[lane] = place - _f(piece[lane])


@njit(error_model="numpy", **CONTRACT)
@no_type_check
def _tangent(values, piece, along, step, at, slope):
    # gathering by itself, since it is not made of vectors
    for lane in range(step.size):
        at[lane] = values[piece[lane]]
        slope[lane] = values[piece[lane] + _NEXT]
    for lane in range(step.size):
        slope[lane] = (slope[lane] - at[lane]) * step[lane]
    for lane in range(step.size):
        at[lane] = at[lane] * step[lane] + along[lane] * slope[lane]


@njit(error_model="numpy", **CONTRACT)
@no_type_check
def _drive(count, at, slope, sign, per_weight, push, kappa):
    for lane in range(count.size):
        kappa[lane] = _within(sign * slope[lane] * per_weight[lane], _LEAST, _MOST)
    for lane in range(count.size):
        push[lane] = count[lane] * phi(kappa[lane])
    for lane in range(count.size):
        kappa[lane] *= push[lane]
    for lane in range(count.size):
        push[lane] *= at[lane]


@njit(error_model="numpy", **CONTRACT)
@no_type_check
def _add_square(count, at, slope, half, square):
    for lane in range(count.size):
        step = at[lane] + half[lane] * slope[lane]
        square[lane] += count[lane] * step * step


@njit(error_model="numpy", **CONTRACT)
@no_type_check
def _share(all_, shares, number, count):
    for lane in range(count.size):
        count[lane] = all_[lane] * (_ONE / shares[lane] if number < shares[lane] else _ZERO)


@njit(error_model="numpy", **CONTRACT)
@no_type_check
def _go(w, high, low, move):
    for lane in range(w.size):
        w[lane] = clip(w[lane] + move[lane], high[lane], low[lane], w[lane])


_MATRICES = ", ".join(["float32[:,::1]"] * 8)


@compiled(f"void({_MATRICES}, int64, int64, uint64)")
@no_type_check
def follow(weights, up, down, w_max, w_min, step_up, step_down, table, begin, end, key):
    """Apply numbers of up and of down pulses to some tiles of weights, in place.

    Args:
        weights: (n_out, n_in).
        up: (n_out, n_in).
        down: (n_out, n_in).
        w_max: of every device, (n_out, n_in), or (1, 1) for all; and so are the next three.
        w_min: likewise.
        step_up: u.
        step_down: v.
        table: mean up, mean down, spread up, spread down, (4, PIECES + 1).
        begin: the first of the tiles.
        end: the first that is not one of them.
        key: 64 bits.
    """
    use_wide_vectors()
    words = np.empty((4, COUNTERS), np.uint32)
    z = np.zeros(TILE, _f)
    scratch, piece_of = np.empty((18, TILE), _f), np.empty(TILE, _i)
    top_up, top_down, noisy = _ZERO, _ZERO, False
    for knot in range(table.shape[1]):
        top_up, top_down = max(top_up, table[0, knot]), max(top_down, table[1, knot])
        noisy = noisy or table[2, knot] > 0 or table[3, knot] > 0
    for tile in range(begin, end):
        first = tile * TILE
        size = min(TILE, weights.size - first)
        w = cells(weights, first, size)
        m_all, n_all = cells(up, first, size), cells(down, first, size)
        high = of_tile(w_max, first, size, scratch[0])
        low = of_tile(w_min, first, size, scratch[1])
        u = of_tile(step_up, first, size, scratch[2])
        v = of_tile(step_down, first, size, scratch[3])
        shares, variance = scratch[4, :size], scratch[5, :size]
        along, per_weight = scratch[6, :size], scratch[7, :size]
        m, n = scratch[8, :size], scratch[9, :size]
        a, a_slope = scratch[10, :size], scratch[11, :size]
        b, b_slope = scratch[12, :size], scratch[13, :size]
        move, kappa = scratch[14, :size], scratch[15, :size]
        fall, g = scratch[16, :size], scratch[17, :size]
        piece = piece_of[:size]
        for lane in range(size):
            way = u[lane] * top_up * m_all[lane] + v[lane] * top_down * n_all[lane]
            least = min(high[lane], -low[lane])
            asked = np.ceil(min(way * _HALF_PIECES / least, _SHARES))
            shares[lane] = asked if asked > _ONE else _ONE
        most = _ONE
        for lane in range(size):
            most = max(most, shares[lane])
        variance[:] = _ZERO
        for number in range(np.int64(most)):
            _find(w, high, low, piece, along, per_weight)
            _share(m_all, shares, _f(number), m)
            _share(n_all, shares, _f(number), n)
            _tangent(table[0], piece, along, u, a, a_slope)
            _tangent(table[1], piece, along, v, b, b_slope)
            _drive(m, a, a_slope, -_ONE, per_weight, move, kappa)
            _drive(n, b, b_slope, _ONE, per_weight, fall, g)
            for lane in range(size):
                kappa[lane] = max(kappa[lane] + g[lane], _LEAST_KAPPA)
            for lane in range(size):
                g[lane] = decay(kappa[lane])
            for lane in range(size):
                move[lane] = (move[lane] - fall[lane]) * g[lane]
            if noisy:
                for lane in range(size):
                    per_weight[lane] *= _HALF * move[lane]  # half of the way, in pieces
                _tangent(table[2], piece, along, u, a, a_slope)
                _tangent(table[3], piece, along, v, b, b_slope)
                fall[:] = _ZERO
                _add_square(m, a, a_slope, per_weight, fall)
                _add_square(n, b, b_slope, per_weight, fall)
                for lane in range(size):
                    g[lane] *= _ONE - _HALF * kappa[lane] * g[lane]
                for lane in range(size):
                    kept = _ONE - _TWO * kappa[lane] * g[lane]
                    variance[lane] = variance[lane] * kept + fall[lane] * g[lane]
            _go(w, high, low, move)
        if noisy:
            draw_tile(z, words, tile, key, _ONE)
            for lane in range(size):
                variance[lane] = z[lane] * np.sqrt(max(variance[lane], _ZERO))
            _go(w, high, low, variance)
