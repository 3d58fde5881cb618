"""Layouts against torch's own layers, and the rules' conv updates against autograd."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from devices.chip import NetworkChip
from devices.chip_layer import ChipLayer
from devices.crossbars.ideal import IdealCrossbar
from devices.interface import Capability, LayerShape
from devices.layers import Conv2d, Dense, Layout
from learning.estimator import Estimator
from learning.losses import cross_entropy
from tests.chips import CPU, identity
from tests.rules import rule_settings
from tests.statistics import assert_mean

CONV = Conv2d(2, 5, 5, channels_out=3, kernel=3, stride=2, padding=1)
LAYOUTS: tuple[Layout, ...] = (CONV, Dense(3 * 3 * 3, 4))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
def test_unfolded_patches_times_the_matrix_are_torchs_convolution(
    kernel: int, padding: int, stride: int
) -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, 3, 7, 6, generator=generator)
    kernels = torch.randn(4, 3, kernel, kernel, generator=generator)
    layout = Conv2d(3, 7, 6, 4, kernel, stride, padding)
    rows = layout.to_rows(image)
    assert rows.numel() == 2 * layout.shape.positions * layout.shape.n_in
    ours = layout.from_columns(rows @ kernels.flatten(1).T)
    expected = functional.conv2d(image, kernels, stride=stride, padding=padding)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


def test_a_single_position_has_no_axis_of_its_own() -> None:
    image = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    kernels = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    layout = Conv2d(3, 4, 4, 5, kernel=4)
    assert layout.shape == LayerShape(5, 48)
    rows = layout.to_rows(image)
    assert rows.shape == (2, 48)
    ours = layout.from_columns(rows @ kernels.flatten(1).T)
    torch.testing.assert_close(ours, functional.conv2d(image, kernels), rtol=1e-5, atol=1e-5)


def test_every_channel_at_every_position_is_a_node() -> None:
    assert Conv2d(3, 32, 32, 16, kernel=3, stride=2).shape == LayerShape(16, 27, 225)
    assert Conv2d(3, 32, 32, 16, kernel=3, stride=2).shape.nodes == 3600


def test_a_kernel_larger_than_the_padded_image_is_refused() -> None:
    with pytest.raises(ValueError, match="5×5 does not fit on an image of 2×9 with padding 1"):
        Conv2d(1, 2, 9, 4, kernel=5, padding=1)
    Conv2d(1, 3, 9, 4, kernel=5, padding=1)


def conv_chip() -> NetworkChip:
    generator = torch.Generator().manual_seed(3)
    layers, weights = [], []
    for layout in LAYOUTS:
        shape = layout.shape
        activation = identity if layout is LAYOUTS[-1] else torch.tanh
        bias = torch.randn(shape.n_out, generator=generator) / 10
        crossbar = IdealCrossbar(shape.n_out, shape.n_in, CPU)
        layers.append(ChipLayer(layout, crossbar, activation, bias))
        weights.append(torch.randn(shape.n_out, shape.n_in, generator=generator) / shape.n_in**0.5)
    chip = NetworkChip(layers, frozenset(Capability))
    chip.program(weights)
    return chip


def input_and_target() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    return torch.randn(1, 2, 5, 5, generator=generator), torch.tensor([1])


def kernel_gradient() -> tuple[Tensor, Tensor]:
    """∂L/∂W of both layers by autograd through torch's own convolution; also checks the pass."""
    chip = conv_chip()
    generator = torch.Generator().manual_seed(3)
    parameters = []
    for layout in LAYOUTS:
        shape = layout.shape
        bias = torch.randn(shape.n_out, generator=generator) / 10
        weights = torch.randn(shape.n_out, shape.n_in, generator=generator) / shape.n_in**0.5
        parameters.append((weights.requires_grad_(), bias))
    (kernels, conv_bias), (dense, dense_bias) = parameters
    x, target = input_and_target()
    image = functional.conv2d(x, kernels.view(3, 2, 3, 3), conv_bias, stride=2, padding=1)
    output = functional.linear(torch.tanh(image).flatten(1), dense, dense_bias)
    torch.testing.assert_close(chip.forward(x).output, output.detach())
    gradients = torch.autograd.grad(functional.cross_entropy(output, target), (kernels, dense))
    return gradients[0], gradients[1]


def test_backpropagation_gives_the_kernels_gradient() -> None:
    x, target = input_and_target()
    observed, errors = conv_chip().backpropagate(x, lambda out: cross_entropy(out, target))
    for d, rows, expected in zip(errors, observed.inputs, kernel_gradient(), strict=True):
        ours = d.reshape(-1, d.shape[-1]).T @ rows.reshape(-1, rows.shape[-1])
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rule", ["np", "inp"])
def test_expected_kernel_update_is_the_gradient(rule: str) -> None:
    """NP and INP are unbiased to first order in σ, over positions too; 1e-6 false alarms."""
    samples = 20_000
    x, target = input_and_target()
    estimator = Estimator(
        conv_chip(),
        rule_settings(rule, sigma=1e-3),
        cross_entropy,
        torch.Generator().manual_seed(9),
    )
    targets = target.expand(samples)
    estimate = estimator.estimate(x.expand(samples, -1, -1, -1), targets)
    for d, rows, expected in zip(estimate.errors, estimate.inputs, kernel_gradient(), strict=True):
        updates = torch.einsum(
            "spi,spj->sij", *(part.reshape(samples, -1, part.shape[-1]) for part in (d, rows))
        )
        assert_mean(updates.flatten(1), expected.flatten())


def test_expected_kernel_update_of_anp_is_downhill_and_turned_by_the_covariance() -> None:
    """First layer: δa is white there, so ANP's update is the gradient times a scalar; no bias."""
    samples = 20_000
    x, target = input_and_target()
    estimator = Estimator(
        conv_chip(), rule_settings("anp"), cross_entropy, torch.Generator().manual_seed(9)
    )
    targets = target.expand(samples)
    estimate = estimator.estimate(x.expand(samples, -1, -1, -1), targets)
    d, rows = estimate.errors[0], estimate.inputs[0]
    updates = torch.einsum("spi,spj->sij", d, rows).flatten(1)
    expected = kernel_gradient()[0].flatten()
    # the scalar is not known beforehand: compare what is left after projecting onto the gradient
    along = updates.mean(0) @ expected / expected.square().sum()
    assert 0.3 < along < 1.5
    assert_mean(updates, along * expected)
