"""A line to a chip's service: one gRPC stream of requests and replies, which may break.

Where it breaks, or no reply comes in time, it is opened anew over another connection, after a pause
that grows, and what has no reply is sent again under its number: the chip carries out nothing twice
(`substrate.wire.session`). A chip with another `boot` was restarted, and knows nothing of what was
sent.
"""

from __future__ import annotations

import contextlib
import os
import platform
import queue
import random
import secrets
import threading
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import grpc

from substrate.wire import chip_pb2 as pb
from substrate.wire.address import Guard
from substrate.wire.calls import FIRST_PAUSE, LONGEST_PAUSE, Calls
from substrate.wire.errors import ChipRestarted, ChipUnreachable, LeaseLost
from substrate.wire.figures import Meter
from substrate.wire.frames import Unreadable
from substrate.wire.link import Sent
from substrate.wire.retries import Patience, Strikes, in_words

_MESSAGE_BYTES = 500_000
_SLOW_SECONDS = 0.02
"""Of a reply; beside a chip that takes longer a message costs nothing, and a change is sent as soon
as it is known, so that the chip is at work while the learner goes on."""


class Stream:
    """See `substrate.wire.link.Line`."""

    def __init__(self, address: str, guard: Guard, patience: Patience = Patience()) -> None:  # noqa: B008
        """Connect, and ask what the chip is.

        Raises:
            WireError: nobody answers, or not as a chip does.
            AddressError: the address cannot be used.
        """
        self.address, self._patience = address, patience
        self.meter = Meter()
        self.kept: dict[int, Sent] = {}
        self.calls = Calls(address, guard, patience)
        self._session = ""
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._arrived: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        self._stream: Any = None
        self._failing_since: float | None = None
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None
        self.about = self.calls.describe()

    @property
    def message_bytes(self) -> int:
        """Bytes whose copying costs as much as a message does; none beside a slow chip."""
        return 0 if self.meter.waited > _SLOW_SECONDS * self.meter.replies else _MESSAGE_BYTES

    @property
    def received(self) -> None:
        """No memory is shared with a chip over a network."""

    def free(self) -> None:
        """Give none; see `received`."""

    def lease(self) -> None:
        """Take the chip; a thread keeps the lease.

        Raises:
            LeaseTaken: somebody else has it.
        """
        holder = f"{platform.node()}, process {os.getpid()}"
        session = secrets.token_hex(16)
        asked = pb.LeaseRequest(holder=holder, session=session)
        reply = self.calls.insist("Lease", asked, pb.LeaseReply)
        self._session, seconds = session, reply.lease_seconds
        if reply.boot != self.about.boot:
            # it may have been restarted once more since: the lease is of the boot that gave it
            self.about = self.calls.describe()._replace(boot=reply.boot)
        self._open()
        if self._watch is None:
            self._watch = threading.Thread(target=self._keep, args=(seconds,), daemon=True)
            self._watch.start()

    def send(self, raw: bytes) -> None:
        """Send what is kept already, without waiting."""
        self._outgoing.put(raw)

    def receive(self) -> bytes:
        """Wait for the next reply, over as many connections as it takes.

        Raises:
            ChipUnreachable: none can be had for so long.
            ChipRestarted: the chip was started anew.
            LeaseLost: the lease is over.
        """
        while True:
            try:
                came = self._arrived.get(timeout=self._patience.deadline)
            except queue.Empty:
                self._failing_since = None  # for so long it held
                self._again(None)
                continue
            if isinstance(came, bytes):
                self._failing_since = None
                return came
            self._again(came)

    def repeat(self) -> None:
        """Have what is kept done and answered, over another connection."""
        self._again(None)

    def close(self) -> None:
        """Give the chip back, and disconnect."""
        self._closed.set()
        self._outgoing.put(None)
        if self._session:
            with contextlib.suppress(grpc.RpcError, Unreadable):
                asked = pb.ReleaseRequest(session=self._session)
                self.calls.call("Release", asked, pb.ReleaseReply, 2.0)
        if self._stream is not None:
            self._stream.cancel()
        self.calls.close()

    def _again(self, problem: Exception | None) -> None:
        """Open the stream anew, over another connection, and send what was kept."""
        if self._failing_since is None:
            self._failing_since = time.monotonic()
        pause, strikes = FIRST_PAUSE, Strikes(self.address, answered=True)
        while True:
            if self._closed.is_set():
                raise ChipUnreachable(f"{self.address}: the connection was closed here")
            if time.monotonic() - self._failing_since > self._patience.attempts_seconds:
                raise ChipUnreachable(f"{self.address}: {in_words(problem)}")
            # full jitter, so that several that were cut off at once do not come back at once
            time.sleep(random.uniform(0, pause))
            pause = min(2 * pause, LONGEST_PAUSE)
            self.calls.reconnect()
            try:
                reply = self._renew()
            except (grpc.RpcError, Unreadable) as another:
                problem = another
                if strikes.out(problem):
                    self._lease_is_over()
                continue
            if reply.boot != self.about.boot:
                raise ChipRestarted(f"{self.address}: the chip was restarted")
            self.meter.reconnections += 1
            self._open()
            return

    def _open(self) -> None:
        if self._stream is not None:
            self._outgoing.put(None)
            self._stream.cancel()
        self._outgoing = queue.SimpleQueue()
        for each in self.kept.values():
            self.meter.again += 1
            self._outgoing.put(each.raw)
        self._stream = self.calls.drive(_until_none(self._outgoing), self._session)
        self._arrived = queue.SimpleQueue()
        threading.Thread(target=_pass_on, args=(self._stream, self._arrived), daemon=True).start()

    def _renew(self) -> pb.LeaseReply:
        asked = pb.LeaseRequest(session=self._session, keep=True)
        return self.calls.call("Lease", asked, pb.LeaseReply)

    def _lease_is_over(self) -> NoReturn:
        if self.calls.describe().boot != self.about.boot:
            raise ChipRestarted(f"{self.address}: the chip was restarted")
        raise LeaseLost(f"{self.address}: the lease of the chip has lapsed")

    def _keep(self, lease_seconds: float) -> None:
        """Keep the lease while the learner works."""
        while not self._closed.wait(lease_seconds / 3):
            # a channel may just be given up
            with contextlib.suppress(grpc.RpcError, Unreadable, ValueError):
                self._renew()


def _until_none(outgoing: queue.SimpleQueue[bytes | None]) -> Iterator[bytes]:
    while (raw := outgoing.get()) is not None:
        yield raw


def _pass_on(stream: Iterator[bytes], arrived: queue.SimpleQueue[bytes | Exception]) -> None:
    try:
        for raw in stream:
            arrived.put(raw)
        arrived.put(StopIteration())
    except grpc.RpcError as problem:
        arrived.put(problem)
