"""Several passes run as one batch, against as many that are run one after the other."""

import pytest
import torch

from devices.crossbars.aihwkit import AihwkitCrossbar
from devices.crossbars.aihwkit_config import preset_config
from devices.crossbars.base import draws_by_row
from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.drift import Drift
from devices.crossbars.tiled import TiledCrossbar
from devices.noise.base import NoiseSource
from devices.noise.gaussian import GaussianNoise
from tests.chips import CPU, make_chip

SIZES = (6, 5, 4, 3)
PLAIN = NativeDevice()
DRIFTS = NativeDevice(drift=Drift(nu=0.1, seconds_per_read=100.0))


def native(n_out: int, n_in: int, *, device: NativeDevice = PLAIN, noisy: bool = True):
    def stream(purpose: str) -> torch.Generator:
        return torch.Generator().manual_seed(1 + n_out)

    source = NoiseSource(GaussianNoise(std=0.1), stream("weight"), of_weights=True)
    return NativeCrossbar(n_out, n_in, device, stream, CPU, weight_noise=source if noisy else None)


class Counting(IdealCrossbar):
    """Counts its reads, and says nothing of its noise."""

    noise_free = False
    reads: list[int]

    def __init__(self, n_out: int, n_in: int) -> None:
        super().__init__(n_out, n_in, CPU)
        self.reads = []

    def read(self, x: torch.Tensor, repeats: int = 1) -> torch.Tensor:
        self.reads.append(len(x) * repeats)
        return super().read(x, repeats)


def test_noise_of_the_weights_is_drawn_anew_for_every_pass_in_every_layer():
    together, alone = (make_chip(SIZES, native) for _ in range(2))
    x = torch.randn(7, 6)
    passes = together.passes(x, [None, None, None])
    for found in passes:
        expected = alone.forward(x)
        for a, b in zip(found.pre_activations, expected.pre_activations, strict=True):
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    "make",
    [
        lambda n_out, n_in: native(n_out, n_in, device=DRIFTS, noisy=False),
        lambda n_out, n_in: TiledCrossbar(n_out, n_in, 3, 3, lambda *size: native(*size[:2])),
        lambda n_out, n_in: AihwkitCrossbar(
            n_out, n_in, preset_config("IdealizedPreset", {}), CPU, seconds_per_read=1.0
        ),
        Counting,
    ],
)
def test_only_what_draws_row_by_row_is_read_for_all_passes_at_once(make):
    assert not draws_by_row(make(4, 4))
    assert draws_by_row(native(4, 4, noisy=False))
    assert draws_by_row(TiledCrossbar(4, 4, 3, 3, lambda *size: native(*size[:2], noisy=False)))


def test_what_says_nothing_of_its_noise_is_read_once_a_pass():
    chip = make_chip(SIZES, Counting)
    chip.passes(torch.randn(7, 6), [None, None], samples=[7, 2])
    assert [layer.crossbar.reads for layer in chip._layers] == [[7, 2]] * 3
