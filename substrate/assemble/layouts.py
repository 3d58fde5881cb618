"""From the network's settings to the layout of every layer on its crossbar."""

from __future__ import annotations

import math
from collections.abc import Sequence

from devices.layers import Conv2d, Dense, Layout
from substrate.scenario.schema import Conv, Network


class LayoutError(ValueError):
    """A layer does not fit on what comes before it.

    Attributes:
        index: the layer's place in `network.layers`, counted from 0.
    """

    def __init__(self, index: int, message: str) -> None:
        """Say which layer, and why."""
        super().__init__(message)
        self.index = index


def layouts(network: Network, input_shape: Sequence[int], n_out: int) -> list[Layout]:
    """Lay out the hidden layers and the output layer.

    Args:
        network: the hidden layers.
        input_shape: of one sample: (inputs,), or (channels, height, width) of an image.
        n_out: nodes of the output layer.

    Raises:
        LayoutError: a convolution has no image before it, or an image smaller than its kernel.
    """
    laid_out: list[Layout] = []
    signal = tuple(input_shape)
    for index, layer in enumerate(network.layers):
        if layer == "flatten":
            signal = (math.prod(signal),)
        elif isinstance(layer, Conv):
            conv = _conv(index, layer, signal)
            laid_out.append(conv)
            signal = (layer.conv, *conv.out_size)
        else:
            laid_out.append(Dense(math.prod(signal), layer))
            signal = (layer,)
    return [*laid_out, Dense(math.prod(signal), n_out)]


def _conv(index: int, layer: Conv, signal: tuple[int, ...]) -> Conv2d:
    if len(signal) != 3:
        raise LayoutError(
            index,
            f"a convolution needs an image (channels, height, width), and what comes here has"
            f" the shape {signal}",
        )
    try:
        return Conv2d(*signal, layer.conv, layer.kernel, layer.stride, layer.padding)
    except ValueError as problem:
        raise LayoutError(index, str(problem)) from None


def network_title(network: Network, input_shape: Sequence[int], n_out: int) -> str:
    """The layers in one line: `64-128-10`, or `3×32×32 - conv 3×3×16 stride 2 - 1024 - 10`."""
    convolves = any(isinstance(layer, Conv) for layer in network.layers)
    inputs = "×".join(map(str, input_shape)) if convolves else str(math.prod(input_shape))
    hidden = [_layer_title(layer) for layer in network.layers if layer != "flatten"]
    return (" - " if convolves else "-").join([inputs, *hidden, str(n_out)])


def _layer_title(layer: object) -> str:
    if not isinstance(layer, Conv):
        return str(layer)
    padding = f" padding {layer.padding}" if layer.padding else ""
    return f"conv {layer.kernel}×{layer.kernel}×{layer.conv} stride {layer.stride}{padding}"
