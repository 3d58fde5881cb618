"""What our loops are compiled with beyond numba's own."""

import numpy as np
from numba import njit

from devices.compiled import lowest_bit


@njit
def _lowest(word):
    return lowest_bit(word)


def test_the_lowest_bit_is_found_whatever_stands_above_it():
    for place in range(64):
        for above in (0, 1 << 63, 2**64 - 2 ** (place + 1)):
            assert _lowest(np.uint64(1 << place | above >> place << place)) == place
