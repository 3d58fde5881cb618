"""Pulsed updates against aihwkit's pulse-by-pulse tile with the same devices.

Stated bounds, of the change of every weight by one update of a batch, for changes up to a tenth of
the weight's range: its mean within 5 % of the largest change, its variance within 10 %; both beyond
the statistical error of as many repeats.
"""

import pytest
import torch
from aihwkit.simulator.configs import SingleRPUConfig
from aihwkit.simulator.configs.devices import (
    ConstantStepDevice,
    LinearStepDevice,
    SoftBoundsDevice,
)

from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.response import PulseResponse
from devices.interface import Dense, Outer

REPEATS = 600
ALIKE = {"dw_min_dtod": 0.0, "up_down_dtod": 0.0, "w_max_dtod": 0.0, "w_min_dtod": 0.0}
DEVICES = {
    "constant": (
        ConstantStepDevice(
            dw_min=0.005, dw_min_std=0.3, up_down=0.2, w_max=1.0, w_min=-1.0, **ALIKE
        ),
        {"up_down": 0.2, "cycle_spread": 0.3},
    ),
    "soft bounds": (
        SoftBoundsDevice(dw_min=0.005, dw_min_std=0.3, w_max=0.9, w_min=-0.7, **ALIKE),
        {"gamma_up": 1.0, "gamma_down": 1.0, "cycle_spread": 0.3},
    ),
    "linear, additive": (
        LinearStepDevice(
            dw_min=0.005,
            dw_min_std=1.0,
            gamma_up=0.4,
            gamma_down=0.7,
            gamma_up_dtod=0.0,
            gamma_down_dtod=0.0,
            mult_noise=False,
            w_max=1.0,
            w_min=-1.0,
            **ALIKE,
        ),
        {
            "gamma_up": 0.4,
            "gamma_down": 0.7,
            "cycle_spread": 1.0,
            "cycle_spread_is": "additive",
        },
    ),
    "linear, multiplicative": (
        LinearStepDevice(
            dw_min=0.005,
            dw_min_std=1.0,
            gamma_up=0.4,
            gamma_down=0.7,
            gamma_up_dtod=0.0,
            gamma_down_dtod=0.0,
            w_max=1.0,
            w_min=-1.0,
            **ALIKE,
        ),
        {"gamma_up": 0.4, "gamma_down": 0.7, "cycle_spread": 1.0},
    ),
}
N_OUT, N_IN, SAMPLES = 5, 7, 20


def aihwkit_tile(device):
    config = SingleRPUConfig(device=device)
    config.mapping.max_input_size = config.mapping.max_output_size = 0
    return config.tile_class(N_OUT, N_IN, config, bias=False)


def native_crossbar(device, parameters, n_out=N_OUT):
    update = {"dw_min": 0.005, "dw_min_spread": 0.0, "up_down_spread": 0.0} | parameters
    native = NativeDevice(
        conductance=Conductance(
            w_max=device.w_max,
            w_min=device.w_min,
            w_max_spread=0.0,
            w_min_spread=0.0,
            programming_error=(0.0,),
            read_noise=0.0,
        ),
        update=PulseResponse(**update),
    )
    streams = {}

    def stream(purpose):
        return streams.setdefault(purpose, torch.Generator().manual_seed(len(streams)))

    return NativeCrossbar(n_out, N_IN, native, stream, torch.device("cpu"))


def changes_of_both(name, rate):
    device, parameters = DEVICES[name]
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(SAMPLES, N_IN, generator=generator)
    d = 0.1 + 0.3 * torch.randn(SAMPLES, N_OUT, generator=generator)
    start = 0.8 * torch.rand(N_OUT, N_IN, generator=generator) - 0.4
    tile, crossbar = aihwkit_tile(device), native_crossbar(device, parameters)
    tile.set_learning_rate(rate)
    theirs, ours = [], []
    for _ in range(REPEATS):
        tile.set_weights(start.clone())
        tile.update(x, d)
        theirs.append(tile.get_weights()[0].clone() - start)
        crossbar.program(start)
        crossbar.update(Outer(x, d, rate))
        ours.append(crossbar.state()["weights"] - start)
    return torch.stack(theirs), torch.stack(ours)


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("rate", [0.005, 0.03])
def test_mean_and_variance_of_a_batch_agree(name, rate):
    theirs, ours = changes_of_both(name, rate)
    largest = theirs.mean(0).abs().max()
    # the case is what the bounds are stated for, and steps matter in it
    assert 0.01 < largest < 0.2
    # six standard errors: over all cells and cases a false alarm in less than 1e-6
    error = ((theirs.var(0) + ours.var(0)) / REPEATS).sqrt()
    assert ((ours.mean(0) - theirs.mean(0)).abs() < 6 * error + 0.05 * largest).all()
    # √(2 · 2 / n) and some more for tails that are heavier than a normal's, of one cell ...
    ratio = ours.var(0) / theirs.var(0)
    assert ((ratio - 1).abs() < 6 * (4 / REPEATS) ** 0.5 + 0.1).all()
    # ... and of the mean over cells, which tells 10 % for certain
    assert ratio.mean().item() == pytest.approx(1, abs=0.1)


def test_rows_of_a_dense_change_agree():
    device, parameters = DEVICES["soft bounds"]
    generator = torch.Generator().manual_seed(0)
    delta = 0.05 * torch.randn(N_OUT, N_IN, generator=generator)
    # all cells are independent, so that repeats are columns of one large array
    tile = aihwkit_tile(device)
    crossbar = native_crossbar(device, parameters, N_OUT * REPEATS)
    tile.set_learning_rate(1.0)
    theirs = []
    for _ in range(REPEATS):
        tile.set_weights(torch.zeros(N_OUT, N_IN))
        tile.update(torch.eye(N_IN), -delta.T.contiguous())
        theirs.append(tile.get_weights()[0].clone())
    crossbar.update(Dense(delta.repeat(REPEATS, 1)))
    theirs, ours = torch.stack(theirs), crossbar.state()["weights"].view(REPEATS, N_OUT, N_IN)
    error = ((theirs.var(0) + ours.var(0)) / REPEATS).sqrt()
    assert ((ours.mean(0) - theirs.mean(0)).abs() < 6 * error + 1e-4).all()
    assert (ours.var(0).mean() / theirs.var(0).mean()).item() == pytest.approx(1, abs=0.1)
