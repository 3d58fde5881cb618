"""How many samples a part of a mini-batch is."""

from __future__ import annotations

import math

_ROUNDING = 1e-9


def samples_in(fraction: float, batch: int) -> int:
    """Give the fewest samples, at least 1, that make up a part of a mini-batch.

    `fraction * batch` is up to rounding: 0.07 of 100 samples, 7.000000000000001, are seven.

    Args:
        fraction: above 0, at most 1.
        batch: samples of the mini-batch.
    """
    return max(1, math.ceil(fraction * batch - _ROUNDING))
