import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from devices.converters import Conversion, Converter
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


def as_torch_converts(signal: Tensor, bits: int) -> Tensor:
    levels = 2 ** (bits - 1) - 1
    step = signal.abs().amax(-1, keepdim=True).clamp(min=1e-30) / levels
    return (signal / step).round() * step


@pytest.mark.parametrize("bits", [2, 7, 24])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (700, 1000), (4, 9, 130)])
def test_compiled_converter_of_every_reads_range_is_torchs_to_the_last_bit(shape, bits):
    signal = torch.randn(shape, generator=torch.Generator().manual_seed(bits))
    signal[0].zero_()
    expected = as_torch_converts(signal, bits)
    converted, top = Converter(bits=bits).convert_in_own_range(signal)
    assert torch.equal(converted, expected)
    assert torch.equal(top, signal.abs().amax(-1, keepdim=True).clamp(min=1e-30))
    assert converted.data_ptr() != signal.data_ptr()
    assert Converter(bits=bits).convert_in_own_range(signal, out=signal)[0] is signal
    assert torch.equal(signal, expected)


def test_compiled_converter_hands_on_what_is_not_a_number():
    signal = torch.ones(2, 100)
    signal[1, 40] = torch.nan
    converted, top = Converter(bits=7).convert_in_own_range(signal)
    assert torch.equal(converted[0], torch.ones(100))
    assert converted[1].isnan().all()
    assert top[1].isnan().all()


def test_signal_in_another_order_of_memory_is_converted_all_the_same():
    signal = torch.randn(200, 300, generator=torch.Generator().manual_seed(0))
    across = Converter(bits=5)(signal.T)
    assert torch.equal(across, as_torch_converts(signal.T.contiguous(), 5))


# rows that are no whole number of tiles, positions, few lines, one range for all and one for each
@pytest.mark.parametrize("shape", [(300, 1000), (5, 7, 333), (700, 10), (1, 64)])
@pytest.mark.parametrize("follows", [False, True])
@pytest.mark.parametrize("bits", [6, "exact"])
def test_noise_and_conversion_in_one_go_are_the_two_one_after_the_other(shape, follows, bits):
    def stacked():
        return StackedSources(
            [
                NoiseSource(GaussianNoise(std=std), torch.Generator().manual_seed(seed))
                for seed, std in enumerate((0.5, 0.2))
            ]
        )

    converter = Converter(bits=bits, range=1.5)
    signal = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    full_scale = 1.5 * torch.rand(*shape[:-1], 1).add_(0.1) if follows else converter.range
    expected = converter.convert(stacked()(signal), full_scale)
    assert (expected.abs() >= 0.999 * full_scale).double().mean() > 0.05  # they saturate
    sources = stacked()
    assert torch.equal(sources.convert(signal, Conversion(converter, full_scale)), expected)
    ahead = stacked()
    ahead(signal)
    for name, state in ahead.state().items():
        assert torch.equal(state, sources.state()[name])
