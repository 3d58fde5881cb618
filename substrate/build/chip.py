"""From a chip's settings to a sealed chip with its initial weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from devices.activations import ACTIVATIONS, Activation, staircase
from devices.chip import ChipLayer, NetworkChip
from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.decorrelation import DigitalDecorrelation
from devices.interface import Capability, LayerShape
from devices.seal import SealedChip, seal
from substrate.build.layouts import layouts
from substrate.data.dataset import Dataset
from substrate.randomness import stream
from substrate.scenario.schema import (
    AihwkitChip,
    Arm,
    Chip,
    IdealChip,
    Network,
    Scenario,
    Staircase,
)


def chip_capabilities(chip: Chip, network: Network) -> frozenset[Capability]:
    """What a chip of these settings can serve; nothing is built."""
    if isinstance(chip, IdealChip):
        lacking = set() if network.differentiable else {Capability.GRADIENTS}
        return frozenset(set(Capability) - lacking)
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
    laid_out = layouts(scenario.network, dataset.input_shape, dataset.n_out)
    hidden = _activation(scenario.network)
    layers = [
        ChipLayer(
            layout,
            _crossbar(arm.chip, layout.shape.n_out, layout.shape.n_in, device),
            _identity if layout is laid_out[-1] else hidden,
            torch.zeros(layout.shape.n_out, device=device),
            DigitalDecorrelation(layout.shape.n_in, device) if arm.learning.decorrelation else None,
        )
        for layout in laid_out
    ]
    chip = NetworkChip(layers, chip_capabilities(arm.chip, scenario.network))
    chip.program([weights.to(device) for weights in initial_weights(chip.shapes, seed)])
    return seal(chip)


def _activation(network: Network) -> Activation:
    if isinstance(network.activation, Staircase):
        return staircase(network.activation.staircase)
    return ACTIVATIONS[network.activation]


def _identity(a: Tensor) -> Tensor:
    return a


def _crossbar(chip: Chip, n_out: int, n_in: int, device: torch.device) -> Crossbar:
    if isinstance(chip, IdealChip):
        return IdealCrossbar(n_out, n_in, device)
    from devices.crossbars.aihwkit import AihwkitCrossbar, preset_config

    return AihwkitCrossbar(n_out, n_in, preset_config(chip.preset), device)
