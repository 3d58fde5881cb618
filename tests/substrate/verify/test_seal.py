"""What a crossbar keeps of its own reads is found, also where a chip happens to copy them."""

import pytest
import torch
from torch import Tensor

from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.presets import PRESETS
from substrate.randomness import stream
from substrate.verify.seal import assert_crossbar_sealed

CPU = torch.device("cpu")


class KeepsItsReads(NativeCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        self.last = super().read(x, repeats)
        return self.last


@pytest.mark.parametrize("preset", ["generic", "rasch_2019"])
def test_a_crossbar_that_keeps_what_it_shows_is_found(preset):
    def make(kind: type[NativeCrossbar]):
        return lambda n_out, n_in: kind(
            n_out, n_in, PRESETS[preset], lambda purpose: stream(0, "crossbar", purpose), CPU
        )

    assert_crossbar_sealed(make(NativeCrossbar))
    with pytest.raises(AssertionError, match="shares memory with what the device keeps"):
        assert_crossbar_sealed(make(KeepsItsReads))
