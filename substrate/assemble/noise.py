"""From the noise of a chip's settings to the sources at each place of each layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch

from devices.array_noise import ArrayNoise, LineNoise
from devices.noise.base import NoiseModel, NoiseSource, StackedSources
from substrate.randomness import stream
from substrate.scenario.schema.noise import Place, PlacedNoise


def build_noise(
    noise: Sequence[PlacedNoise],
    at: Place,
    layer: int,
    seed: int,
    device: torch.device,
    array: str = "",
    *,
    transposed: bool = False,
) -> StackedSources | None:
    """Make the sources at one place of one layer, each with a random stream of its own.

    Args:
        noise: all the noise of a chip; a source's number in it is part of its stream's purpose.
        at: the place.
        layer: number of the layer, counted from 1.
        seed: of the scenario.
        device: where signals live.
        array: tells the arrays of a layer apart where each has sources of its own.
        transposed: for reads of an array from its columns.
    """
    sources = [
        NoiseSource(
            cast(NoiseModel, model),
            stream(
                seed,
                "noise",
                at,
                f"layer {layer}",
                f"source {number}",
                *([f"array {array}"] if array else []),
                *(["transposed"] if transposed else []),
                device=device,
            ),
            of_weights=at == "weight",
        )
        for number, model in enumerate(noise)
        if model.at == at and model.acts_on(layer)
    ]
    return StackedSources(sources) if sources else None


def noise_around(make: Callable[[Place, bool], StackedSources | None]) -> ArrayNoise:
    """Give an array's noise; `make` makes sources at a place, for transposed reads or not."""
    forward, transposed = (
        LineNoise(make("input", way), make("output", way)) for way in (False, True)
    )
    return ArrayNoise(forward, transposed)
