"""How a layer of the network is laid out on one crossbar matrix.

A fully connected layer is the matrix itself. A 2-d convolution is the matrix of its kernels,
(channels out) × (channels in · k · k), driven once a position with the unfolded patch there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional

from devices.interface import LayerShape


@runtime_checkable
class Layout(Protocol):
    """Geometry of one layer: signals of the network to rows of the crossbar, and back."""

    @property
    def shape(self) -> LayerShape:
        """The matrix and its number of positions."""
        ...

    def to_rows(self, signal: Tensor) -> Tensor:
        """Turn the previous layer's output into row drives, (batch, [positions,] n_in)."""
        ...

    def from_columns(self, columns: Tensor) -> Tensor:
        """Turn column values, (batch, [positions,] n_out), into the signal for the next layer."""
        ...


@dataclass(frozen=True)
class Dense:
    """A fully connected layer; an image before it is flattened."""

    n_in: int
    n_out: int

    @property
    def shape(self) -> LayerShape:
        """One position."""
        return LayerShape(self.n_out, self.n_in)

    def to_rows(self, signal: Float[Tensor, "batch *image"]) -> Float[Tensor, "batch n_in"]:
        """Flatten."""
        return signal.flatten(1)

    def from_columns(self, columns: Float[Tensor, "batch n_out"]) -> Float[Tensor, "batch n_out"]:
        """Pass on unchanged."""
        return columns


@dataclass(frozen=True)
class Conv2d:
    """A 2-d convolution on an image (channels, height, width), square kernel.

    Attributes:
        channels_in, height, width: of the image.
        channels_out: kernels.
        kernel: height and width of a kernel, in pixels.
        stride: pixels from one position to the next.
        padding: rows and columns of zeros on every side of the image.

    Raises:
        ValueError: the kernel is larger than the padded image.
    """

    channels_in: int
    height: int
    width: int
    channels_out: int
    kernel: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        """Refuse a kernel with no position on the image."""
        if min(self.out_size) < 1:
            size = self.kernel
            padded = f" with padding {self.padding}" if self.padding else ""
            raise ValueError(
                f"a kernel of {size}×{size} does not fit on an image of"
                f" {self.height}×{self.width}{padded}"
            )

    @property
    def out_size(self) -> tuple[int, int]:
        """Height and width of the output image."""

        def along(size: int) -> int:
            return (size + 2 * self.padding - self.kernel) // self.stride + 1

        return along(self.height), along(self.width)

    @property
    def shape(self) -> LayerShape:
        """One position for every pixel of the output image."""
        height, width = self.out_size
        return LayerShape(
            self.channels_out, self.channels_in * self.kernel * self.kernel, height * width
        )

    def to_rows(
        self, signal: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch *positions n_in"]:
        """Unfold into patches; a single position has no axis of its own."""
        if self.padding:
            signal = functional.pad(signal, [self.padding] * 4)
        # torch's unfold puts the positions last, and with the copy that puts them first it takes
        # as long as the products with the patches
        rows = signal.flatten(1).index_select(1, _pixels_of_patches(self, signal.device).flatten())
        shape = self.shape
        if shape.positions == 1:
            return rows
        return rows.view(len(signal), shape.positions, shape.n_in)

    def from_columns(
        self, columns: Float[Tensor, "batch *positions n_out"]
    ) -> Float[Tensor, "batch n_out height width"]:
        """Lay the positions out as an image again."""
        channels_last = columns.reshape(len(columns), -1, self.channels_out)
        return channels_last.transpose(1, 2).reshape(
            len(columns), self.channels_out, *self.out_size
        )


@lru_cache(maxsize=64)
def _pixels_of_patches(layer: Conv2d, device: torch.device) -> Integer[Tensor, "positions n_in"]:
    """Which pixels of the flattened, padded image every patch consists of."""
    image = (
        layer.channels_in,
        layer.height + 2 * layer.padding,
        layer.width + 2 * layer.padding,
    )
    pixels = torch.arange(math.prod(image), device=device).view(image)
    patches = pixels.unfold(1, layer.kernel, layer.stride).unfold(2, layer.kernel, layer.stride)
    shape = layer.shape
    return patches.permute(1, 2, 0, 3, 4).reshape(shape.positions, shape.n_in)
