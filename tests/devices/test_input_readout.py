"""Noise on the reading of layer inputs: it is observed, and does not travel."""

import torch

from devices.noise.base import NoiseSource
from devices.noise.gaussian import GaussianNoise
from tests.chips import make_chip

SIZES = (6, 5, 4, 3)


def blurred(std: float):
    source = NoiseSource(GaussianNoise(std=std), torch.Generator().manual_seed(3))
    return make_chip(SIZES, input_readout=source)


def test_it_blurs_what_is_observed_of_the_inputs_and_nothing_else():
    x = torch.randn(2000, SIZES[0], generator=torch.Generator().manual_seed(1))
    clean, seen = make_chip(SIZES).forward(x), blurred(0.1).forward(x)
    assert torch.equal(seen.output, clean.output)
    for one, other in zip(seen.pre_activations, clean.pre_activations, strict=True):
        assert torch.equal(one, other)
    for one, other in zip(seen.inputs, clean.inputs, strict=True):
        # some 8,000 numbers and more: a standard error of the deviation of under 1 %
        assert abs((one - other).std().item() / 0.1 - 1) < 0.07


def test_every_pass_reads_afresh():
    x = torch.randn(50, SIZES[0], generator=torch.Generator().manual_seed(1))
    one, other = blurred(0.1).passes(x, [None, None])
    assert torch.equal(one.output, other.output)
    assert not any(torch.equal(a, b) for a, b in zip(one.inputs, other.inputs, strict=True))
