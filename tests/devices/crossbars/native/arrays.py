"""Native arrays for tests: exact in all that a test does not ask for."""

import itertools

import torch

from devices.converters import Converter
from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.device import NativeDevice

CPU = torch.device("cpu")
EXACT = Converter()
STILL = {"w_max_spread": 0.0, "w_min_spread": 0.0, "programming_error": (0.0,), "read_noise": 0.0}
IDEAL = {
    "input_converter": EXACT,
    "output_converter": EXACT,
    "conductance": Conductance(**STILL),
}


def streams(seed: int = 0):
    count = itertools.count(1000 * seed)
    return lambda purpose: torch.Generator().manual_seed(next(count))


def crossbar(n_out: int, n_in: int, seed: int = 0, **settings) -> NativeCrossbar:
    noise = {name: settings.pop(name) for name in list(settings) if name.endswith("_noise")}
    return NativeCrossbar(
        n_out, n_in, NativeDevice(**IDEAL | settings), streams(seed), CPU, **noise
    )
