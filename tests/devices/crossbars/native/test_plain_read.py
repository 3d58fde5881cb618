"""The usual small read is the one that goes through all places for noise, to the last bit."""

import pytest
import torch

from devices.converters import Converter
from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.drift import Drift
from devices.crossbars.native.plain_read import PlainRead
from devices.noise.base import NoiseSource, StackedSources
from devices.noise.gaussian import GaussianNoise
from devices.noise.uniform import UniformNoise

CPU = torch.device("cpu")
QUIET = Conductance(read_noise=0.0)


def generators(purpose: str) -> torch.Generator:
    return torch.Generator().manual_seed(sum(map(ord, purpose)))


def gaussian(purpose: str, std: float = 0.06) -> NoiseSource:
    return NoiseSource(GaussianNoise(std=std), generators(purpose))


def array(device: NativeDevice, n_out: int = 21, n_in: int = 70, **noise) -> NativeCrossbar:
    noise = {"output_noise": gaussian("output")} | noise
    made = NativeCrossbar(n_out, n_in, device, generators, CPU, **noise)
    made.program(torch.randn(n_out, n_in, generator=generators("weights")) / 5)
    return made


def inputs(reads: int) -> torch.Tensor:
    x = torch.randn(reads, 70, generator=generators("x"))
    x[0] = 0
    return x


@pytest.mark.parametrize(
    "device",
    [
        NativeDevice(conductance=QUIET),
        NativeDevice(conductance=QUIET, output_converter=Converter(bits=5, range=0.3)),
        NativeDevice(conductance=QUIET, drift=Drift(nu=0.05, seconds_per_read=1e-3)),
    ],
    ids=["defaults", "few levels", "drift"],
)
@pytest.mark.parametrize("reads", [1, 50])
def test_it_is_the_same_to_the_last_bit(monkeypatch, device, reads):
    one, other = array(device), array(device)
    x = inputs(reads)
    assert one._plain_read.takes(x)
    found = [one.read(x), one.read(x)]
    monkeypatch.setattr(PlainRead, "takes", lambda *_: False)
    for each in found:
        assert torch.equal(each, other.read(x))
    assert torch.equal(x, inputs(reads))


def test_a_scenario_s_only_source_is_taken_out_of_its_stack(monkeypatch):
    noises = [StackedSources([gaussian("output")]) for _ in range(2)]
    one, other = (array(NativeDevice(conductance=QUIET), output_noise=each) for each in noises)
    x = inputs(50)
    assert one._plain_read.takes(x)
    found = one.read(x)
    monkeypatch.setattr(PlainRead, "takes", lambda *_: False)
    assert torch.equal(found, other.read(x))


def test_several_positions_and_other_precisions_are_left_to_others():
    plain = array(NativeDevice(conductance=QUIET))._plain_read
    assert not plain.takes(torch.zeros(2, 3, 70))
    assert not plain.takes(torch.zeros(2, 70, dtype=torch.float64))
    assert not plain.takes(torch.zeros(2, 70, requires_grad=True))
    assert not plain.takes(torch.zeros(70, 2).T)


@pytest.mark.parametrize(
    ("device", "noise"),
    [
        (NativeDevice(conductance=Conductance(read_noise=0.02)), {}),
        (NativeDevice(conductance=QUIET, input_converter=Converter()), {}),
        (NativeDevice(conductance=QUIET, output_converter=Converter(bits=8)), {}),
        (NativeDevice(conductance=QUIET), {"output_noise": None}),
        (NativeDevice(conductance=QUIET), {"input_noise": gaussian("input")}),
        (NativeDevice(conductance=QUIET), {"weight_noise": gaussian("weight")}),
        (
            NativeDevice(conductance=QUIET),
            {"output_noise": StackedSources([gaussian("a"), gaussian("b")])},
        ),
        (
            NativeDevice(conductance=QUIET),
            {"output_noise": NoiseSource(UniformNoise(), generators("u"))},
        ),
    ],
)
def test_what_it_cannot_do_is_left_to_others(device, noise):
    assert not array(device, **noise)._plain_read.takes(inputs(3))
