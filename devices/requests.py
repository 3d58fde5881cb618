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
        where = f"the {name} request of layer {layer}"
        if isinstance(request, Outer):
            _check(request.x, (-1, n_in), f"x in {where}")
            _check(request.d, (len(request.x), n_out), f"d in {where}")
        elif isinstance(request, Dense):
            _check(request.delta, (n_out, n_in), f"delta in {where}")
    if update.bias is not None:
        _check(update.bias, (n_out,), f"the bias of layer {layer}")
    if update.decorrelation is not None:
        x_star = update.decorrelation.x_star
        _check(x_star, (-1, n_in), f"x_star in the decorrelation request of layer {layer}")


def _check(tensor: Tensor, shape: tuple[int, ...], what: str) -> None:
    found = tuple(tensor.shape)
    if len(found) != len(shape) or any(
        wanted not in (-1, size) for size, wanted in zip(found, shape, strict=True)
    ):
        wanted = ", ".join("samples" if size == -1 else str(size) for size in shape)
        raise ValueError(f"{what} has the shape {found}, and should have ({wanted})")
