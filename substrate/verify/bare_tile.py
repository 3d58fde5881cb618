"""An aihwkit tile driven as aihwkit's own optimiser drives it: what its pulses make of a request.

aihwkit's devices answer pulses by curves of their own: cells of several devices that take turns
write a part of a request, the phase-change pair six times as much, and compounds write what they
transfer at learning rates of their own. So what a tile makes of a request is compared with this
one, not with the request.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from aihwkit.simulator.configs import MixedPrecisionCompound, TransferCompound
from torch import Tensor

from devices.interface import Dense, Outer

_TRAINS = 8
"""Of which a line of ΔW is written, so that none is too short for it."""


def is_compound(config: Any) -> bool:
    """Whether changes are gathered elsewhere, and transferred to the weights now and then."""
    device = getattr(config, "device", None)
    return isinstance(device, TransferCompound | MixedPrecisionCompound)


def has_write_noise(config: Any) -> bool:
    """Whether a cell shows another weight than it holds."""
    device = getattr(config, "device", None)
    parts = [device, *getattr(device, "unit_cell_devices", [])]
    return any(getattr(part, "write_noise_std", 0) > 0 for part in parts)


class BareTile:
    """See `devices.crossbars.base.Crossbar`; without a state."""

    noise_free = False

    def __init__(self, n_out: int, n_in: int, config: Any, seed: int) -> None:
        """Build a tile of a configuration; the pattern of its devices follows from the seed."""
        config = copy.deepcopy(config)
        if hasattr(config.device, "construction_seed"):
            config.device.construction_seed = 1 + seed
        self._trains = 1 if is_compound(config) else _TRAINS
        self._tile = config.tile_class(n_out, n_in, config, bias=False).eval()

    @torch.no_grad()
    def program(self, weights: Tensor) -> None:
        """Set the weights."""
        self._tile.set_weights(weights)

    @torch.no_grad()
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        """Read forwards; (samples, n_in) alone."""
        a: Tensor = self._tile.joint_forward(x.repeat(repeats, 1), is_test=True)
        return a

    @torch.no_grad()
    def read_transposed(self, y: Tensor) -> Tensor:
        """Read backwards."""
        x: Tensor = self._tile.backward(y)
        return x

    @torch.no_grad()
    def update(self, request: Outer | Dense) -> None:
        """Pulse; ΔW line by line of the inputs, at a rate of 1."""
        if isinstance(request, Outer):
            self._tile.set_learning_rate(request.rate)
            self._tile.update(request.x, request.d)
        else:
            self._tile.set_learning_rate(1.0)
            lines = torch.eye(request.delta.shape[1])
            for _ in range(self._trains):
                self._tile.update(lines, -request.delta.T.contiguous() / self._trains)
        self._tile.post_update_step()

    def state(self) -> dict[str, Tensor]:
        """Nothing: it is compared with, and never resumed."""
        return {}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Nothing."""
