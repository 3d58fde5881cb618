"""Perturbations that a periphery injects, ε_l ~ N(0, σ²I), independent for every sample.

They are drawn layer by layer as a pass goes on. A rule that must know them has the same numbers
drawn again afterwards, so that no pass has to hold them for all layers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import torch
from torch import Tensor

from devices.interface import LayerShape, Perturbation


class Injection:
    """What is injected in one pass, to be gone through once."""

    def __init__(
        self,
        shapes: Sequence[LayerShape],
        layers: Collection[int],
        batch: int,
        sigma: float,
        generator: torch.Generator,
    ) -> None:
        """Prepare to inject into some layers, counted from 0; `generator` draws on its device."""
        self._sizes = [
            (batch, shape.n_out) if shape.positions == 1 else (batch, shape.positions, shape.n_out)
            for shape in shapes
        ]
        self._layers = layers
        self._sigma = sigma
        self._generator = generator
        self._before: dict[int, torch.Generator] = {}

    def __iter__(self) -> Iterator[Tensor | None]:
        """Draw every layer's perturbation when the pass comes to it; None leaves it alone."""
        for layer in range(len(self._sizes)):
            if layer in self._layers:
                self._before[layer] = self._generator.clone_state()
                # without a name here it is free as soon as the chip is done with it
                yield self._draw(layer, self._generator)
            else:
                yield None

    def again(self) -> Perturbation:
        """Give what was injected once more."""
        return tuple(
            self._draw(layer, self._before[layer].clone_state()) if layer in self._layers else None
            for layer in range(len(self._sizes))
        )

    def _draw(self, layer: int, generator: torch.Generator) -> Tensor:
        return torch.empty(self._sizes[layer], device=generator.device).normal_(
            0.0, self._sigma, generator=generator
        )
