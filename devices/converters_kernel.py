"""A converter whose range follows every read, compiled by numba: range and levels in one go.

    top = max |value| of the read
    Δ = top / (2^(bits - 1) - 1)
    converted = round(value / Δ) · Δ

torch would pass over the memory six times; here a read stays in a core's cache. The operations and
their rounding are torch's, so that the results are equal to the last bit.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from devices.compiled import compiled, use_wide_vectors

_f, _i = np.float32, np.int32
_MAGNITUDE = _i(0x7FFFFFFF)


@compiled("void(float32[:,::1], float32[::1], float32[:,::1], float32, float32, float32)")
@no_type_check
def convert_following(out, tops, signal, levels, smallest, times):
    """Convert reads, each between plus and minus its largest |value|.

    Args:
        out: (reads, lines), may be `signal` itself.
        tops: (reads,), receives the range of every read, times a number.
        signal: (reads, lines).
        levels: of a converter, to either side of zero.
        smallest: range of a read of nothing but zeros.
        times: the number.
    """
    use_wide_vectors()
    # a loop over overlapping memory would not be made of vector instructions
    row = np.empty(signal.shape[1], _f)
    for read in range(signal.shape[0]):
        values, converted = signal[read], out[read]
        # the bits of positive numbers are ordered as the numbers are, and compare without a case
        # for NaN, which comes out on top and stays
        bits = values.view(_i)
        largest = _i(0)
        for line in range(bits.size):
            magnitude = _i(bits[line] & _MAGNITUDE)
            if magnitude > largest:
                largest = magnitude
        top = _i(largest).view(_f)
        if top < smallest:
            top = smallest
        tops[read] = top * times
        step = _f(top / levels)
        for line in range(row.size):
            row[line] = np.rint(values[line] / step) * step
        for line in range(row.size):
            converted[line] = row[line]
