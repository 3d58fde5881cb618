"""Pulse trains played slot by slot, compiled by numba to vector instructions; see `pulses.py`.

A line's word of a slot follows from the key and from the numbers of line and slot alone
(Philox, `devices/draws_kernel.py`), so that who plays which samples makes no difference. The line
is pulsed where word ≤ 2³² · probability, which makes that larger by 2⁻³² at most.

A slot's row lines are kept as bytes of 0 and 1, [x > 0 | x < 0 | x > 0]. Whether a column's line
sends its pulses up or down where x > 0, the same memory is added to the cell counts [up | down],
from the first or from the second third on. Byte counts are carried over before they can overflow.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

from devices.compiled import CONTRACT, compiled, lowest_bit, use_wide_vectors
from devices.draws_kernel import philox

_f, _i, _u, _byte = np.float32, np.int32, np.uint32, np.uint8
_MAGNITUDE = _i(0x7FFFFFFF)
_ZERO, _ONE = _f(0), _f(1)
_WORDS = _f(2.0**32)
_LARGEST_BELOW, _ALL = _f(2.0**32 - 2.0**8), _u(2**32 - 1)
_AT_ONCE = 2048
_FULL = 255
EIGHT = 8
"""Columns whose lines are looked at at once."""
_NONE, _BIT = np.uint64(0), np.uint64(1)
ROW, COLUMN, CELL = np.uint64(0), np.uint64(1), np.uint64(2)
"""What a word is for."""


@njit(**CONTRACT)
@no_type_check
def _largest(values):
    # the bits of positive numbers are ordered as the numbers are; NaN comes out on top
    bits = values.view(_i)
    largest = _i(0)
    for line in range(bits.size):
        magnitude = _i(bits[line] & _MAGNITUDE)
        if magnitude > largest:
            largest = magnitude
    return _i(largest).view(_f)


@compiled(
    "int64(float32[:,::1], float32[:,::1], float32, int64, float32[::1], int64[::1], int64[::1])"
)
@no_type_check
def measure(x, d, steps, longest, tops, slots, ends):
    """Find the trains' lengths.

    Args:
        x: (samples, n_in).
        d: (samples, n_out).
        steps: |rate| / Δw.
        longest: slots of the longest train.
        tops: (samples,), receives max |x|.
        slots: (samples,), receives the slots of every train.
        ends: (samples,), receives the slots of all trains up to the end of this one.

    Returns:
        how many samples ask for more than the longest train; -1 if any is not finite.
    """
    use_wide_vectors()
    too_short, end, finite = 0, 0, True
    for sample in range(x.shape[0]):
        tops[sample] = _largest(x[sample])
        asked = steps * tops[sample] * _largest(d[sample])
        finite = finite and np.isfinite(asked)
        too_short += asked > longest
        slots[sample] = np.int64(np.ceil(min(asked, _f(longest)))) if finite else 0
        end += slots[sample]
        ends[sample] = end
    return too_short if finite else -1


@njit(**CONTRACT)
@no_type_check
def _draw(words, first, size, slot, purpose, column, key):
    k0, k1 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
    first, slot, column = np.uint64(first // 4), np.uint64(slot), np.uint64(column)
    lanes = (size + 3) // 4
    w0, w1 = words[:lanes], words[lanes : 2 * lanes]
    w2, w3 = words[2 * lanes : 3 * lanes], words[3 * lanes : 4 * lanes]
    for lane in range(lanes):
        w0[lane], w1[lane], w2[lane], w3[lane] = philox(
            first + np.uint64(lane), slot, purpose, column, k0, k1
        )


@njit(**CONTRACT)
@no_type_check
def _prepare(values, whole, highest, up, down):
    for line in range(values.size):
        probability = values[line] / whole
        below = _u(min(abs(probability) * _WORDS, _LARGEST_BELOW))
        highest[line] = _ALL if abs(probability) >= _ONE else below
        up[line] = probability > _ZERO
        down[line] = probability < _ZERO


@njit(**CONTRACT)
@no_type_check
def _mask(out, words, highest, code):
    for line in range(out.size):
        # all bits or none, not a choice: of a choice no vector instructions would be made
        out[line] = code[line] & (_byte(0) - _byte(words[line] <= highest[line]))


@njit(**CONTRACT)
@no_type_check
def _mask_both(ups, downs, words, highest, up, down):
    for line in range(ups.size):
        pulsed = _byte(0) - _byte(words[line] <= highest[line])
        ups[line] = up[line] & pulsed
        downs[line] = down[line] & pulsed


@compiled(
    "void(float32[:,::1], float32[:,::1], float32[::1], int64[::1], int64[::1], int64, int64,"
    " int64, float32, uint64, uint8[:,::1], uint8[:,::1])"
)
@no_type_check
def play(x, d, tops, slots, ends, begin, end, done, steps, key, rows, columns):
    """Draw which lines are pulsed in every slot of some samples.

    Args:
        x: (samples, n_in).
        d: (samples, n_out).
        tops: (samples,), as `measure` gives them.
        slots: likewise.
        ends: likewise.
        begin: the first of the samples.
        end: the first that is not one of them.
        done: slots of the request before those of `rows` and `columns`.
        steps: rate / Δw.
        key: 64 bits.
        rows: (slots, 3 n_in), receives the row lines.
        columns: (slots, at least n_out), receives the column lines: 0 not pulsed, 1 up in rows of
            x > 0, 2 down there.
    """
    use_wide_vectors()
    n_in, n_out = x.shape[1], d.shape[1]
    words = np.empty(_AT_ONCE, _u)
    of_rows, of_columns = np.empty(n_in, _u), np.empty(n_out, _u)
    signs = np.empty((2, n_in), _byte)
    codes = np.empty((2, n_out), _byte)
    for sample in range(begin, end):
        if slots[sample] == 0:
            continue
        _prepare(x[sample], tops[sample], of_rows, signs[0], signs[1])
        whole = -_f(slots[sample]) / (steps * tops[sample])
        _prepare(d[sample], whole, of_columns, codes[0], codes[1])
        for line in range(n_out):
            codes[0, line] += _byte(2) * codes[1, line]
        for slot in range(ends[sample] - slots[sample], ends[sample]):
            lines, pulsed = rows[slot - done], columns[slot - done]
            for first in range(0, n_in, _AT_ONCE):
                size = min(_AT_ONCE, n_in - first)
                _draw(words, first, size, slot, ROW, 0, key)
                part = lines[n_in + first : n_in + first + size]
                _mask_both(
                    lines[first : first + size],
                    part,
                    words,
                    of_rows[first:],
                    signs[0, first:],
                    signs[1, first:],
                )
            for line in range(n_in):
                lines[2 * n_in + line] = lines[line]
            for first in range(0, n_out, _AT_ONCE):
                size = min(_AT_ONCE, n_out - first)
                _draw(words, first, size, slot, COLUMN, 0, key)
                _mask(pulsed[first : first + size], words, of_columns[first:], codes[0, first:])


@compiled("void(float32[:,::1], float32[::1], int64, uint64, float32[:,::1])")
@no_type_check
def play_rows(probability, slots, first_column, key, signed):
    """Play the trains of a change that is written row by row.

    Args:
        probability: of a pulse in a slot, with the change's sign, (columns, n_in).
        slots: (n_in,), whole numbers, of every row's train.
        first_column: the number of the first column.
        key: 64 bits.
        signed: (columns, n_in), receives the pulses, up positive.
    """
    use_wide_vectors()
    n_in = probability.shape[1]
    words, highest = np.empty(_AT_ONCE, _u), np.empty(n_in, _u)
    signs = np.empty((2, n_in), _byte)
    longest = _f(0)
    for line in range(n_in):
        longest = max(longest, slots[line])
    for column in range(probability.shape[0]):
        counts = signed[column]
        counts[:] = _ZERO
        _prepare(probability[column], _ONE, highest, signs[0], signs[1])
        for slot in range(np.int64(longest)):
            for first in range(0, n_in, _AT_ONCE):
                size = min(_AT_ONCE, n_in - first)
                _draw(words, first, size, slot, CELL, first_column + column, key)
                for lane in range(size):
                    line = first + lane
                    hit = (words[lane] <= highest[line]) & (_f(slot) < slots[line])
                    sign = _f(signs[0, line]) - _f(signs[1, line])
                    counts[line] += sign if hit else _ZERO


@njit(**CONTRACT)
@no_type_check
def _carry(counts, up, down, add):
    n_in = up.size
    if add:
        for line in range(n_in):
            up[line] += _f(counts[line])
            down[line] += _f(counts[n_in + line])
    else:
        for line in range(n_in):
            up[line] = _f(counts[line])
            down[line] = _f(counts[n_in + line])


@compiled(
    "void(uint8[:,::1], uint64[:,::1], int64, int64, boolean, float32[:,::1], float32[:,::1])"
)
@no_type_check
def count(rows, columns, begin, end, add, up, down):
    """Add up the coincidences of some columns.

    Args:
        rows: (slots, 3 n_in), as `play` gives them.
        columns: (slots, eights of columns), as `play` gives them.
        begin: the first of the eights.
        end: the first that is not one of them.
        add: what is counted to what `up` and `down` hold, which it else takes the place of.
        up: (n_out, n_in).
        down: likewise.
    """
    use_wide_vectors()
    n_out, n_in = up.shape
    first = begin * EIGHT
    here = min(n_out, end * EIGHT) - first
    counts, held = np.zeros((here, 2 * n_in), _byte), np.zeros(here, np.int64)
    carried = np.empty(here, np.bool_)
    carried[:] = add
    for slot in range(rows.shape[0]):
        lines = rows[slot]
        for eight in range(begin, end):
            left = columns[slot, eight]
            while left != _NONE:
                bit = lowest_bit(left)
                left &= left - _BIT
                column = eight * EIGHT - first + bit // EIGHT
                start = n_in * (bit % EIGHT)
                added, mine = lines[start : start + 2 * n_in], counts[column]
                for lane in range(2 * n_in):
                    mine[lane] += added[lane]
                held[column] += 1
                if held[column] == _FULL:
                    _carry(mine, up[first + column], down[first + column], carried[column])
                    mine[:] = _byte(0)
                    held[column], carried[column] = 0, True
    for column in range(here):
        if held[column] or not carried[column]:
            _carry(counts[column], up[first + column], down[first + column], carried[column])
