"""From a chip's settings to the crossbar of one layer, split over arrays where it must be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.tiled import TiledCrossbar
from devices.interface import LayerShape
from substrate.library import custom_crossbar
from substrate.randomness import stream
from substrate.scenario.schema import AihwkitChip, Chip, CustomChip, IdealChip


def build_crossbar(
    chip: Chip, shape: LayerShape, seed: int, name: str, device: torch.device
) -> Crossbar:
    """Make the crossbar of a layer; `name` tells its random streams from those of the others."""
    if isinstance(chip, IdealChip):
        return IdealCrossbar(shape.n_out, shape.n_in, device)
    columns, rows = chip.max_columns or shape.n_out, chip.max_rows or shape.n_in

    def array(n_out: int, n_in: int, place: str) -> Crossbar:
        generators = partial(stream, seed, "crossbar", name, place)
        if isinstance(chip, CustomChip):
            made = custom_crossbar(chip.crossbar, Path())
            parameters = made.Parameters.model_validate(chip.parameters)
            return made(n_out, n_in, parameters, partial(generators, device=device), device)
        return _aihwkit_array(chip, n_out, n_in, generators, device)

    if columns >= shape.n_out and rows >= shape.n_in:
        return array(shape.n_out, shape.n_in, "")
    return TiledCrossbar(shape.n_out, shape.n_in, columns, rows, array)


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
