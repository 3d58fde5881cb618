"""Random draws that are fast on a processor, and the same whatever the number of threads.

On a processor a call takes 64 bits from the stream that is handed in, as a key, and every number
follows from the key and its own place (`draws_kernel.py`): who makes which numbers makes no
difference. Elsewhere, and for other numbers than float32, torch's own generator draws.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from devices.deferred import torch
from devices.threads import WORTHWHILE, for_each, has_kernel, share

if TYPE_CHECKING:
    from torch import Tensor

_CALL = 1
"""Upper half of the counter: a key makes one call's numbers alone."""


class Rounding(NamedTuple):
    """Rounding to the levels of a converter.

    Attributes:
        full_scale: the last level of all reads, or of each.
        levels: to either side of zero.
    """

    full_scale: Float[Tensor, " reads"]
    levels: int


def normal_(out: Float[Tensor, "*shape"], std: float, generator: torch.Generator) -> Tensor:
    """Fill a tensor with N(0, std²), in place."""
    if not has_kernel(out):
        return out.normal_(0.0, std, generator=generator)
    return _fill(out, None, std, generator, normal=True)


def uniform_(out: Float[Tensor, "*shape"], generator: torch.Generator) -> Tensor:
    """Fill a tensor with U[0, 1), in place."""
    if not has_kernel(out):
        return out.uniform_(generator=generator)
    return _fill(out, None, 1.0, generator, normal=False)


def plus_normal(
    signal: Float[Tensor, "*shape"],
    std: float,
    generator: torch.Generator,
    *,
    overwrite: bool = False,
    rounding: Rounding | None = None,
) -> Float[Tensor, "*shape"]:
    """Give a signal plus N(0, std²), as a new tensor or with `overwrite` in the signal's place.

    With `rounding` the sums are rounded while they are in a core's cache; only where `has_kernel`.
    """
    if not has_kernel(signal):
        noise = normal_(torch.empty_like(signal), std, generator)
        return signal.add_(noise) if overwrite else noise.add_(signal)
    signal = signal.contiguous()
    out = signal if overwrite else torch.empty_like(signal)
    return _fill(out, signal, std, generator, normal=True, rounding=rounding)


def add_normal_rounded(
    values: NDArray[np.float32],
    std: float,
    key: np.uint64,
    full_scale: NDArray[np.float32],
    levels: int,
) -> None:
    """Do what `plus_normal` does with `overwrite` and `rounding`, on this thread alone.

    Args:
        values: (reads, lines); they are changed.
        std: standard deviation.
        key: 64 bits of a stream, drawn for this.
        full_scale: (reads,), the last level of each.
        levels: to either side of zero.
    """
    fill, _ = _kernel()
    flat = values.reshape(-1)
    lines = values.shape[1]
    fill(flat, flat, std, 0, key, _CALL, True, full_scale, lines, levels)


def _fill(
    out: Tensor,
    signal: Tensor | None,
    scale: float,
    generator: torch.Generator,
    *,
    normal: bool,
    rounding: Rounding | None = None,
) -> Tensor:
    fill, tile = _kernel()
    key = draw_key(generator)
    made = out if out.is_contiguous() else torch.empty(out.shape)
    values = made.numpy().reshape(-1)
    added = values[:0] if signal is None else signal.detach().numpy().reshape(-1)
    full_scale, lines, levels = values[:0], 0, 0
    if rounding is not None:
        full_scale, levels = rounding.full_scale.numpy(), rounding.levels
        lines = len(values) // len(full_scale)

    if len(values) <= WORTHWHILE:
        fill(values, added, scale, 0, key, _CALL, normal, full_scale, lines, levels)
        return out if made is out else out.copy_(made)

    tiles = -(-len(values) // tile)
    at_once = share(tiles, tile)

    def fill_tiles(first: int) -> None:
        part = slice(first * tile, (first + at_once) * tile)
        fill(
            *(values[part], added[part], scale, first, key, _CALL, normal),
            *(full_scale, lines, levels),
        )

    for_each(fill_tiles, range(0, tiles, at_once))
    return out if made is out else out.copy_(made)


@cache
def _kernel() -> tuple[Callable[..., None], int]:
    # numba takes long to import, and much is done here without a draw
    from devices.draws_kernel import TILE, fill

    return fill, TILE


def draw_key(generator: torch.Generator) -> int:
    """Draw 64 bits from a stream of a processor's."""
    (key,) = draw_keys_(torch.empty(1, dtype=torch.int64), generator).tolist()
    return int(key) % 2**64


def draw_keys_(keys: Int[Tensor, " keys"], generator: torch.Generator) -> Tensor:
    """Draw 64 bits for each of some keys, in place."""
    return keys.random_(-(2**63), 2**63 - 1, generator=generator)
