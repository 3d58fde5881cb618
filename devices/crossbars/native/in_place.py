"""A small outer product on a processor: trains, what they do and their count in one go.

The numbers are those of `pulses.py`, `response.py` and `pulse_count.py`, bit by bit. What is saved
is calls, and matrices that go from one to the next: on small arrays they take most of the time.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Generator, Tensor

from devices.crossbars.native.cells import Devices
from devices.crossbars.native.pulse_count import PulseCount
from devices.crossbars.native.pulses import kept_slots
from devices.crossbars.native.response import LARGEST_DECREASE, PulseResponse
from devices.draws import draw_keys_
from devices.interface import Outer
from devices.threads import WORTHWHILE, has_kernel


class InPlace:
    """Pulses the outer products that it takes; for one array, whose memory it looks at."""

    def __init__(self, devices: Devices, response: PulseResponse, count: PulseCount) -> None:
        """Look at an array.

        Args:
            devices: every device's bounds, steps and slopes.
            response: of all devices.
            count: what is counted is added to it.
        """
        self._count = count
        n_out, n_in = count.recent.shape
        self._most_samples = 0
        if (
            response.blocks == 1
            and response.table is None
            and response.write_noise == 0
            and n_out * n_in <= WORTHWHILE  # beyond, further threads help
            and has_kernel(count.recent)
        ):
            self._most_samples = kept_slots(n_out, n_in) // response.pulses
            self._step, self._longest = response.dw_min, response.pulses
            # what stays is found once: to find it anew takes as long as to draw small trains
            self._answer = (
                *(each.numpy() for each in devices),
                *(LARGEST_DECREASE, response.cycle_spread),
                response.cycle_spread_is == "multiplicative",
            )
            self._keys = torch.empty(2, dtype=torch.int64)
            self._drawn = self._keys.numpy().view(np.uint64)
            self._counted = count.recent.numpy(), count.trains.numpy()

    def takes(self, request: Outer) -> bool:
        """Whether `pulse_` carries it out."""
        x, d = request.x, request.d
        # torch has `len` of a tensor in Python, which is slow
        return x.shape[0] <= self._most_samples and has_kernel(x) and has_kernel(d)

    def pulse_(
        self, weights: Float[Tensor, "n_out n_in"], request: Outer, generator: Generator
    ) -> None:
        """Pulse an outer product.

        Args:
            weights: of the devices; they are changed.
            request: what is asked, one that `takes`.
            generator: draws the trains, and then the spread from pulse to pulse.
        """
        draw_keys_(self._keys, generator)
        x = _numbers(request.x)
        _pulse_in_one_go()(
            *(x, _numbers(request.d), request.rate / self._step, self._longest),
            *(self._drawn, weights.numpy(), *self._answer),
            *self._receivers(len(x) * self._longest),
        )

    def _receivers(self, most: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Give what a cell's pulses, `most` at most, and trains are added to."""
        self._count.make_room(most)
        return self._counted


def _numbers(drives: Tensor) -> NDArray[np.float32]:
    return (drives.detach() if drives.requires_grad else drives).contiguous().numpy()


@cache
def _pulse_in_one_go() -> Any:
    # numba takes long to import
    from devices.crossbars.native.in_place_kernel import pulse_in_one_go

    return pulse_in_one_go
