"""Trying every public way to the noise or the crossbars behind a chip's seal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from devices.chip import NetworkChip
from devices.chip_layer import ChipLayer
from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.interface import Capability, LayerUpdate, Outer
from devices.layers import Dense
from devices.noise.base import Memory, NoiseModel, NoiseSource
from devices.seal import seal

SIZES = (4, 5, 3)
DEPTH = 6


def assert_sealed(model: NoiseModel, seed: int) -> None:
    """Put a noise model at every place of a small chip, and look for it from outside.

    Raises:
        AssertionError: it can be reached, or what is observed shares memory with it.
    """

    def source(number: int) -> NoiseSource:
        return NoiseSource(model, torch.Generator().manual_seed(seed + number))

    sources = [source(number) for number in range(6)]
    layers = [
        ChipLayer(
            Dense(SIZES[i], SIZES[i + 1]),
            IdealCrossbar(SIZES[i + 1], SIZES[i], torch.device("cpu")),
            torch.tanh,
            torch.zeros(SIZES[i + 1]),
            input_noise=sources[3 * i],
            output_noise=sources[3 * i + 1],
            readout=sources[3 * i + 2],
        )
        for i in range(2)
    ]

    def kept() -> list[Tensor]:
        memories = [source.memory for source in sources]
        return [
            value for each in memories for value in (*each.past.values(), *each.tables.values())
        ]

    _assert_out_of_reach(layers, kept)


def assert_crossbar_sealed(make: Callable[[int, int], Crossbar]) -> None:
    """Build a small chip on crossbars, and look for them from outside; as `assert_sealed`."""
    layers = [
        ChipLayer(
            Dense(SIZES[i], SIZES[i + 1]),
            make(SIZES[i + 1], SIZES[i]),
            torch.tanh,
            torch.zeros(SIZES[i + 1]),
        )
        for i in range(2)
    ]

    def kept() -> list[Tensor]:
        held = [vars(layer.crossbar).values() for layer in layers]
        return [value for values in held for value in values if isinstance(value, Tensor)]

    _assert_out_of_reach(layers, kept)
    # a chip may copy what it shows of a crossbar, and need not
    shown = [each.crossbar.read(torch.rand(7, n)) for each, n in zip(layers, SIZES, strict=False)]
    _assert_apart(shown, kept())


def _assert_out_of_reach(layers: list[ChipLayer], kept: Callable[[], list[Tensor]]) -> None:
    chip = NetworkChip(layers, frozenset({Capability.OBSERVE, Capability.INJECT}))
    chip.program([torch.ones(n, m) / m for m, n in itertools.pairwise(SIZES)])
    sealed = seal(chip)
    x = torch.rand(7, SIZES[0])
    observed = [sealed.forward(x), *sealed.passes(x, [None, None])]
    a = observed[0].pre_activations[0]
    request = Outer(observed[0].inputs[0], torch.zeros_like(a), 0.1)
    sealed.apply([LayerUpdate(0, weight=request)])
    secret = kept()
    for thing in _reachable([sealed, *observed]):
        assert not isinstance(thing, NoiseModel | NoiseSource | Memory | torch.Generator), (
            f"a {type(thing).__name__} can be reached through the seal"
        )
        if isinstance(thing, Tensor):
            _assert_apart([thing], secret)
            assert not thing.requires_grad, "what is observed carries autograd's history"


def _assert_apart(shown: list[Tensor], kept: list[Tensor]) -> None:
    secret = {tensor.untyped_storage().data_ptr() for tensor in kept}
    assert all(tensor.untyped_storage().data_ptr() not in secret for tensor in shown), (
        "what is observed shares memory with what the device keeps; give a clone"
    )


def _reachable(roots: list[object]) -> Iterator[object]:
    """Everything that public attributes and items lead to."""
    seen: set[int] = set()
    edge = roots
    for _ in range(DEPTH):
        following: list[object] = []
        for thing in edge:
            if id(thing) in seen or isinstance(thing, str | bytes | int | float | type):
                continue
            seen.add(id(thing))
            yield thing
            if isinstance(thing, tuple | list | frozenset | set):
                following += thing
            elif isinstance(thing, Tensor):
                following.append(thing.grad_fn)
            else:
                public = [name for name in dir(thing) if not name.startswith("_")]
                following += [getattr(thing, name, None) for name in public]
        edge = following
