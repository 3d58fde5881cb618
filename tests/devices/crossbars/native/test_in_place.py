"""Small outer products in one go are those that go step by step, to the last bit."""

import pytest
import torch

from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.in_place import InPlace
from devices.crossbars.native.response import PulseResponse
from devices.interface import Outer

CPU = torch.device("cpu")
N_OUT, N_IN, SAMPLES = 21, 70, 6
"""Columns that are no eights, more cells than a tile is made of when taken with the next."""


def array(response: PulseResponse, n_out: int = N_OUT, n_in: int = N_IN) -> NativeCrossbar:
    def generators(purpose: str) -> torch.Generator:
        return torch.Generator().manual_seed(sum(map(ord, purpose)))

    device = NativeDevice(conductance=Conductance(), update=response)
    made = NativeCrossbar(n_out, n_in, device, generators, CPU)
    made.program(torch.randn(n_out, n_in, generator=generators("weights")) / 5)
    return made


def outer(samples: int = SAMPLES, rate: float = 0.02) -> Outer:
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(samples, N_IN, generator=generator)
    return Outer(x, torch.randn(samples, N_OUT, generator=generator), rate)


@pytest.mark.parametrize(
    "response",
    [
        PulseResponse(),
        PulseResponse(cycle_spread=0.0, dw_min_spread=0.0, up_down_spread=0.0),
        PulseResponse(gamma_up=1.0, gamma_down=0.7, gamma_spread=0.1, up_down=0.2),
        PulseResponse(gamma_up=1.0, gamma_down=1.0, cycle_spread_is="additive", cycle_spread=2.0),
    ],
)
@pytest.mark.parametrize(
    "request_",
    [
        outer(),
        outer(rate=-0.5),
        outer(samples=0),
        Outer(outer().x.T.contiguous().T, outer().d, 0.02),
        Outer(outer().x * torch.nan, outer().d, 0.02),
    ],
    ids=["small", "cut short", "nothing", "by columns", "not finite"],
)
def test_it_is_the_same_to_the_last_bit(monkeypatch, response, request_):
    one_go, step_by_step = array(response), array(response)
    assert one_go._in_place.takes(request_)
    one_go.update(request_)
    monkeypatch.setattr(InPlace, "takes", lambda *_: False)
    step_by_step.update(request_)
    expected = step_by_step.state()
    for name, value in one_go.state().items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(
    "response",
    [PulseResponse(write_noise=0.1), PulseResponse(blocks=2)],
    ids=["write noise", "blocks"],
)
def test_what_it_cannot_do_is_left_to_others(response):
    assert not array(response)._in_place.takes(outer())


def test_large_arrays_and_other_precisions_are_left_to_others():
    assert not array(PulseResponse(), 512, 512)._in_place.takes(outer())
    assert not array(PulseResponse())._in_place.takes(outer(samples=100_000))
    request = outer()
    assert not array(PulseResponse())._in_place.takes(Outer(request.x.double(), request.d, 0.1))


def test_a_restored_array_is_pulsed_as_its_own_devices_are():
    response, request = PulseResponse(), outer()
    one, other = array(response), array(response, N_OUT, N_IN)
    other._devices = other._devices._replace(up=other._devices.up * 2)
    other.restore(one.state())
    one.update(request)
    other.update(request)
    assert torch.equal(one.state()["weights"], other.state()["weights"])


def test_an_array_that_was_programmed_in_double_precision_is_pulsed_as_others_are():
    response, request = PulseResponse(), outer()
    one, other = array(response), array(response)
    weights = torch.linspace(-0.3, 0.3, N_OUT * N_IN).view(N_OUT, N_IN)
    for each, values in ((one, weights), (other, weights.double())):
        each.program(values)
        each.update(request)
    assert torch.equal(one.state()["weights"], other.state()["weights"])
