"""From a chip's settings to the crossbar of one layer, split over arrays where it must be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from devices.array_noise import ArrayNoise
from devices.bench import UpdatesOuter
from devices.crossbars.base import Crossbar
from devices.crossbars.bench import crossbar_on
from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.open_bench import OpenBench
from devices.crossbars.tiled import TiledCrossbar
from devices.interface import LayerShape
from devices.noise.base import StackedSources
from substrate.assemble.noise import noise_around
from substrate.library import bench_class, custom_crossbar
from substrate.randomness import stream
from substrate.scenario.schema import (
    AihwkitChip,
    BenchChip,
    Chip,
    CustomChip,
    IdealChip,
    MockChip,
    NativeChip,
    RemoteChip,
)
from substrate.scenario.schema.arrays import ArrayChip
from substrate.scenario.schema.noise import Place

MakeNoise = Callable[[Place, str, bool], StackedSources | None]
"""Makes the scenario's noise at a place of one array, by the array's name; for its transposed reads
where the last argument is true.
"""


def build_crossbar(
    chip: Chip,
    shape: LayerShape,
    seed: int,
    name: str,
    device: torch.device,
    noise: MakeNoise | None = None,
    bench: OpenBench | None = None,
) -> Crossbar:
    """Make the crossbar of a layer; `name` tells its random streams from those of the others.

    Where `takes_noise` says so, the crossbar has the scenario's `noise`. Where the chip is on a
    bench, it takes arrays of `bench`.
    """
    if isinstance(chip, RemoteChip):
        raise TypeError("a chip behind a wire is not built here")
    if isinstance(chip, IdealChip):
        return IdealCrossbar(shape.n_out, shape.n_in, device)
    columns, rows = _largest_array(chip, shape)

    def array(n_out: int, n_in: int, place: str) -> Crossbar:
        if isinstance(chip, BenchChip):
            assert bench is not None
            return crossbar_on(bench, n_out, n_in, device)
        generators = partial(stream, seed, "crossbar", name, place)
        if isinstance(chip, CustomChip):
            made = custom_crossbar(chip.crossbar, Path())
            parameters = made.Parameters.model_validate(chip.parameters)
            return made(n_out, n_in, parameters, partial(generators, device=device), device)
        if isinstance(chip, NativeChip):
            streams = partial(generators, device=device)
            return _native_array(chip, n_out, n_in, streams, device, noise, place)
        return _aihwkit_array(chip, n_out, n_in, generators, device)

    if columns >= shape.n_out and rows >= shape.n_in:
        return array(shape.n_out, shape.n_in, "")

    def around(place: str) -> ArrayNoise:
        if noise is None or isinstance(chip, NativeChip):
            return ArrayNoise()
        return noise_around(lambda at, transposed: noise(at, place, transposed))

    return TiledCrossbar(shape.n_out, shape.n_in, columns, rows, array, around)


def takes_noise(chip: Chip, shape: LayerShape) -> bool:
    """Whether a matrix's crossbar has the scenario's noise of its own; else it goes around it.

    Between the converters of a native array; around every array where there are several.
    """
    if isinstance(chip, RemoteChip | IdealChip):
        return False
    columns, rows = _largest_array(chip, shape)
    return isinstance(chip, NativeChip) or columns < shape.n_out or rows < shape.n_in


def _largest_array(chip: ArrayChip, shape: LayerShape) -> tuple[int, int]:
    """Columns and rows of an array, at most."""
    return chip.max_columns or shape.n_out, chip.max_rows or shape.n_in


def _native_array(
    chip: NativeChip,
    n_out: int,
    n_in: int,
    generators: Callable[..., torch.Generator],
    device: torch.device,
    noise: MakeNoise | None,
    place: str,
) -> Crossbar:
    from devices.crossbars.native.crossbar import NativeCrossbar
    from devices.crossbars.native.mock import MockCrossbar

    kind: Callable[..., NativeCrossbar] = NativeCrossbar
    if isinstance(chip, MockChip):
        outer = issubclass(bench_class(chip.bench, Path()), UpdatesOuter)
        kind = partial(MockCrossbar, largest_input=chip.largest_input, pulses_outer=outer)
    arguments = (n_out, n_in, chip.device, generators, device)
    if noise is None:
        return kind(*arguments)
    forward = (noise(at, place, False) for at in ("input", "weight", "output"))
    transposed = (noise(at, place, True) for at in ("input", "output"))
    return kind(*arguments, *forward, *transposed)


def _aihwkit_array(
    chip: AihwkitChip,
    n_out: int,
    n_in: int,
    generators: Callable[..., torch.Generator],
    device: torch.device,
) -> Crossbar:
    from devices.crossbars.aihwkit import AihwkitCrossbar, computes_in_cpp
    from devices.crossbars.aihwkit_config import preset_config
    from devices.crossbars.aihwkit_inference import AihwkitInferenceCrossbar, is_programmed

    config = preset_config(chip.preset, chip.config)
    generator = generators("aihwkit", device="cpu" if computes_in_cpp(config) else device)
    arguments = (n_out, n_in, config, device, generator, chip.seconds_per_read)
    if is_programmed(config):
        return AihwkitInferenceCrossbar(*arguments, chip.seconds_after_programming)
    return AihwkitCrossbar(*arguments)
