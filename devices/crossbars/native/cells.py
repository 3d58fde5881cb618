"""What differs from device to device, as it was drawn for an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from devices.deferred import torch
from devices.threads import for_each, share

if TYPE_CHECKING:
    from torch import Tensor


class Devices(NamedTuple):
    """Every device's own figures, each (n_out, n_in) or a single one for all."""

    w_max: Tensor
    w_min: Tensor
    up: Tensor
    down: Tensor
    slope_up: Tensor
    slope_down: Tensor


def clipped(weights: Tensor, devices: Devices, before: Tensor) -> Tensor:
    """Keep weights within their devices' bounds, or as far beyond as they were before."""
    high, low = torch.maximum(devices.w_max, before), torch.minimum(devices.w_min, before)
    return torch.maximum(torch.minimum(weights, high), low)


def for_each_tile(weights: Tensor, work: Callable[[int, int], None]) -> None:
    """Work on all tiles of a matrix on a processor, from one number to before another at once."""
    # numba takes long to import
    from devices.draws_kernel import TILE

    tiles = -(-weights.numel() // TILE)
    at_once = share(tiles, TILE)
    for_each(lambda first: work(first, min(first + at_once, tiles)), range(0, tiles, at_once))
