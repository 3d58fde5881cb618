"""The initial weights, the same for every arm of a seed.

uniform:         W ~ U(-r/√n_in, r/√n_in)            r = 1: torch's default for a layer
kaiming_normal:  W ~ N(0, 2/n_in)                    torch.nn.init.kaiming_normal_
he_normal:       W ~ N(0, s²) where |W| ≤ 2 s        s = √(2/n_in) / 0.8796: Keras's HeNormal

Cutting a normal distribution at two of its standard deviations leaves 0.8796 of the standard
deviation, so that the last two have the same, √(2/n_in). Through layers of ReLUs it keeps the size
of a signal (He et al., "Delving Deep into Rectifiers", ICCV 2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from devices.interface import LayerShape
from substrate.randomness import stream
from substrate.scenario.schema import Network

_LEFT_BY_TRUNCATION = 0.87962566103423978  # scipy.stats.truncnorm.std(-2, 2)


def initial_weights(shapes: Sequence[LayerShape], seed: int, network: Network) -> list[Tensor]:
    """Draw the weights of all layers, each (n_out, n_in), on the CPU."""
    generator = stream(seed, "initial weights")
    return [_draw(shape, network, generator) for shape in shapes]


def _draw(shape: LayerShape, network: Network, generator: torch.Generator) -> Tensor:
    weights = torch.empty(shape.n_out, shape.n_in)
    std = math.sqrt(2 / shape.n_in)
    if network.initial == "he_normal":
        std /= _LEFT_BY_TRUNCATION
        return nn.init.trunc_normal_(weights, 0.0, std, -2 * std, 2 * std, generator=generator)
    if network.initial == "kaiming_normal":
        return weights.normal_(0.0, std, generator=generator)
    bound = network.initial_range * shape.n_in**-0.5
    return weights.uniform_(-bound, bound, generator=generator)
