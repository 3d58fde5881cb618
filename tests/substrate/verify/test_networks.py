"""The truth that rules are held to: torch's own layers, against finite differences."""

import pytest
import torch

from devices.interface import Capability
from learning.losses import cross_entropy
from substrate.verify.networks import NETWORKS, SmallNetwork

ALL = frozenset(Capability)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda each: each.name)
def test_the_gradient_is_that_of_the_chip(network: SmallNetwork) -> None:
    """By changes of the chip's loss as one node after the other is pushed up and down."""
    x, target, step = network.inputs(1, seed=3), torch.tensor([2]), 1e-2
    chip = network.chip(3, ALL, noise=0.0, mirrors=False, device=torch.device("cpu"))
    truth = network.gradients(x, target, cross_entropy, seed=3)
    for layer, gradient in enumerate(truth):
        nodes = gradient.numel()
        pushes = step * torch.eye(nodes).view(nodes, *gradient.shape[1:])
        here = tuple(pushes if number == layer else None for number in range(len(truth)))
        back = tuple(None if each is None else -each for each in here)
        up, down = (
            cross_entropy(seen.output, target.expand(nodes))
            for seen in chip.passes(x.expand(nodes, *x.shape[1:]), [here, back])
        )
        slope = ((up - down) / (2 * step)).float().view(gradient.shape)
        torch.testing.assert_close(slope, gradient, rtol=1e-2, atol=1e-4)
