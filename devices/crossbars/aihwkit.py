"""Crossbars simulated by IBM's aihwkit (Rasch et al., AICAS 2021).

A tile computes W x through its converters and noise sources, and carries out an outer product in
place by coincident pulses, in steps of the device's own size, asymmetry and spread:

    pulses in place:  tile.update(x, d) for every sample of the batch, one after another
    row by row:       ΔW is an outer product of every input line with its column of ΔW

A preset is a device that aihwkit's authors calibrated to a measurement; its docstring says which.
The noise of the C++ tiles is seeded from the clock and cannot be repeated.
"""

from __future__ import annotations

from typing import Any

import torch
from aihwkit.simulator import presets as aihwkit_presets
from jaxtyping import Float
from torch import Tensor

from devices.interface import Dense, Outer

PRESETS: dict[str, type[Any]] = {
    name: getattr(aihwkit_presets, name)
    for name in sorted(dir(aihwkit_presets))
    if name.endswith("Preset")
}
"""All presets of the installed aihwkit, by class name."""


def preset_config(preset: str) -> Any:
    """Make a tile configuration from a preset, with the matrix on a single array.

    Raises:
        KeyError: aihwkit has no preset of that name.
    """
    config = PRESETS[preset]()
    config.mapping.max_input_size = 0
    config.mapping.max_output_size = 0
    return config


class AihwkitCrossbar:
    """One aihwkit tile."""

    noise_free = False

    def __init__(self, n_out: int, n_in: int, config: Any, device: torch.device) -> None:
        """Build a tile of n_out × n_in from an aihwkit `RPUConfig`."""
        tile = config.tile_class(n_out, n_in, config, bias=False)
        self._tile = tile.to(device).eval()
        self._device = device

    @torch.no_grad()
    def program(self, weights: Float[Tensor, "n_out n_in"]) -> None:
        """Set the weights; the device clips them to its own window."""
        self._tile.set_weights(weights)

    @torch.no_grad()
    def read(
        self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1
    ) -> Float[Tensor, "repeats_times_batch *positions n_out"]:
        """Read through the tile's converters and noise, each sample on its own."""
        if repeats > 1:
            x = x.repeat(repeats, *[1] * (x.ndim - 1))
        a: Tensor = self._tile.joint_forward(x.reshape(-1, x.shape[-1]), is_test=True)
        return a.view(*x.shape[:-1], -1)

    @torch.no_grad()
    def read_transposed(self, y: Float[Tensor, "samples n_out"]) -> Float[Tensor, "samples n_in"]:
        """Read backwards through the tile, with the noise of its backward pass."""
        x: Tensor = self._tile.backward(y)
        return x

    @torch.no_grad()
    def update(self, request: Outer | Dense) -> None:
        """Pulse the outer product in place, or ΔW row by row."""
        if isinstance(request, Dense):
            self._tile.set_learning_rate(1.0)
            one_line_each = torch.eye(request.delta.shape[1], device=self._device)
            self._tile.update(one_line_each, -request.delta.T.contiguous())
        else:
            self._tile.set_learning_rate(request.rate)
            self._tile.update(request.x.contiguous(), request.d.contiguous())
        self._tile.post_update_step()
