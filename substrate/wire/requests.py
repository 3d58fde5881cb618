"""What a learner asks of a chip as messages: written by the learner's side, read by the chip's.

The chip's side takes nothing on trust: whatever is not one of the chip's, or not finite, is refused
before it is carried out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from devices.interface import (
    DecorrelationUpdate,
    Dense,
    Drawn,
    LayerShape,
    LayerUpdate,
    Outer,
    Perturbation,
)
from devices.requests import check_layer, check_update
from substrate.wire import chip_pb2 as pb
from substrate.wire.frames import Tensors

MOST_PASSES = 4096
"""Of one request."""
_STREAM_BYTES = 5056


class NotFinite(ValueError):
    """A value of a request is NaN or infinite."""


class PassesAsked(NamedTuple):
    """A request for passes, read; the arguments of `Chip.passes`, and the streams drawn from."""

    x: Tensor
    perturbs: list[Perturbation | Drawn | None]
    samples: list[int] | None
    read_inputs: list[int] | None
    read_pre_activations: list[int] | None
    streams: list[torch.Generator]


def write_passes(
    x: Tensor,
    perturbs: Sequence[Perturbation | Drawn | None],
    samples: Sequence[int] | None,
    read_inputs: Collection[int] | None,
    read_pre_activations: Collection[int] | None,
    asked: pb.Passes,
    tensors: Tensors,
) -> list[torch.Generator]:
    """Write the arguments of `Chip.passes`; gives the streams, which the reply moves on."""
    asked.x = tensors.add(x)
    streams: list[torch.Generator] = []
    for perturb in perturbs:
        told = asked.perturbations.add()
        if isinstance(perturb, Drawn):
            if not any(each is perturb.generator for each in streams):
                streams.append(perturb.generator)
            told.drawn.sites.extend(sorted(perturb.layers))
            told.drawn.std = perturb.std
            told.drawn.stream = [each is perturb.generator for each in streams].index(True)
        elif perturb is not None:
            for site, tensor in enumerate(perturb):
                if tensor is not None:
                    told.given.add(site=site, tensor=tensors.add(tensor))
    asked.streams.extend(tensors.add(each.get_state()) for each in streams)
    if samples is not None:
        asked.samples.extend(samples)
    if read_inputs is not None:
        asked.read_inputs.numbers.extend(read_inputs)
        asked.read_inputs.SetInParent()
    if read_pre_activations is not None:
        asked.read_pre_activations.numbers.extend(read_pre_activations)
        asked.read_pre_activations.SetInParent()
    return streams


def read_passes(
    asked: pb.Passes, tensors: Sequence[Tensor], shapes: Sequence[LayerShape], inputs: int
) -> PassesAsked:
    """Read a request for passes.

    Args:
        asked: the message.
        tensors: that came with it.
        shapes: of the chip's layers.
        inputs: values that the network takes in one sample.

    Raises:
        ValueError: it does not fit the chip.
        NotFinite: a value is NaN or infinite.
    """
    x = _finite(at(tensors, asked.x), "x")
    count = len(asked.perturbations)
    if x.dtype != torch.float32 or x.ndim < 2 or not len(x) or x[0].numel() != inputs:
        raise ValueError(f"x has the shape {tuple(x.shape)}, and should have (batch, {inputs})")
    if not 0 < count <= MOST_PASSES:
        raise ValueError(f"{count} passes are asked for; at least 1 and at most {MOST_PASSES} can")
    samples = list(asked.samples) if asked.samples else None
    if samples is not None and (
        len(samples) != count or not all(0 < each <= len(x) for each in samples)
    ):
        raise ValueError(f"samples must name 1 to {len(x)} of them for each of {count} passes")
    sizes = samples or [len(x)] * count
    streams = []
    for place in asked.streams:
        state = at(tensors, place)
        if state.dtype != torch.uint8 or tuple(state.shape) != (_STREAM_BYTES,):
            raise ValueError(f"a stream has {_STREAM_BYTES} bytes; one of {state.numel()} was sent")
        try:
            streams.append(torch.Generator().set_state(state))
        except RuntimeError as problem:
            raise ValueError(f"a stream is no state of a generator: {problem}") from None
    return PassesAsked(
        x,
        [
            _perturbation(told, tensors, shapes, size, streams)
            for told, size in zip(asked.perturbations, sizes, strict=True)
        ],
        samples,
        _numbers(asked.read_inputs, count) if asked.HasField("read_inputs") else None,
        _numbers(asked.read_pre_activations, count)
        if asked.HasField("read_pre_activations")
        else None,
        streams,
    )


def _perturbation(
    told: pb.Perturbation,
    tensors: Sequence[Tensor],
    shapes: Sequence[LayerShape],
    samples: int,
    streams: Sequence[torch.Generator],
) -> Perturbation | Drawn | None:
    if told.HasField("drawn"):
        drawn = told.drawn
        for site in drawn.sites:
            check_layer(site, shapes)
        if drawn.stream >= len(streams):
            raise ValueError(f"there is no stream {drawn.stream}; {len(streams)} were sent")
        if not 0 <= drawn.std < float("inf"):
            raise NotFinite(f"the standard deviation {drawn.std} is negative or not finite")
        return Drawn(frozenset(drawn.sites), drawn.std, streams[drawn.stream])
    if not told.given:
        return None
    found: list[Tensor | None] = [None] * len(shapes)
    for each in told.given:
        check_layer(each.site, shapes)
        what = f"the perturbation of layer {each.site}"
        tensor = _finite(at(tensors, each.tensor), what)
        wanted = batch_shape(samples, shapes[each.site], shapes[each.site].n_out)
        if tuple(tensor.shape) != wanted:
            raise ValueError(
                f"{what} has the shape {tuple(tensor.shape)}, and should have {wanted}"
            )
        found[each.site] = tensor
    return tuple(found)


def write_update(update: LayerUpdate, told: pb.Update, tensors: Tensors) -> None:
    """Write the requests to one layer."""
    told.site = update.layer
    for request, change in ((update.weight, told.weight), (update.mirror, told.mirror)):
        if isinstance(request, Outer):
            change.outer.x, change.outer.d = tensors.add(request.x), tensors.add(request.d)
            change.outer.rate = request.rate
        elif request is not None:
            change.dense = tensors.add(request.delta)
    if update.bias is not None:
        told.bias = tensors.add(update.bias)
    if update.decorrelation is not None:
        told.decorrelation.x_star = tensors.add(update.decorrelation.x_star)
        told.decorrelation.rate = update.decorrelation.rate


def read_updates(
    asked: pb.Apply, tensors: Sequence[Tensor], shapes: Sequence[LayerShape]
) -> list[LayerUpdate]:
    """Read requests for change, and check all of them before the first is carried out.

    Raises:
        ValueError: one does not fit the chip.
        NotFinite: a value is NaN or infinite.
    """
    found = []
    seen: set[int] = set()
    for told in asked.updates:
        weight = _change(told.weight, tensors, seen) if told.HasField("weight") else None
        mirror = _change(told.mirror, tensors, seen) if told.HasField("mirror") else None
        bias = _floating(at(tensors, told.bias), 1, seen) if told.HasField("bias") else None
        decorrelation = None
        if told.HasField("decorrelation"):
            x_star = _floating(at(tensors, told.decorrelation.x_star), 2, seen)
            decorrelation = DecorrelationUpdate(x_star, told.decorrelation.rate)
        update = LayerUpdate(told.site, weight, bias, decorrelation, mirror)
        check_update(update, shapes)
        rates = [told.weight.outer.rate, told.mirror.outer.rate, told.decorrelation.rate]
        if not all(map(math.isfinite, rates)):
            raise NotFinite(f"a rate asked of layer {told.site} is not finite")
        found.append(update)
    return found


def _change(told: pb.Change, tensors: Sequence[Tensor], seen: set[int]) -> Outer | Dense:
    if told.HasField("outer"):
        x = _floating(at(tensors, told.outer.x), 2, seen)
        d = _floating(at(tensors, told.outer.d), 2, seen)
        if x.shape[0] != d.shape[0]:
            raise ValueError(f"an outer product has {x.shape[0]} rows in x and {d.shape[0]} in d")
        return Outer(x, d, told.outer.rate)
    if told.HasField("dense"):
        return Dense(_floating(at(tensors, told.dense), 2, seen))
    raise ValueError("a change is neither an outer product nor dense")


def at(tensors: Sequence[Tensor], place: int) -> Tensor:
    """Give the tensor at a place that a message names.

    Raises:
        ValueError: it has no such tensor.
    """
    if place >= len(tensors):
        raise ValueError(f"there is no tensor {place}; the message has {len(tensors)}")
    return tensors[place]


def batch_shape(samples: int, shape: LayerShape, nodes: int) -> tuple[int, ...]:
    """Give the shape of signals of so many samples at a layer, (batch, [positions,] nodes)."""
    return (samples, nodes) if shape.positions == 1 else (samples, shape.positions, nodes)


def finite_signal(tensor: Tensor, wanted: tuple[int, ...], what: str) -> Tensor:
    """See to the shape of a float32 signal, where -1 is any number, and that it is finite.

    Raises:
        ValueError: it has another shape or type.
        NotFinite: a value is NaN or infinite.
    """
    found = tuple(tensor.shape)
    fits = len(found) == len(wanted) and all(
        size in (-1, here) for here, size in zip(found, wanted, strict=True)
    )
    if not fits or tensor.dtype != torch.float32 or not tensor.numel():
        raise ValueError(f"{what} has the shape {found}, and should have {wanted}")
    return _finite(tensor, what)


def _numbers(told: pb.Numbers, passes: int) -> list[int]:
    found = list(told.numbers)
    if len(set(found)) < len(found) or any(each >= passes for each in found):
        raise ValueError(f"passes to be read are named once each, by numbers below {passes}")
    return found


def _floating(tensor: Tensor, axes: int, seen: set[int]) -> Tensor:
    """See to a tensor of a change, unless it was `seen` in another of the same request."""
    if tensor.dtype != torch.float32 or tensor.ndim != axes:
        found = f"{tensor.dtype}, {tuple(tensor.shape)}"
        raise ValueError(f"a tensor of a change is float32 with {axes} axes; this one is {found}")
    if id(tensor) not in seen:
        _finite(tensor, "a tensor of a change")
        seen.add(id(tensor))
    return tensor


def _finite(tensor: Tensor, what: str) -> Tensor:
    # a sum is quick, and not finite where a value is not; where it is not, it may be by overflow
    if not math.isfinite(tensor.sum().item()) and not tensor.isfinite().all():
        raise NotFinite(f"{what} has a value that is NaN or infinite")
    return tensor
