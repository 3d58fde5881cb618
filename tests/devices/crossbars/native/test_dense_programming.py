"""Dense changes that are programmed: what is added up digitally, and what pulses do to it."""

import math

import pytest
import torch

from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.response import PulseResponse
from devices.interface import Dense, Outer
from tests.devices.crossbars.native.arrays import STILL, crossbar


def test_dense_changes_are_added_to_a_digital_copy_and_not_to_what_was_programmed():
    coarse = Conductance(**STILL | {"levels": 16})
    array = crossbar(4, 6, conductance=coarse, update=PulseResponse(dense="program"), seed=3)
    array.program(torch.zeros(4, 6))
    for _ in range(50):
        array.update(Dense(torch.full((4, 6), 0.01)))
    step = 2 / 15  # of a pair with 16 levels each
    assert (array.read(torch.eye(6)) - 0.5).abs().max() <= step / 2 + 1e-5
    array.update(Dense(torch.full((4, 6), 0.03)))
    other = crossbar(4, 6, conductance=coarse, update=PulseResponse(dense="program"), seed=3)
    other.restore(array.state())
    for each in (array, other):
        each.update(Dense(torch.full((4, 6), -0.03)))
    assert torch.equal(array.read(torch.eye(6)), other.read(torch.eye(6)))


def test_programming_error_does_not_add_up():
    errors = []
    for times in (1, 200):
        array = crossbar(
            20,
            30,
            conductance=Conductance(**STILL | {"programming_error": (0.01,)}),
            update=PulseResponse(dense="program"),
        )
        array.program(torch.zeros(20, 30))
        for _ in range(times):
            array.update(Dense(torch.zeros(20, 30)))
        errors.append(array.read(torch.eye(30)).square().mean().sqrt().item())
    assert errors[1] < 1.3 * errors[0]


def test_after_pulses_what_the_devices_hold_is_changed():
    array = crossbar(2, 3, update=PulseResponse(dense="program", dw_min_spread=0.0))
    array.program(torch.zeros(2, 3))
    array.update(Dense(torch.full((2, 3), 0.1)))
    array.update(Outer(torch.ones(4, 3), torch.ones(4, 2), 0.05))
    pulsed = array.read(torch.eye(3))
    assert pulsed.mean() < 0.0
    array.update(Dense(torch.full((2, 3), 0.1)))
    torch.testing.assert_close(array.read(torch.eye(3)), pulsed + 0.1)


# The raised cell of a pair scatters on both sides, the other one about zero and not below it. Of
# 40 000 cells six standard errors are 3 % of the mean and the standard deviation of the error.
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_at_a_bound_the_programming_error_is_what_it_is_elsewhere(sign):
    error = 0.05
    window = Conductance(**STILL | {"programming_error": (error,), "g_min": 0.0})
    array = crossbar(200, 200, conductance=window)
    array.program(torch.full((200, 200), sign))
    held = sign * array.read(torch.eye(200))
    floor, variance = 1 / math.sqrt(2 * math.pi), 1 / 2 - 1 / (2 * math.pi)
    assert held.mean().item() == pytest.approx(1 - error * floor, abs=0.03 * error)
    assert held.std().item() == pytest.approx(error * math.sqrt(1 + variance), rel=0.03)


def test_no_level_is_aimed_at_beyond_a_devices_own_bound():
    window = Conductance(**STILL | {"levels": 2, "w_max_spread": 0.1, "g_min": 0.0})
    array = crossbar(50, 50, conductance=window)
    array.program(torch.full((50, 50), 2.0))
    highest = array.state()["devices.w_max"].clamp(max=1)  # of the level, and of the device
    torch.testing.assert_close(array.read(torch.eye(50)).T, highest)
