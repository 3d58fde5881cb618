"""Published measurements that are printed as numbers, and what their authors made of them."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from devices.crossbars.native.presets import gong_2018
from substrate.cli.fit_device import _mean_cycle, _steps
from substrate.fit.device.data import read_devices
from substrate.fit.device.fit import DeviceFit, fit_device
from substrate.fit.device.layout import Asked

GONG = Path(__file__).with_name("gong_2018.csv")
"""One cell, a thousand pulses up and a thousand down; its header says whose."""


@pytest.fixture(scope="module")
def gong() -> DeviceFit:
    return fit_device(read_devices([GONG], Asked()))


def test_columns_called_up_and_down_are_branches_of_one_cell():
    measured = read_devices([GONG], Asked())
    assert [each.device for each in measured.responses] == ["gong_2018", "gong_2018"]
    up, down = measured.responses
    assert up.pulses.tolist() == [0] + [1] * 999
    assert down.pulses.tolist() == [0] + [-1] * 999
    assert np.mean(up.readings[-50:]) > 0.9 > -0.9 > np.mean(down.readings[-50:])
    assert not measured.siemens


def test_its_figures_are_near_those_of_the_preset(gong):
    """aihwkit's preset of this device is called a loose fit of the same measurement."""
    found, preset = gong.settings["update"], gong_2018.DEVICE.update
    assert found["dw_min"] == pytest.approx(preset.dw_min, rel=0.25)
    assert found["write_noise"] == pytest.approx(preset.write_noise, rel=0.25)
    # one course tells what steps add up to within a factor of two
    assert preset.cycle_spread / 2 < found["cycle_spread"] < 2 * preset.cycle_spread


def test_it_says_that_the_noise_of_readings_has_a_memory(gong):
    assert any("has a memory" in note for note in gong.notes)
    assert gong.verdicts["response"] == "good"


def test_branches_up_and_down_are_not_averaged_into_one_cycle(gong):
    assert gong.response is not None
    axes = Figure().subplots()
    _mean_cycle(axes, gong.response)
    up, _, down, _ = (np.asarray(line.get_ydata()) for line in axes.get_lines())
    assert up[-100:].mean() > up[:100].mean() + 1
    assert down[-100:].mean() < down[:100].mean() - 1


def test_steps_are_drawn_free_of_what_readings_scatter_by(gong):
    assert gong.response is not None
    axes = Figure().subplots()
    _steps(axes, gong.response)
    up, _, down, _ = (np.asarray(line.get_ydata()) for line in axes.get_lines())
    # one reading scatters by fifty steps, and the next seems to be that far back
    assert np.abs(np.concatenate([up, down])).max() < 5 * gong.settings["update"]["dw_min"]
    assert (up > 0).all()
    assert (down < 0).all()
