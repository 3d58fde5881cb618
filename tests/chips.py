"""Small chips that tests share."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from devices.activations import Activation
from devices.chip import NetworkChip
from devices.chip_layer import ChipLayer
from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.decorrelation import DigitalDecorrelation
from devices.interface import Capability
from devices.layers import Dense

CPU = torch.device("cpu")


def identity(a: Tensor) -> Tensor:
    return a


def random_weights(sizes: Sequence[int], seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(n_out, n_in, generator=generator) / n_in**0.5 for n_in, n_out in pairwise(sizes)
    ]


def make_chip(
    sizes: Sequence[int],
    crossbar: Callable[[int, int], Crossbar] = lambda n_out, n_in: IdealCrossbar(n_out, n_in, CPU),
    capabilities: frozenset[Capability] = frozenset(Capability),
    *,
    activation: Activation = torch.tanh,
    decorrelated: bool = False,
    seed: int = 0,
    **noise: Callable[[Tensor], Tensor],
) -> NetworkChip:
    """A fully connected chip, random weights and biases, empty mirrors; linear last layer."""
    generator = torch.Generator().manual_seed(seed + 1)
    layers = [
        ChipLayer(
            Dense(n_in, n_out),
            crossbar(n_out, n_in),
            activation if index < len(sizes) - 2 else identity,
            torch.randn(n_out, generator=generator) / 10,
            DigitalDecorrelation(n_in, CPU) if decorrelated else None,
            **noise,
            mirror=IdealCrossbar(n_out, n_in, CPU) if index > 0 else None,
        )
        for index, (n_in, n_out) in enumerate(pairwise(sizes))
    ]
    chip = NetworkChip(layers, capabilities)
    chip.program(random_weights(sizes, seed))
    return chip


def torch_network(sizes: Sequence[int], seed: int = 0) -> torch.nn.Sequential:
    """The same network as `make_chip` makes, in plain torch, as independent truth."""
    generator = torch.Generator().manual_seed(seed + 1)
    modules: list[torch.nn.Module] = []
    for weights in random_weights(sizes, seed):
        linear = torch.nn.Linear(weights.shape[1], weights.shape[0])
        linear.weight.data = weights
        linear.bias.data = torch.randn(weights.shape[0], generator=generator) / 10
        modules += [linear, torch.nn.Tanh()]
    return torch.nn.Sequential(*modules[:-1])
