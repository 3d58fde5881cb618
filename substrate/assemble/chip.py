"""From a chip's settings to a sealed chip with its initial weights."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from devices.activations import ACTIVATIONS, Activation, leaky_relu, staircase
from devices.array_noise import AddNoise, ArrayNoise
from devices.chip import NetworkChip
from devices.chip_layer import ChipLayer
from devices.crossbars.base import Crossbar
from devices.crossbars.open_bench import OpenBench
from devices.decorrelation import CrossbarDecorrelation, Decorrelation, DigitalDecorrelation
from devices.interface import LayerShape
from devices.noise.base import StackedSources
from devices.noisy_converter import NoisyConverter
from devices.seal import SealedChip, seal
from substrate.assemble.activation import own_activation
from substrate.assemble.bench import open_bench
from substrate.assemble.crossbar import MakeNoise, build_crossbar, takes_noise
from substrate.assemble.initial_weights import initial_weights
from substrate.assemble.layouts import layouts
from substrate.assemble.noise import build_noise, noise_around
from substrate.data.dataset import Dataset
from substrate.scenario.capabilities import chip_capabilities
from substrate.scenario.schema import (
    ActivationFunction,
    AihwkitChip,
    Arm,
    BenchChip,
    Chip,
    IdealChip,
    LeakyRelu,
    NativeChip,
    Network,
    RemoteChip,
    Scenario,
    Staircase,
)


def chip_reproducibility(chip: Chip) -> Literal["bitwise", "statistical"]:
    """Say whether a run with this chip repeats bitwise, or in its statistics alone."""
    if isinstance(chip, BenchChip | RemoteChip):
        return "statistical"
    if not isinstance(chip, AihwkitChip):
        return "bitwise"
    from devices.crossbars.aihwkit import computes_in_cpp
    from devices.crossbars.aihwkit_config import preset_config

    return "statistical" if computes_in_cpp(preset_config(chip.preset, chip.config)) else "bitwise"


def build_chip(
    scenario: Scenario,
    arm: Arm,
    dataset: Dataset,
    seed: int,
    device: torch.device,
    *,
    weights_seed: int | None = None,
) -> SealedChip:
    """Lay the scenario's network out on the arm's chip, program initial weights, and seal it.

    Devices and noise follow from `seed`, and initial weights from `weights_seed` if it is another.

    Raises:
        BenchBusy: the chip is on a bench that is in use.
    """
    if isinstance(arm.chip, RemoteChip):
        raise TypeError("a chip behind a wire is not built here")
    laid_out = layouts(scenario.network, dataset.input_shape, dataset.n_out)
    hidden = _activation(scenario.network)
    noise = [] if isinstance(arm.chip, IdealChip) else arm.chip.noise
    mirror_on = arm.learning.make_rule().mirror_on
    bench = open_bench(arm.chip) if isinstance(arm.chip, BenchChip) else None

    def inside(layer: int, of: str = "") -> MakeNoise:
        return lambda at, array, transposed: build_noise(
            noise, at, layer, seed, device, of + array, transposed=transposed
        )

    def around(shape: LayerShape, layer: int, of: str = "") -> ArrayNoise:
        if takes_noise(arm.chip, shape):
            return ArrayNoise()

        return noise_around(
            lambda at, transposed: build_noise(
                noise, at, layer, seed, device, of, transposed=transposed
            )
        )

    around_weights = [around(layout.shape, n) for n, layout in enumerate(laid_out, start=1)]

    layers = [
        ChipLayer(
            layout,
            build_crossbar(
                arm.chip, layout.shape, seed, f"layer {number}", device, inside(number), bench
            ),
            _identity if layout is laid_out[-1] else hidden,
            torch.zeros(layout.shape.n_out, device=device),
            _decorrelation(
                arm,
                layout.shape.n_in,
                seed,
                f"decorrelation of layer {number}",
                device,
                inside(number, "decorrelation "),
                around(LayerShape(layout.shape.n_in, layout.shape.n_in), number, "decorrelation "),
                bench,
            ),
            input_noise=outer.forward.input,
            output_noise=outer.forward.output,
            transposed_noise=outer.transposed,
            readout=_readout(arm.chip, build_noise(noise, "readout", number, seed, device)),
            input_readout=build_noise(noise, "input_readout", number, seed, device),
            mirror=_mirror(
                arm, layout.shape, seed, number, device, inside(number, "mirror "), bench
            ),
            mirror_noise=around(layout.shape, number, "mirror ")
            if mirror_on == "crossbar" and number > 1
            else ArrayNoise(),
        )
        for number, (layout, outer) in enumerate(
            zip(laid_out, around_weights, strict=True), start=1
        )
    ]
    chip = NetworkChip(layers, chip_capabilities(arm.chip, scenario.network))
    of_weights = seed if weights_seed is None else weights_seed
    initial = initial_weights(chip.shapes, of_weights, scenario.network)
    chip.program([weights.to(device) for weights in initial])
    return seal(chip)


def _readout(chip: Chip, noise: StackedSources | None) -> AddNoise | None:
    if not isinstance(chip, NativeChip) or chip.readout_converter.exact:
        return noise
    return NoisyConverter(chip.readout_converter, noise)


def _decorrelation(
    arm: Arm,
    n_in: int,
    seed: int,
    name: str,
    device: torch.device,
    noise: MakeNoise,
    around: ArrayNoise,
    bench: OpenBench | None,
) -> Decorrelation | None:
    settings = arm.learning.decorrelation
    if settings is None:
        return None
    if settings.on == "digital":
        return DigitalDecorrelation(n_in, device)
    crossbar = build_crossbar(arm.chip, LayerShape(n_in, n_in), seed, name, device, noise, bench)
    return CrossbarDecorrelation(crossbar, n_in, device, around)


def _mirror(
    arm: Arm,
    shape: LayerShape,
    seed: int,
    number: int,
    device: torch.device,
    noise: MakeNoise,
    bench: OpenBench | None,
) -> Crossbar | None:
    """Make B of a layer, holding zeros: no error goes back through the first layer's weights."""
    on = arm.learning.make_rule().mirror_on
    if on is None or number == 1:
        return None
    chip = IdealChip() if on == "digital" else arm.chip
    mirror = build_crossbar(chip, shape, seed, f"mirror of layer {number}", device, noise, bench)
    mirror.program(torch.zeros(shape.n_out, shape.n_in, device=device))
    return mirror


def _activation(network: Network) -> Activation:
    if isinstance(network.activation, Staircase):
        return staircase(network.activation.staircase)
    if isinstance(network.activation, LeakyRelu):
        return leaky_relu(network.activation.leaky_relu)
    if isinstance(network.activation, ActivationFunction):
        return own_activation(network.activation)
    return ACTIVATIONS[network.activation]


def _identity(a: Tensor) -> Tensor:
    return a
