"""Refusing requests for change that do not fit a chip, before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from devices.interface import Dense, LayerShape, LayerUpdate, Outer

if TYPE_CHECKING:
    from torch import Tensor


def check_layer(layer: int, shapes: Sequence[LayerShape]) -> None:
    """See to it that a layer is one of those.

    Raises:
        ValueError: naming the layer and those that there are.
    """
    if not 0 <= layer < len(shapes):
        raise ValueError(
            f"there is no layer {layer}; those that may be asked are 0 to {len(shapes) - 1}"
        )


def check_update(update: LayerUpdate, shapes: Sequence[LayerShape]) -> None:
    """See to it that the layer is one of the chip's, and that tensors have its shapes.

    Raises:
        ValueError: naming the layer, what is asked for, and the shape that it has and should have.
    """
    layer = update.layer
    check_layer(layer, shapes)
    n_out, n_in, _ = shapes[layer]
    for name, request in (("weight", update.weight), ("mirror", update.mirror)):
        if isinstance(request, Outer):
            x, d = request.x, request.d
            _check(x, (*x.shape[:1], n_in), "x in the {} request of layer {}", name, layer)
            _check(d, (*x.shape[:1], n_out), "d in the {} request of layer {}", name, layer)
        elif isinstance(request, Dense):
            _check(request.delta, (n_out, n_in), "delta in the {} request of layer {}", name, layer)
    if update.bias is not None:
        _check(update.bias, (n_out,), "the bias of layer {}", layer)
    if update.decorrelation is not None:
        x, what = update.decorrelation.x_star, "x_star in the decorrelation request of layer {}"
        _check(x, (*x.shape[:1], n_in), what, layer)


def _check(tensor: Tensor, shape: tuple[int, ...], what: str, *where: object) -> None:
    # what is wrong is put in words only then: this is asked of every layer in every step
    if tensor.shape != shape:
        found, wanted = tuple(tensor.shape), ", ".join(str(size) for size in shape)
        raise ValueError(f"{what.format(*where)} has the shape {found}, and should have ({wanted})")
