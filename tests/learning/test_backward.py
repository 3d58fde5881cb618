"""The way back through given matrices, against autograd through the whole network."""

from functools import partial

import pytest
import torch

from devices.chip import NetworkChip
from devices.chip_layer import ChipLayer
from devices.crossbars.ideal import IdealCrossbar
from devices.decorrelation import DigitalDecorrelation
from devices.interface import Capability, CapabilityError
from devices.layers import Conv2d, Dense
from learning.backward import propagate
from learning.losses import cross_entropy, loss_gradient
from tests.chips import CPU, identity

LAYOUTS = (
    Conv2d(2, 7, 7, channels_out=3, kernel=3, stride=2, padding=1),
    Conv2d(3, 4, 4, channels_out=4, kernel=2),
    Dense(36, 6),
    Dense(6, 5),
)


def chip_with_perfect_mirrors(
    *, decorrelated: bool, capabilities: frozenset[Capability] = frozenset(Capability)
) -> NetworkChip:
    generator = torch.Generator().manual_seed(0)
    layers = []
    for number, layout in enumerate(LAYOUTS):
        shape = layout.shape
        weights = torch.randn(shape.n_out, shape.n_in, generator=generator) / shape.n_in**0.5
        crossbar, mirror = (IdealCrossbar(shape.n_out, shape.n_in, CPU) for _ in range(2))
        crossbar.program(weights)
        mirror.program(weights)
        decorrelation = DigitalDecorrelation(shape.n_in, CPU)
        decorrelation.matrix += 0.1 * torch.randn(shape.n_in, shape.n_in, generator=generator)
        layers.append(
            ChipLayer(
                layout,
                crossbar,
                torch.tanh if number < len(LAYOUTS) - 1 else identity,
                torch.randn(shape.n_out, generator=generator) / 10,
                decorrelation if decorrelated else None,
                mirror=mirror if number > 0 else None,
            )
        )
    return NetworkChip(layers, capabilities)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(8, 2, 7, 7, generator=generator)
    return x, torch.randint(5, (8,), generator=generator)


@pytest.mark.parametrize("decorrelated", [False, True])
@pytest.mark.parametrize("through", ["read_transposed", "read_mirror_transposed"])
def test_through_the_weights_it_is_autograd(decorrelated, through):
    chip = chip_with_perfect_mirrors(decorrelated=decorrelated)
    x, target = batch()
    observed, gradients = chip.backpropagate(x, lambda output: cross_entropy(output, target))
    error = loss_gradient(cross_entropy, observed.output, target)
    read = getattr(chip, through)
    errors = propagate(chip, read, error, observed.pre_activations, lambda layer: None)
    for one, other in zip(errors, gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_a_slope_stands_in_place_of_the_derivative():
    chip = chip_with_perfect_mirrors(decorrelated=False)
    x, target = batch()
    observed = chip.forward(x)
    error = loss_gradient(cross_entropy, observed.output, target)

    def slope(layer: int) -> torch.Tensor:
        return 1 - observed.pre_activations[layer].tanh().square()

    run = partial(propagate, chip, chip.read_transposed, error, observed.pre_activations)
    for one, other in zip(run(slope), run(lambda layer: None), strict=True):
        torch.testing.assert_close(one, other)


def test_what_a_chip_lacks_is_refused():
    chip = chip_with_perfect_mirrors(
        decorrelated=False, capabilities=frozenset({Capability.OBSERVE})
    )
    y, a = torch.zeros(2, 5), torch.zeros(2, 6)
    with pytest.raises(CapabilityError, match="transposed_read"):
        chip.read_transposed(3, y)
    with pytest.raises(CapabilityError, match="activation_derivative"):
        chip.pull_back(2, a, torch.zeros(2, 6))
    with pytest.raises(CapabilityError, match="layer 1 of this chip has no mirror"):
        chip.read_mirror(0, torch.zeros(2, 18))
