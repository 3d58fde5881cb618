"""What differs from device to device, as it was drawn for an array."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
