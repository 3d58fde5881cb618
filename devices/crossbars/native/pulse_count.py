"""What the cells of an array were given: pulses, and the trains that brought them.

Cells are counted in 32 bits, as pulses come, and before any of them can have reached 2^24, beyond
which 32 bits count no further, all is carried over into 64.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from devices.crossbars.native.pulses import Pulses

_LARGEST = 2**24


class PulseCount:
    """Counts on the array's own device, which nobody waits for until they are asked for.

    Attributes:
        trains: how many there were, those of them that were too short, and the slots of all.
        recent: pulses of every cell that are not carried over yet.
    """

    def __init__(self, n_out: int, n_in: int, where: torch.device) -> None:
        """Start at nothing."""
        self.trains: Int[Tensor, "3"] = torch.zeros(3, dtype=torch.int64, device=where)
        self.recent: Float[Tensor, "n_out n_in"] = torch.zeros(n_out, n_in, device=where)
        self._before = torch.zeros(n_out, n_in, dtype=torch.float64, device=where)
        self._most = 0

    def make_room(self, most: int) -> None:
        """Carry over, if a cell that is now given `most` pulses might leave what 32 bits count."""
        self._most += most
        if self._most > _LARGEST:
            self._before += self.recent
            self.recent.zero_()
            self._most = most

    def add(self, pulses: Pulses) -> None:
        """Count what a request came to."""
        self.make_room(pulses.most)
        self.recent.add_(pulses.up).add_(pulses.down)
        self.trains += pulses.trains

    @property
    def pulses(self) -> Float[Tensor, "n_out n_in"]:
        """Of every cell, in 64 bits."""
        return self._before + self.recent

    def state(self) -> dict[str, Tensor]:
        """Give all of it."""
        return {"pulse_trains": self.trains.clone(), "pulses": self.pulses}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        self.trains.copy_(state["pulse_trains"])
        self._before.copy_(state["pulses"])
        self.recent.zero_()
        self._most = 0
