"""Pulse trains of an aihwkit tile: how much one can carry, and how a dense ΔW is split into them.

For a sample x, d aihwkit sends one train of at most `desired_bl` slots, as many as the largest
|rate x_i d_j| needs at one granularity (the device's mean step) a slot. So a train carries at most

    bound = desired_bl · granularity

to a cell; a larger request is cut short, and with it the smaller ones of the same sample. A dense
ΔW is written line by line of the inputs: line i in ⌈max_j |ΔW_ji| / bound⌉ equal trains. Weights
are here what the cells hold, without the digital scales of a mapping.

How many pulses reach a cell aihwkit's processor tiles do not tell. Their mean follows from the
trains (`devices.crossbars.native.pulses`, which has the same arithmetic): Σ_s BL_s p q of an outer
product, |ΔW| / granularity of a dense ΔW. The devices of a vector cell all take them, or in turn.

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
from aihwkit.simulator.configs import MixedPrecisionCompound, TransferCompound, VectorUnitCell
from aihwkit.simulator.parameters.enums import PulseType, VectorUnitCellUpdatePolicy
from jaxtyping import Float
from torch import Tensor

from devices.flag import Flag
from devices.interface import Outer
from devices.ledger import Wear

MOST_TRAINS = 100
"""Trains of one line, at most; what is asked beyond them is cut."""

_LOOK_EVERY = 10
_UNPULSED = (PulseType.NONE, PulseType.NONE_WITH_DEVICE)
_TINY = 1e-12
_GRANULARITY = re.compile(r"granularity \(calc\.\):\s*(\S+)")


class _Written:
    """What was sent to a tile, summed up.

    Attributes:
        pulses: mean number of every cell, (n_out, n_in).
        trains: a repeated line of a dense ΔW once a repeat; those cut short; and slots.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.pulses = torch.zeros(shape, dtype=torch.float64)
        self.trains = torch.zeros(3, dtype=torch.float64)

    def add(self, pulses: Tensor, trains: Tensor, cut: Tensor, slots: Tensor) -> None:
        # where the tile is, so that nothing waits for it
        self.pulses = self.pulses.to(pulses.device)
        self.trains = self.trains.to(pulses.device)
        self.pulses.add_(pulses)
        self.trains[0] += trains.sum()
        self.trains[1] += cut.sum()
        self.trains[2] += slots.sum()


