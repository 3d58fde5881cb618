import pytest
import torch

from devices.converters import Converter
from devices.noise.base import NoiseSource, StackedSources
from devices.noise.gaussian import GaussianNoise
from devices.noisy_converter import NoisyConverter


def test_noise_in_front_of_a_converter_is_rounded_with_the_signal():
    source = NoiseSource(GaussianNoise(std=0.4), torch.Generator().manual_seed(0))
    readout = NoisyConverter(Converter(bits=3, range=3.0), StackedSources([source]))
    state = readout.state()
    seen = readout(torch.zeros(50, 40))
    assert torch.equal(seen, seen.round())
    # |noise| > 0.5 with probability 0.211; six standard errors allowed
    assert (seen != 0).double().mean().item() == pytest.approx(0.2113, abs=6 * 0.0092)
    readout.restore(state)
    assert torch.equal(readout(torch.zeros(50, 40)), seen)
