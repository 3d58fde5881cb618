"""Small networks that learning rules are tried on, and their gradients in plain torch.

    x_l = tanh(a_l),   a_l = W_l x_{l-1} + b_l,   the last layer linear

The gradient ∂L/∂a_l is taken by autograd through torch's own layers, and by nothing that a chip or
a learner is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from devices.chip import NetworkChip
from devices.chip_layer import ChipLayer
from devices.crossbars.ideal import IdealCrossbar
from devices.interface import Capability
from devices.layers import Conv2d, Dense
from devices.noise.base import NoiseSource
from devices.noise.gaussian import GaussianNoise
from devices.seal import SealedChip, seal
from learning.losses import Loss
from substrate.randomness import stream


@dataclass(frozen=True)
class SmallNetwork:
    """A network, and the shape of one input of it."""

    name: str
    layouts: tuple[Dense | Conv2d, ...]
    input_shape: tuple[int, ...]

    @property
    def classes(self) -> int:
        """Outputs of the network."""
        return self.layouts[-1].shape.n_out

    def inputs(self, count: int, seed: int) -> Float[Tensor, "count *image"]:
        """Draw inputs, N(0, 1)."""
        return torch.randn(count, *self.input_shape, generator=stream(seed, "inputs of a check"))

    def parameters(self, seed: int) -> list[tuple[Tensor, Tensor]]:
        """Draw weights, N(0, 1/n_in), and biases, N(0, 0.01), of every layer."""
        generator = stream(seed, "weights of a check")
        return [
            (
                torch.randn(shape.n_out, shape.n_in, generator=generator) / shape.n_in**0.5,
                torch.randn(shape.n_out, generator=generator) / 10,
            )
            for shape in (layout.shape for layout in self.layouts)
        ]

    def gradients(
        self, x: Float[Tensor, "batch *image"], target: Tensor, loss: Loss, seed: int
    ) -> tuple[Float[Tensor, "batch *_position_and_n_out"], ...]:
        """Give ∂L/∂a_l of every layer and sample, by autograd."""
        signal, seen = x, list[Tensor]()
        for layout, (weights, bias) in zip(self.layouts, self.parameters(seed), strict=True):
            if isinstance(layout, Conv2d):
                kernels = weights.view(-1, layout.channels_in, layout.kernel, layout.kernel)
                a = functional.conv2d(signal, kernels, bias, layout.stride, layout.padding)
            else:
                a = functional.linear(signal.flatten(1), weights, bias)
            seen.append(a.requires_grad_() if not a.requires_grad else a)
            signal = seen[-1].tanh()
        gradients = torch.autograd.grad(loss(seen[-1], target).sum(), seen)
        return tuple(g.flatten(2).transpose(1, 2) if g.ndim == 4 else g for g in gradients)

    def chip(
        self,
        seed: int,
        capabilities: frozenset[Capability],
        *,
        noise: float,
        mirrors: bool,
        device: torch.device,
    ) -> SealedChip:
        """Lay it out on exact crossbars.

        Args:
            seed: of weights and noise.
            capabilities: what the chip offers, and nothing else.
            noise: standard deviation of what the columns add of their own, in units of a_l.
            mirrors: whether it has any.
            device: where it is.
        """

        def crossbar(layout: Dense | Conv2d) -> IdealCrossbar:
            return IdealCrossbar(layout.shape.n_out, layout.shape.n_in, device)

        layers = [
            ChipLayer(
                layout,
                crossbar(layout),
                torch.tanh if layout is not self.layouts[-1] else _identity,
                bias.to(device),
                output_noise=_noise(noise, seed, number, device) if noise > 0 else None,
                mirror=crossbar(layout) if mirrors and number > 0 else None,
            )
            for number, (layout, (_, bias)) in enumerate(
                zip(self.layouts, self.parameters(seed), strict=True)
            )
        ]
        chip = NetworkChip(layers, capabilities)
        chip.program([weights.to(device) for weights, _ in self.parameters(seed)])
        return seal(chip)


def _noise(std: float, seed: int, layer: int, device: torch.device) -> NoiseSource:
    generator = stream(seed, f"noise of layer {layer}", device=device)
    return NoiseSource(GaussianNoise(std=std), generator)


def _identity(a: Tensor) -> Tensor:
    return a


ONE_LAYER = SmallNetwork("one layer", (Dense(6, 5),), (6,))
DEEP = SmallNetwork("three layers", (Dense(6, 5), Dense(5, 5), Dense(5, 4)), (6,))
CONVOLUTION = SmallNetwork(
    "a convolution", (Conv2d(2, 5, 5, channels_out=3, kernel=3, stride=2), Dense(12, 4)), (2, 5, 5)
)
NETWORKS: Sequence[SmallNetwork] = (ONE_LAYER, DEEP, CONVOLUTION)
