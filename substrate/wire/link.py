"""The learner's end of a wire: numbered requests on a stream that may break.

    order  what has no reply goes along with what is asked next, in one message; what is large goes
           at once, and is carried out while the learner works
    ask    send, and wait for the reply

Every request is kept until a reply says that it was done. Where the stream breaks, or no reply
comes in time, it is opened anew, after a pause that grows, and what was kept is sent again under
its number: the chip carries out nothing twice (`substrate.wire.session`). A chip with another
`boot` was restarted, and knows nothing of what was kept.
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
from torch import Tensor

from devices.interface import CapabilityError
from substrate.wire import chip_pb2 as pb
from substrate.wire.address import Guard
from substrate.wire.calls import FIRST_PAUSE, LONGEST_PAUSE, Calls
from substrate.wire.errors import (
    ChipFailed,
    ChipNotFinite,
    ChipRefused,
    ChipRestarted,
    ChipUnreachable,
    LeaseLost,
)
from substrate.wire.figures import Meter
from substrate.wire.frames import Tensors, Unreadable, pack, unpack
from substrate.wire.retries import Patience, Strikes, in_words

_UNANSWERED = 256
_UNANSWERED_BYTES = 256_000_000
"""Requests under way before a reply is waited for, and their bytes: they are kept in memory."""
_AT_ONCE_BYTES, _AT_ONCE = 500_000, 64
"""Bytes and number of orders that wait for what is asked next; a message costs as much as copying
so many bytes."""


class Link:
    """A connection to a chip, under a lease.

    Attributes:
        address: of the chip.
        meter: counts what goes over it.
        about: what the chip told of itself.
        known: tensors that the chip has, by `frames.identity`; said by who asks.
    """

    def __init__(self, address: str, guard: Guard, patience: Patience = Patience()) -> None:  # noqa: B008
        """Connect, and ask what the chip is; it is not leased before `lease`.

        Raises:
            WireError: nobody answers, or not as a chip does.
            AddressError: the address cannot be used.
        """
        self.address, self._patience = address, patience
        self.meter = Meter()
        self._calls = Calls(address, guard, patience)
        self._session = ""
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._arrived: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        self._stream: Any = None
        self._number = self._answered = 0
        self._kept: dict[int, tuple[bytes, float]] = {}
        self._kept_bytes = 0
        self._failing_since: float | None = None
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None
        self.known: dict[object, tuple[int, bool, int]] = {}
        self._pending, self._tensors = pb.Request(), Tensors(self.known)
        self.about = self._calls.describe()

    def lease(self) -> None:
        """Take the chip.

        Raises:
            LeaseTaken: somebody else has it.
        """
        holder = f"{platform.node()}, process {os.getpid()}"
        session = secrets.token_hex(16)
        asked = pb.LeaseRequest(holder=holder, session=session)
        reply = self._calls.insist("Lease", asked, pb.LeaseReply)
        self._session, seconds = session, reply.lease_seconds
        if reply.boot != self.about.boot:
            # it may have been restarted once more since: the lease is of the boot that gave it
            self.about = self._calls.describe()._replace(boot=reply.boot)
        self._number = self._answered = 0
        self._forget()
        self._open()
        if self._watch is None:
            self._watch = threading.Thread(target=self._keep, args=(seconds,), daemon=True)
            self._watch.start()

    def health(self) -> pb.HealthReply:
        """Ask how the chip does."""
        return self._calls.insist("Health", pb.HealthRequest(), pb.HealthReply)

    @contextlib.contextmanager
    def order(self) -> Iterator[tuple[pb.Order, Tensors]]:
        """Write an order and its tensors: it goes with what is asked next, or now if it is large.

        Its tensors may change when the block is left.
        """
        order = self._pending.orders.add()
        try:
            yield order, self._tensors
        except BaseException:
            del self._pending.orders[-1]
            self._tensors.settle()
            raise
        if self._tensors.settle() > _AT_ONCE_BYTES or len(self._pending.orders) >= _AT_ONCE:
            self.send()

    def question(self, *largest: Tensor) -> tuple[pb.Request, Tensors]:
        """Give the request that `ask` sends, behind what was ordered, to write a question in.

        With large tensors in it, what was ordered goes ahead.
        """
        if self._pending.orders and sum(each.nbytes for each in largest) > _AT_ONCE_BYTES:
            self.send()
        if (what := self._pending.WhichOneof("what")) is not None:
            self._pending.ClearField(what)  # it could not be written to its end
        return self._pending, self._tensors

    def send(self) -> int:
        """Send what was ordered; gives the request's number."""
        request, tensors = self._pending, self._tensors
        self._pending, self._tensors = pb.Request(), Tensors(self.known)
        request.number, request.received = self._number + 1, self._answered
        raw = pack(request, tensors)
        if len(raw) > self.about.max_message_bytes:
            raise ChipRefused(
                f"{self.address}: a request of {len(raw):,} bytes is larger than the"
                f" {self.about.max_message_bytes:,} that the chip takes"
            )
        self._number += 1
        self._kept[self._number] = (raw, time.perf_counter())
        self._kept_bytes += len(raw)
        self.meter.requests += 1
        self.meter.sent += len(raw)
        self._outgoing.put(raw)
        if request.WhichOneof("what") is None and (
            len(self._kept) > _UNANSWERED or self._kept_bytes > _UNANSWERED_BYTES
        ):
            self._pending.wait.SetInParent()
            self.ask()
        return self._number

    def ask(self) -> tuple[pb.Reply, memoryview]:
        """Send the question that was written, and wait for its reply.

        Returns:
            The reply, and the bytes of its tensors.

        Raises:
            WireError: of this request, or of orders before.
            CapabilityError: likewise.
        """
        number = self.send()
        began = time.perf_counter()
        while True:
            raw = self._next()
            try:
                reply, data = unpack(pb.Reply, raw)
            except Unreadable:
                self._again(None)
                continue
            if reply.number == 0:  # the request was changed on its way
                self._again(None)
                continue
            if reply.number <= self._answered or reply.number not in self._kept:
                continue  # it was answered before the stream broke
            now = time.perf_counter()
            self.meter.received += len(raw)
            self.meter.answered(now - self._kept[reply.number][1], now - began)
            self._answered, self._failing_since = reply.number, None
            for done in [each for each in self._kept if each <= reply.number]:
                self._kept_bytes -= len(self._kept.pop(done)[0])
            if reply.HasField("problem"):
                self._raise(reply.problem)
            if reply.number == number:
                return reply, data

    def close(self) -> None:
        """Give the chip back, and disconnect."""
        self._closed.set()
        self._outgoing.put(None)
        if self._session:
            with contextlib.suppress(grpc.RpcError, Unreadable):
                asked = pb.ReleaseRequest(session=self._session)
                self._calls.call("Release", asked, pb.ReleaseReply, 2.0)
        if self._stream is not None:
            self._stream.cancel()
        self._calls.close()

    def _next(self) -> bytes:
        """Wait for whatever comes next."""
        while True:
            try:
                came = self._arrived.get(timeout=self._patience.deadline)
            except queue.Empty:
                self._failing_since = None  # for so long it held
                self._again(None)
                continue
            if isinstance(came, bytes):
                return came
            self._again(came)

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
            self._calls.reconnect()
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
        for raw, _ in self._kept.values():
            self.meter.again += 1
            self._outgoing.put(raw)
        self._stream = self._calls.drive(_until_none(self._outgoing), self._session)
        self._arrived = queue.SimpleQueue()
        threading.Thread(target=_pass_on, args=(self._stream, self._arrived), daemon=True).start()

    def _renew(self) -> pb.LeaseReply:
        asked = pb.LeaseRequest(session=self._session, keep=True)
        return self._calls.call("Lease", asked, pb.LeaseReply)

    def _lease_is_over(self) -> NoReturn:
        if self._calls.describe().boot != self.about.boot:
            raise ChipRestarted(f"{self.address}: the chip was restarted")
        raise LeaseLost(f"{self.address}: the lease of the chip has lapsed")

    def _raise(self, problem: pb.Problem) -> None:
        told, kind = f"{self.address}: {problem.message}", pb.Problem.Kind
        if problem.kind == kind.NOT_CAPABLE:
            raise CapabilityError(told)
        if problem.kind == kind.NOT_FINITE:
            raise ChipNotFinite(told)
        if problem.kind in (kind.INVALID, kind.NO_STATE):
            raise ChipRefused(told)
        raise ChipFailed(told)

    def _keep(self, lease_seconds: float) -> None:
        """Keep the lease while the learner works."""
        while not self._closed.wait(lease_seconds / 3):
            # a channel may just be given up
            with contextlib.suppress(grpc.RpcError, Unreadable, ValueError):
                self._renew()

    def _forget(self) -> None:
        self._kept.clear()
        self._kept_bytes = 0


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
