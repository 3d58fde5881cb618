"""A chip behind a wire, as a run has it in hand.

Changes and orders are sent without waiting; see `substrate.wire.remote` for the chip itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from devices.ledger import Counts
from substrate.record.wire import WireFigures
from substrate.scenario.schema.remote import RemoteChip as RemoteSettings
from substrate.wire import chip_pb2 as pb
from substrate.wire.address import Guard
from substrate.wire.link import Link
from substrate.wire.remote import RemoteChip
from substrate.wire.replies import read_counts
from substrate.wire.retries import Patience
from substrate.wire.stream import Stream

_STATE = "kept as"


@contextmanager
def remote_host(chip: RemoteSettings) -> Iterator[RemoteHost]:
    """Have the chip of a scenario's settings in hand, for as long as the block lasts.

    Raises:
        LeaseTaken: another learner has it.
        WireError: it cannot be worked with.
        AddressError: it cannot be reached so.
    """
    link = link_to(chip)
    try:
        link.lease()
        yield RemoteHost(link)
    finally:
        link.close()


def link_to(chip: RemoteSettings, attempts_seconds: float | None = None) -> Link:
    """Connect to the chip of a scenario's settings; see `Link`."""
    files = (chip.certificate, chip.key, chip.authority, chip.token)
    guard = Guard(*(None if each is None else Path(each).expanduser() for each in files))
    patience = Patience(chip.deadline_seconds, attempts_seconds or chip.attempts_seconds)
    return Link(Stream(chip.remote, guard, patience))


class RemoteHost:
    """Has a chip behind a wire in hand; see `substrate.assemble.host.ChipHost`."""

    def __init__(self, link: Link, address: str | None = None) -> None:
        """Take a chip that is leased; of one of this run's own no address need be told."""
        self._link, self._chip = link, RemoteChip(link)
        self._address = link.address if address is None else address

    @property
    def saves(self) -> bool:
        """Whether `state` and `restore` are to be had."""
        return self._link.about.saves

    @property
    def chip(self) -> RemoteChip:
        """What the learner gets."""
        return self._chip

    def begin(self, seed: int) -> None:
        """Start a training."""
        self._chip.forget()
        with self._link.order() as (order, _):
            order.begin.seed = seed
            order.begin.SetInParent()

    @contextmanager
    def aside(self, *purpose: str) -> Iterator[None]:
        """See `substrate.assemble.host.ChipHost.aside`; a chip that cannot stays as it is."""
        if not self._link.about.steps_aside:
            yield
            return
        with self._link.order() as (order, _):
            order.step_aside.purpose.extend(purpose)
            order.step_aside.SetInParent()
        yield
        # where the block was left by an exception, the connection may be what failed
        with self._link.order() as (order, _):
            order.go_on.SetInParent()

    def state(self) -> dict[str, Tensor]:
        """Have the chip keep its state where it is; gives the name that it has there."""
        if not self.saves:
            return {}
        self._link.question()[0].save.SetInParent()
        reply, _ = self._link.ask()
        name = bytearray(reply.saved.state.encode())
        return {_STATE: torch.frombuffer(name, dtype=torch.uint8)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Have the chip go back to a state that it kept."""
        self._chip.forget()
        name = bytes(state[_STATE].tolist()).decode()
        with self._link.order() as (order, _):
            order.restore.state = name
        self._link.question()[0].wait.SetInParent()
        self._link.ask()

    def ledger(self) -> Counts:
        """What the chip did since the training began."""
        return read_counts(self._told_ledger())

    def pulse_trains(self) -> tuple[int, int] | None:
        """Pulse trains that were looked at, and those of them that were cut short."""
        told = self._told_ledger()
        return (told.trains, told.trains_cut_short) if told.HasField("trains") else None

    def reported(self) -> dict[str, float]:
        """What the chip's driver reports beside its reads; nothing of schema 1.0."""
        if self._link.about.minor < 1:
            return {}
        self._link.question()[0].tell_reported.SetInParent()
        reply, _ = self._link.ask()
        return dict(reply.reported.figures)

    def _told_ledger(self) -> pb.Counts:
        self._link.question()[0].tell_ledger.SetInParent()
        reply, _ = self._link.ask()
        return reply.ledger

    def figures(self, restarts: int = 0) -> WireFigures:
        """How the wire did."""
        return self._link.line.meter.figures(self._link.about.title, self._address, restarts)
