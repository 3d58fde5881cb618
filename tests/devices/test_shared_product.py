"""Passes through W R as one matrix: the same in float64, formed when it pays, never out of date."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from devices.chip import NetworkChip
from devices.chip_layer import ChipLayer
from devices.crossbars.ideal import IdealCrossbar
from devices.decorrelation import DigitalDecorrelation
from devices.interface import (
    Capability,
    DecorrelationUpdate,
    LayerUpdate,
    Observation,
)
from devices.interface import Dense as DenseUpdate
from devices.layers import Conv2d, Dense
from tests.chips import CPU, make_chip, random_weights

SIZES = (7, 6, 5, 3)
F64 = torch.float64


def exact_chip(seed: int = 0, sizes: tuple[int, ...] = SIZES) -> NetworkChip:
    """A chip in float64 whose R are no identities."""
    chip = make_chip(sizes, decorrelated=True, seed=seed)
    generator = torch.Generator().manual_seed(seed + 5)
    for layer in chip._layers:
        layer.crossbar.weights = layer.crossbar.weights.double()
        n = layer.layout.shape.n_in
        layer.decorrelation.matrix = torch.randn(n, n, generator=generator, dtype=F64) / n**0.5
        object.__setattr__(layer, "bias", layer.bias.double())
    return chip


def by_hand(chip: NetworkChip, x: Tensor, perturb: list[Tensor] | None) -> Observation:
    """One pass, one matrix after the other."""
    inputs, activities = [], []
    for number, layer in enumerate(chip._layers):
        inputs.append(x @ layer.decorrelation.matrix.T)
        a = inputs[-1] @ layer.crossbar.weights.T + layer.bias
        activities.append(a if perturb is None else a + perturb[number])
        x = layer.activation(activities[-1])
    return Observation(tuple(inputs), tuple(activities), activities[-1])


def formed(chip: NetworkChip) -> list[bool]:
    return [product._product is not None for product in chip._products]


def assert_same(seen: Observation, expected: Observation, inputs: bool = True) -> None:
    if inputs:
        for one, other in zip(seen.inputs, expected.inputs, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    else:
        assert seen.inputs == ()
    for one, other in zip(seen.pre_activations, expected.pre_activations, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(seen.output, expected.output, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("batch", [2, 4, 50])
def test_passes_are_those_through_both_matrices(batch):
    chip = exact_chip()
    x = torch.randn(batch, SIZES[0], dtype=F64)
    noise = [tuple(torch.randn(batch, n, dtype=F64) for n in SIZES[1:]) for _ in range(3)]
    observed = chip.passes(x, [None, *noise], read_inputs=[0])
    # three passes of a batch against 6, 5 and 3 outputs; in the first layer all are still one
    assert formed(chip) == [False, 3 * batch > 5, 3 * batch > 3]
    for number, (seen, perturb) in enumerate(zip(observed, [None, *noise], strict=True)):
        assert_same(seen, by_hand(chip, x, perturb), inputs=number == 0)


def test_inputs_of_any_passes_are_read_beside_it():
    chip = exact_chip()
    x = torch.randn(20, SIZES[0], dtype=F64)
    noise = [tuple(torch.randn(20, n, dtype=F64) for n in SIZES[1:]) for _ in range(3)]
    observed = chip.passes(x, [noise[0], None, noise[1], noise[2]], read_inputs=[1, 3])
    assert formed(chip) == [False, True, True]
    for number, perturb in enumerate([noise[0], None, noise[1], noise[2]]):
        assert_same(observed[number], by_hand(chip, x, perturb), inputs=number in (1, 3))


def test_passes_of_fewer_samples_share_it():
    chip = exact_chip()
    x = torch.randn(20, SIZES[0], dtype=F64)
    noise = tuple(torch.randn(15, n, dtype=F64) for n in SIZES[1:])
    whole, part = chip.passes(x, [None, noise], samples=[20, 15], read_inputs=[0])
    assert formed(chip) == [False, True, True]
    assert_same(whole, by_hand(chip, x, None))
    assert_same(part, by_hand(chip, x[:15], noise), inputs=False)


def test_a_gradient_goes_back_through_it():
    chip, x = exact_chip(), torch.randn(30, SIZES[0], dtype=F64)
    observed, gradients = chip.backpropagate(x, lambda output: output.square().sum(1))
    assert formed(chip) == [False, True, True]
    expected = by_hand(chip, x, None)
    assert_same(observed, expected)
    network = [(each.decorrelation.matrix, each.crossbar.weights) for each in chip._layers]
    error = 2 * expected.output
    for number in (2, 1, 0):
        torch.testing.assert_close(gradients[number], error, rtol=1e-10, atol=1e-10)
        if number > 0:
            r, w = network[number]
            slope = 1 - expected.pre_activations[number - 1].tanh().square()
            error = error @ w @ r * slope


def test_it_is_formed_once_enough_rows_have_come_and_forgotten_when_something_changes():
    chip = exact_chip()
    x = torch.randn(4, SIZES[0], dtype=F64)

    def evaluate() -> None:
        seen = chip.passes(x, [None], read_inputs=())[0]
        assert_same(seen, by_hand(chip, x, None), inputs=False)

    changes = [
        lambda: chip.apply([LayerUpdate(1, weight=DenseUpdate(torch.ones(5, 6, dtype=F64)))]),
        lambda: chip.apply(
            [LayerUpdate(2, decorrelation=DecorrelationUpdate(torch.randn(9, 5, dtype=F64), 0.1))]
        ),
        lambda: chip.restore(exact_chip(seed=3).state()),
        lambda: chip.program(random_weights(SIZES, seed=9)),
    ]
    for change in changes:
        evaluate()
        assert formed(chip) == [False, False, True]
        evaluate()
        assert formed(chip) == [True, True, True]
        evaluate()
        change()
        assert formed(chip) == [False, False, False]


def test_an_evaluation_leaves_no_trace_in_the_rounding_of_what_follows():
    chip = exact_chip()
    x = torch.randn(50, SIZES[0], dtype=F64)
    with chip.without_trace():
        chip.passes(x, [None], read_inputs=())
        assert formed(chip) == [True, True, True]
    assert formed(chip) == [False, False, False]


@pytest.mark.parametrize("place", ["input_noise", "input_readout"])
def test_there_is_none_where_something_acts_between_the_two(place):
    chip = make_chip(SIZES, decorrelated=True, **{place: lambda signal: signal + 1})
    assert chip._products == (None,) * 3
    assert make_chip(SIZES)._products == (None,) * 3


def test_convolutions_share_it_over_their_positions():
    layouts = [Conv2d(2, 5, 5, 3, 3), Dense(27, 4)]
    layers = [
        ChipLayer(
            layout,
            IdealCrossbar(layout.shape.n_out, layout.shape.n_in, CPU),
            torch.tanh,
            torch.randn(layout.shape.n_out),
            DigitalDecorrelation(layout.shape.n_in, CPU),
        )
        for layout in layouts
    ]
    chip = NetworkChip(layers, frozenset({Capability.OBSERVE}))
    chip.program([torch.randn(layout.shape.n_out, layout.shape.n_in) for layout in layouts])
    first = layers[0]
    first.decorrelation.matrix = torch.randn(18, 18) / 18**0.5
    x = torch.randn(1, 2, 5, 5)
    (seen,) = chip.passes(x, [None], read_inputs=())
    assert formed(chip) == [True, False]  # nine positions for three channels, one for four nodes
    kernels = (first.crossbar.weights @ first.decorrelation.matrix).view(3, 2, 3, 3)
    expected = functional.conv2d(x, kernels, first.bias).flatten(2).mT
    torch.testing.assert_close(seen.pre_activations[0], expected, rtol=1e-4, atol=1e-5)
