"""Pulse trains of an aihwkit tile: how much one can carry, and how a dense ΔW is split into them.

For a sample x, d aihwkit sends one train of at most `desired_bl` slots, as many as the largest
|rate x_i d_j| needs at one granularity (the device's mean step) a slot. So a train carries at most

    bound = desired_bl · granularity

to a cell; a larger request is cut short, and with it the smaller ones of the same sample. A dense
ΔW is written line by line of the inputs: line i in ⌈max_j |ΔW_ji| / bound⌉ equal trains.

Tiki-Taka and its variants pulse at learning rates of their own (`fast_lr`, `transfer_lr`), and
mixed precision adds up changes digitally before any is pulsed: neither has a bound here.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from aihwkit.simulator.configs import MixedPrecisionCompound, TransferCompound
from aihwkit.simulator.parameters.enums import PulseType
from jaxtyping import Float
from torch import Tensor

from devices.flag import Flag
from devices.interface import Outer

MOST_TRAINS = 100
"""Trains of one line, at most; what is asked beyond them is cut."""

_LOOK_EVERY = 10
_UNPULSED = (PulseType.NONE, PulseType.NONE_WITH_DEVICE)
_GRANULARITY = re.compile(r"granularity \(calc\.\):\s*(\S+)")


class PulseTrains:
    """The trains of one tile; what they cut short is counted, and told once.

    Attributes:
        bound: the largest change of a cell by one train, infinite where there is none.
        count: trains that were looked at, and those of them that were too short.
        requests: outer products so far, of which not all are looked at.
    """

    def __init__(self, tile: Any) -> None:
        """Ask an aihwkit tile, of any kind that is updated in place."""
        self.bound = _bound(tile)
        self.count = torch.zeros(2, dtype=torch.int64)
        self.requests = 0
        self._told = False
        self._cut: Flag | None = None

    def of_dense(
        self, delta: Float[Tensor, "n_out n_in"]
    ) -> Iterator[tuple[Float[Tensor, "lines n_in"], Float[Tensor, "lines n_out"]]]:
        """Give x and d of the trains that write ΔW at a rate of 1, each line at most once in all.

        A line that needs more than `MOST_TRAINS` is clipped to what they carry.
        """
        changes = delta.T
        needed = (changes.abs().amax(1) / self.bound).ceil_().clamp_(min=1)
        self._count(needed > MOST_TRAINS)
        most = MOST_TRAINS * self.bound
        each = changes.clamp(-most, most) / needed.clamp_(max=MOST_TRAINS)[:, None]
        lines = torch.eye(len(each), device=delta.device)
        yield lines, -each
        # the lines that need most go first, and the host is told once how many go on after each
        most_first = needed.argsort(descending=True, stable=True)
        sent = torch.arange(1, MOST_TRAINS, device=delta.device)
        going_on = (needed > sent[:, None]).sum(1)
        for left in going_on.tolist():
            if left == 0:
                return
            still = most_first[:left]
            yield lines[still], -each[still]

    def watch(self, request: Outer) -> None:
        """Look for samples whose trains are too short for what the request asks of them.

        Not in every request, since this takes a twentieth of the time of a small tile's update.
        """
        self.requests += 1
        if self.requests % _LOOK_EVERY == 1 and math.isfinite(self.bound):
            largest = request.x.abs().amax(1) * request.d.abs().amax(1)
            self._count(largest * abs(request.rate) > self.bound)

    def _count(self, cut: Tensor) -> None:
        if not math.isfinite(self.bound):
            return
        # where the tile is, so that nothing waits for it
        self.count = self.count.to(cut.device)
        self.count[0] += len(cut)
        self.count[1] += cut.sum()
        if self._told:
            return
        if self._cut is None:
            self._cut = Flag(cut.any())
        if not self._cut.known:
            return
        was_cut, self._cut = bool(self._cut), None
        if was_cut:
            self._told = True
            # the same words for all tiles of a kind, so that Python shows them once
            warnings.warn(
                "some updates are cut short: a pulse train carries at most desired_bl × granularity"
                f" = {self.bound:.3g} to a weight, and what is asked beyond that is lost. Lower the"
                " learning rate, or raise config.update.desired_bl",
                stacklevel=2,
            )


def _bound(tile: Any) -> float:
    config = tile.rpu_config
    update = getattr(config, "update", None)
    device = getattr(config, "device", None)
    if update is None or update.pulse_type in _UNPULSED:
        return math.inf
    if isinstance(device, TransferCompound | MixedPrecisionCompound):
        return math.inf
    # aihwkit computes it from the device, and lets it out in this text alone
    found = [float(each) for each in _GRANULARITY.findall(tile.tile.get_info())]
    longest: int = update.desired_bl
    return longest * min(found, default=math.inf)