class PulseTrains:
    """The trains of one tile; what they cut short is counted, and told once.

    Attributes:
        bound: the largest change of a cell by one train, infinite where there is none.
        count: trains that were looked at, and those of them that were too short.
        requests: outer products so far, of which not all are looked at.
    """

    def __init__(self, tile: Any) -> None:
        """Ask an aihwkit tile, of any kind that is updated in place."""
        self._update: Any = getattr(tile.rpu_config, "update", None)
        self._longest: int = getattr(self._update, "desired_bl", 0)
        self._granularity = _granularity(tile)
        self._at_once, self._in_turn = _pulsed_cells(getattr(tile.rpu_config, "device", None))
        self.bound, shape = math.inf, (0, 0)
        if math.isfinite(self._granularity):
            self.bound = self._granularity * self._longest
            shape = (tile.out_size, tile.in_size)
        self.count = torch.zeros(2, dtype=torch.int64)
        self.requests = 0
        self._sent = 0
        self._outer = _Written(shape)
        self._dense = _Written(shape)
        self._told = False
        self._cut: Flag | None = None

    @property
    def wear(self) -> Wear | None:
        """What was sent in all, by the requests that were looked at; None where it is unknown.

        The tile is not programmed by any of it.
        """
        if not math.isfinite(self.bound):
            return None
        looked_at = float(self._outer.trains[0])
        share = self._sent / looked_at if looked_at else 0.0
        pulses = self._outer.pulses.cpu() * share + self._dense.pulses.cpu()
        trains, cut, slots = (self._outer.trains.cpu() * share + self._dense.trains.cpu()).tolist()
        total, worst = float(pulses.sum()) * self._at_once, float(pulses.max()) / self._in_turn
        return Wear(0, trains, cut, slots, total, worst, computed=True)

    def of_dense(
        self, delta: Float[Tensor, "n_out n_in"]
    ) -> Iterator[tuple[Float[Tensor, "lines n_in"], Float[Tensor, "lines n_out"]]]:
        """Give x and d of the trains that write ΔW at a rate of 1, each line at most once in all.

        A line that needs more than `MOST_TRAINS` is clipped to what they carry.
        """
        changes = delta.T
        needed = (changes.abs().amax(1) / self.bound).ceil_().clamp_(min=1)
        cut = needed > MOST_TRAINS
        self._count(cut)
        most = MOST_TRAINS * self.bound
        each = changes.clamp(-most, most) / needed.clamp_(max=MOST_TRAINS)[:, None]
        if math.isfinite(self.bound):
            asked = each.abs() / self._granularity
            slots = self._slots(asked.amax(1)) * needed
            self._dense.add((asked * needed[:, None]).T, needed, cut, slots)
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
        """Look at what a request's trains carry, and whether they are too short for it.

        Not at every request, since this takes a twentieth of the time of a small tile's update.
        """
        self.requests += 1
        self._sent += len(request.x)
        if self.requests % _LOOK_EVERY != 1 or not math.isfinite(self.bound):
            return
        largest = request.x.abs().amax(1) * request.d.abs().amax(1)
        needed = largest.mul_(abs(request.rate) / self._granularity)
        cut = needed > self._longest
        self._count(cut)
        slots = self._slots(needed)
        self._outer.add(self._pulses(request, slots), torch.ones_like(slots), cut, slots)

    def state(self) -> dict[str, Tensor]:
        """Give copies of all counts."""
        return {
            "pulse_trains": self.count.clone(),
            "requests": torch.tensor([self.requests, self._sent]),
            "outer.pulses": self._outer.pulses.clone(),
            "outer.trains": self._outer.trains.clone(),
            "dense.pulses": self._dense.pulses.clone(),
            "dense.trains": self._dense.trains.clone(),
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from a state."""
        self.count = state["pulse_trains"].clone()
        self.requests, self._sent = state["requests"].tolist()
        for name, written in (("outer", self._outer), ("dense", self._dense)):
            written.pulses = state[f"{name}.pulses"].clone()
            written.trains = state[f"{name}.trains"].clone()

    def _slots(self, needed: Tensor) -> Tensor:
        """Slots of trains that need so many."""
        if self._update.update_bl_management:
            return needed.ceil().clamp_(max=self._longest)
        return torch.full_like(needed, self._longest)

    def _pulses(self, request: Outer, slots: Tensor) -> Float[Tensor, "n_out n_in"]:
        """Mean pulses of every cell by an outer product."""
        x, d = request.x.abs(), request.d.abs()
        per_slot = abs(request.rate) / self._granularity / slots.clamp(min=1)[:, None]
        if self._update.update_management or self._update.update_bl_management:
            x_max = x.amax(1, keepdim=True).clamp_(min=_TINY)
            p, q = x / x_max, (d * per_slot * x_max).clamp_(max=1)
        else:
            p, q = (x * per_slot.sqrt()).clamp_(max=1), (d * per_slot.sqrt()).clamp_(max=1)
        return (q * slots[:, None]).T @ p

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
                f" = {self.bound:.3g} to a cell, and what is asked beyond that is lost. Lower the"
                " learning rate, or raise config.update.desired_bl",
                stacklevel=2,
            )


def _pulsed_cells(device: Any) -> tuple[int, int]:
    """Give how many of a weight's cells take every pulse, and how many take them in turn."""
    if type(device) is not VectorUnitCell:
        return 1, 1
    cells, policy = len(device.unit_cell_devices), VectorUnitCellUpdatePolicy
    if device.update_policy == policy.ALL:
        return cells, 1
    return 1, 1 if device.update_policy == policy.SINGLE_FIXED else cells


def _granularity(tile: Any) -> float:
    """Give what one pulse moves a cell by, infinite where requests are not pulsed as such."""
    config = tile.rpu_config
    update = getattr(config, "update", None)
    device = getattr(config, "device", None)
    if update is None or update.pulse_type in _UNPULSED:
        return math.inf
    if isinstance(device, TransferCompound | MixedPrecisionCompound):
        return math.inf
    # aihwkit computes it from the device, and lets it out in this text alone
    found = [float(each) for each in _GRANULARITY.findall(tile.tile.get_info())]
    return min(found, default=math.inf)
