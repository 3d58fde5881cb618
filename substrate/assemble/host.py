"""What has a chip in hand: starts trainings, keeps states, and tells what the chip did.

A learner gets `chip` and no more; the rest is for what runs the learner. The host of a simulated
chip is here; `substrate.wire.host` has that of a chip behind a wire.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from devices.interface import Chip
from devices.ledger import Counts
from devices.seal import (
    SealedChip,
    chip_state,
    ledger,
    pulse_trains,
    reported,
    restore_chip,
    without_trace,
)
from devices.states import on_device
from substrate.assemble.chip import build_chip
from substrate.data.dataset import Dataset
from substrate.randomness import Streams
from substrate.scenario.schema import Arm, Scenario


@runtime_checkable
class ChipHost(Protocol):
    """What has a chip in hand."""

    @property
    def chip(self) -> Chip:
        """What the learner gets, sealed."""
        ...

    def begin(self, seed: int) -> None:
        """Start a training: weights as they are initially with this seed, and nothing counted."""
        ...

    def aside(self, *purpose: str) -> AbstractContextManager[None]:
        """Let passes inside leave no trace, and draw other noise; a real chip cannot, and drifts.

        Args:
            purpose: in words; the same words draw the same noise where a chip repeats.
        """
        ...

    def state(self) -> dict[str, Tensor]:
        """Keep the chip's state; gives what `restore` wants to go back to it."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state."""
        ...

    def ledger(self) -> Counts:
        """What the chip did since the training began, passes aside left out."""
        ...

    def pulse_trains(self) -> tuple[int, int] | None:
        """Pulse trains that were looked at, and those of them that were cut short."""
        ...

    def reported(self) -> Mapping[str, float]:
        """What the chip's drivers report beside reads, such as a temperature, by name with unit."""
        ...


class SimulatedHost:
    """Has a simulated chip in hand, of an arm of a scenario.

    With `secret`, noise and devices follow from nothing that anybody knows, and no noise is drawn a
    second time, whatever is asked: as on a real chip. Without, all of it follows from the seed.
    """

    def __init__(
        self,
        scenario: Scenario,
        arm: Arm,
        dataset: Dataset,
        device: torch.device,
        *,
        secret: bool = False,
    ) -> None:
        """Prepare to build the arm's chip; there is none before `begin`."""
        self._about = scenario, arm, dataset
        self._device, self._secret = device, secret
        self._streams = Streams()
        self._chip: SealedChip | None = None

    @property
    def chip(self) -> SealedChip:
        """See `ChipHost.chip`."""
        assert self._chip is not None
        return self._chip

    def begin(self, seed: int) -> None:
        """See `ChipHost.begin`; the chip is built anew."""
        own = secrets.randbits(62) if self._secret else seed
        self._chip = None  # a bench is left before it is opened again
        with Streams() as self._streams:
            self._chip = build_chip(*self._about, own, self._device, weights_seed=seed)

    @contextmanager
    def aside(self, *purpose: str) -> Iterator[None]:
        """See `ChipHost.aside`."""
        nonce = (secrets.token_hex(8),) if self._secret else ()
        with self._streams.elsewhere(*nonce, *purpose), without_trace(self.chip):
            yield

    def state(self) -> dict[str, Tensor]:
        """Give the state itself, weights and noise included."""
        return chip_state(self.chip)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """See `ChipHost.restore`."""
        restore_chip(self.chip, on_device(state, self._device))
        if self._secret:
            self._streams.renew(secrets.token_hex(8))

    def ledger(self) -> Counts:
        """See `ChipHost.ledger`."""
        return ledger(self.chip)

    def pulse_trains(self) -> tuple[int, int] | None:
        """See `ChipHost.pulse_trains`."""
        return pulse_trains(self.chip)

    def reported(self) -> dict[str, float]:
        """See `ChipHost.reported`; nothing before there is a chip."""
        return {} if self._chip is None else reported(self._chip)
