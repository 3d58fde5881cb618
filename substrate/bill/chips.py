"""What the bill must know of a chip beside its ledger: bits of its converters, its material."""

from __future__ import annotations

import math
from typing import NamedTuple

from substrate.scenario.schema import AihwkitChip, Chip, NativeChip
from substrate.scenario.schema.costs import Cell


class Converters(NamedTuple):
    """Resolutions in bits; None where a converter is exact or unknown."""

    dac: float | None
    adc: float | None
    readout: float | None


def converters(chip: Chip) -> Converters:
    """Give a chip's resolutions.

    aihwkit's resolution is a step, r = 1 / (2ⁿ - 2) of the range, or the number of steps.
    """
    if isinstance(chip, NativeChip):
        found = chip.input_converter, chip.output_converter, chip.readout_converter
        return Converters(*(None if each.bits == "exact" else float(each.bits) for each in found))
    if not isinstance(chip, AihwkitChip):
        return Converters(None, None, None)
    from devices.crossbars.aihwkit_config import preset_config

    forward = getattr(preset_config(chip.preset, chip.config), "forward", None)
    if forward is None or forward.is_perfect:
        return Converters(None, None, None)
    return Converters(_bits(forward.inp_res), _bits(forward.out_res), None)


def cell_of(chip: Chip) -> Cell | None:
    """Give the material of a chip's cells; None for a device of no one material."""
    if isinstance(chip, NativeChip):
        return _NATIVE.get(chip.preset)
    if not isinstance(chip, AihwkitChip):
        return None
    from devices.crossbars.aihwkit_config import preset_config

    noise = getattr(preset_config(chip.preset, chip.config), "noise_model", None)
    for name in (type(noise).__name__, chip.preset):
        for part, cell in _AIHWKIT.items():
            if part in name:
                return cell
    return None


_NATIVE: dict[str, Cell] = {
    "gong_2018": "reram",
    "kim_2019": "ecram",
    "nandakumar_2019": "pcm",
    "tang_2018": "ecram",
}
_AIHWKIT: dict[str, Cell] = {
    "ReRam": "reram",
    "EcRam": "ecram",
    "PCM": "pcm",
    "Hermes": "pcm",
}


def _bits(resolution: float) -> float | None:
    if resolution <= 0:
        return None
    steps = resolution if resolution > 1 else 1 / resolution
    return math.log2(steps + 2)
