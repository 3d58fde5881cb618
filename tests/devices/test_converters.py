import pytest
import torch
from pydantic import ValidationError

from devices.converters import Converter, NoisyConverter
from devices.noise.base import NoiseSource, StackedSources
from devices.noise.gaussian import GaussianNoise


def test_fixed_range_rounds_to_levels_and_saturates():
    converter = Converter(bits=3, range=0.6)  # levels at multiples of 0.2
    signal = torch.tensor([[-5.0, -0.31, -0.29, 0.09, 0.11, 0.5, 0.7]])
    expected = torch.tensor([[-0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6]])
    # 0.5 lies in the middle between two levels and goes to the even one
    torch.testing.assert_close(converter(signal), expected)


def test_following_range_has_its_step_from_the_largest_value_of_every_read():
    converter = Converter(bits=2)  # -max, 0, max
    signal = torch.tensor([[1.0, -4.0, 3.0], [0.1, 0.2, 0.04]])
    expected = torch.tensor([[0.0, -4.0, 4.0], [0.0, 0.2, 0.0]])
    # 0.1 is half of the range and goes to the even level
    torch.testing.assert_close(converter(signal), expected)


def test_a_read_of_zeros_stays_zero():
    assert torch.equal(Converter(bits=4)(torch.zeros(2, 3)), torch.zeros(2, 3))


def test_exact_converter_changes_nothing_and_gives_a_tensor_of_its_own():
    signal = torch.randn(4, 5)
    seen = Converter()(signal)
    assert torch.equal(seen, signal)
    assert seen.data_ptr() != signal.data_ptr()


def test_infinitely_fine_converter_still_saturates():
    signal = torch.tensor([[-3.0, 0.123, 3.0]])
    assert torch.equal(Converter(range=1.0)(signal), torch.tensor([[-1.0, 0.123, 1.0]]))


def test_signal_itself_stays_as_it_was():
    signal = torch.randn(4, 5)
    before = signal.clone()
    Converter(bits=3)(signal)
    assert torch.equal(signal, before)


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_error_of_rounding_is_uniform(bits):
    signal = torch.rand(1, 200_000, dtype=torch.float64) * 2 - 1
    error = Converter(bits=bits, range=1.0)(signal) - signal
    step = 1 / (2 ** (bits - 1) - 1)
    assert error.abs().max() <= step / 2 * (1 + 1e-9)
    # variance step² / 12; its relative standard error is √(0.8 / n) = 0.2 %, six of them allowed
    assert error.var().item() == pytest.approx(step**2 / 12, rel=0.012)


@pytest.mark.parametrize("bad", [{"bits": 1}, {"bits": 25}, {"range": 0.0}, {"bits": "many"}])
def test_impossible_converters_are_refused(bad):
    with pytest.raises(ValidationError):
        Converter(**bad)


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
