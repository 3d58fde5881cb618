"""From a chip's settings to a sealed chip with its initial weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from devices.activations import ACTIVATIONS
from devices.chip import ChipLayer, NetworkChip
from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.decorrelation import DigitalDecorrelation
from devices.interface import Capability, LayerShape
from devices.layers import Dense
from devices.seal import SealedChip, seal
from substrate.data.dataset import Dataset
from substrate.randomness import stream
from substrate.scenario.schema import AihwkitChip, Arm, Chip, IdealChip, Scenario


def chip_capabilities(chip: Chip) -> frozenset[Capability]:
    """What a chip of these settings can serve; nothing is built."""
    if isinstance(chip, IdealChip):
        return frozenset(Capability)
    inject = {Capability.INJECT} if chip.inject else set()
    return frozenset({Capability.OBSERVE, *inject})


def chip_title(chip: Chip) -> str:
    """Name a chip for people."""
    return "ideal chip" if isinstance(chip, IdealChip) else f"aihwkit {chip.preset}"


def chip_reproducibility(chip: Chip) -> Literal["bitwise", "statistical"]:
    """Say whether a run with this chip repeats bitwise, or in its statistics alone."""
    return "statistical" if isinstance(chip, AihwkitChip) else "bitwise"


def initial_weights(shapes: Sequence[LayerShape], seed: int) -> list[Tensor]:
    """Draw W_l ~ U(-1/√n_in, 1/√n_in), the same for every arm of a seed."""
    generator = stream(seed, "initial weights")
    return [
        torch.empty(shape.n_out, shape.n_in).uniform_(
            -(shape.n_in**-0.5), shape.n_in**-0.5, generator=generator
        )
        for shape in shapes
    ]


def build_chip(
    scenario: Scenario, arm: Arm, dataset: Dataset, seed: int, device: torch.device
) -> SealedChip:
    """Lay the scenario's network out on the arm's chip, program initial weights, and seal it."""
    sizes = [math.prod(dataset.input_shape), *scenario.network.layers, dataset.n_out]
    hidden = ACTIVATIONS[scenario.network.activation]
    layers = [
        ChipLayer(
            Dense(n_in, n_out),
            _crossbar(arm.chip, n_out, n_in, device),
            hidden if index < len(sizes) - 2 else _identity,
            torch.zeros(n_out, device=device),
            DigitalDecorrelation(n_in, device) if arm.learning.decorrelation else None,
        )
        for index, (n_in, n_out) in enumerate(itertools.pairwise(sizes))
    ]
    chip = NetworkChip(layers, chip_capabilities(arm.chip))
    chip.program([weights.to(device) for weights in initial_weights(chip.shapes, seed)])
    return seal(chip)


def _identity(a: Tensor) -> Tensor:
    return a


def _crossbar(chip: Chip, n_out: int, n_in: int, device: torch.device) -> Crossbar:
    if isinstance(chip, IdealChip):
        return IdealCrossbar(n_out, n_in, device)
    from devices.crossbars.aihwkit import AihwkitCrossbar, preset_config

    return AihwkitCrossbar(n_out, n_in, preset_config(chip.preset), device)
