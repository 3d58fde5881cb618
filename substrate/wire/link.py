"""The learner's end of a wire: numbered requests, over whatever carries them (`Line`).

    order  what has no reply goes along with what is asked next, in one message; what is large goes
           at once, and is carried out while the learner works
    ask    send, and wait for the reply

Every request is kept until a reply says that it was done.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from torch import Tensor

from devices.interface import CapabilityError
from substrate.wire import chip_pb2 as pb
from substrate.wire.errors import ChipFailed, ChipNotFinite, ChipRefused
from substrate.wire.figures import Meter
from substrate.wire.frames import Tensors, Unreadable, bytes_of, pack, unpack
from substrate.wire.replies import Described

_UNANSWERED = 256
_UNANSWERED_BYTES = 256_000_000
"""Requests under way before a reply is waited for, and their bytes: they are kept in memory."""
_AT_ONCE = 64
"""Orders that wait for what is asked next, if they are small."""


class Sent(NamedTuple):
    """A request that has no reply.

    Attributes:
        raw: the message.
        at: when it was sent, by `time.perf_counter`.
    """

    raw: bytes
    at: float


class Line(Protocol):
    """Carries messages to a chip and back, each once and in order, or fails.

    Attributes:
        address: of the chip, for people.
        about: what the chip told of itself.
        meter: counts what goes over it.
        kept: requests that have no reply, by number, in order.
    """

    address: str
    about: Described
    meter: Meter
    kept: dict[int, Sent]

    @property
    def message_bytes(self) -> int:
        """Bytes whose copying costs as much as a message does."""

    @property
    def received(self) -> memoryview | None:
        """Memory in which the chip may leave the tensors of a reply."""

    def free(self) -> memoryview | None:
        """Give the memory from which the chip reads the tensors of a request, unless it does."""

    def lease(self) -> None:
        """Take the chip.

        Raises:
            LeaseTaken: somebody else has it.
        """

    def send(self, raw: bytes) -> None:
        """Send what is kept already."""

    def receive(self) -> bytes:
        """Wait for the next reply.

        Raises:
            WireError: there will be none.
        """

    def repeat(self) -> None:
        """Have what is kept done and answered, since a message was spoilt on its way.

        Raises:
            WireError: that cannot be had.
        """

    def close(self) -> None:
        """Give the chip back, and disconnect."""


class Link:
    """A connection to a chip, under a lease.

    Attributes:
        line: what carries its messages.
        known: tensors that the chip has, by `frames.identity`; said by who asks.
    """

    def __init__(self, line: Line) -> None:
        """Take what leads to a chip; it is not leased before `lease`."""
        self.line = line
        self._number = self._answered = 0
        self._kept_bytes = 0
        self.known: dict[object, tuple[int, bool, int]] = {}
        self._begin_another()

    @property
    def address(self) -> str:
        """Of the chip."""
        return self.line.address

    @property
    def about(self) -> Described:
        """What the chip told of itself."""
        return self.line.about

    def lease(self) -> None:
        """Take the chip.

        Raises:
            LeaseTaken: somebody else has it.
        """
        self._number = self._answered = self._kept_bytes = 0
        self.line.kept.clear()
        self.line.lease()

    def close(self) -> None:
        """Give the chip back, and disconnect."""
        self.line.close()

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
        large = self._tensors.size > self.line.message_bytes
        if large or len(self._pending.orders) >= _AT_ONCE:
            self.send()
        else:
            self._tensors.settle()

    def question(self, *largest: Tensor) -> tuple[pb.Request, Tensors]:
        """Give the request that `ask` sends, behind what was ordered, to write a question in.

        With large tensors in it, what was ordered goes ahead.
        """
        if self._pending.orders and sum(each.nbytes for each in largest) > self.line.message_bytes:
            self.send()
        if (what := self._pending.WhichOneof("what")) is not None:
            self._pending.ClearField(what)  # it could not be written to its end
        return self._pending, self._tensors

    def send(self) -> int:
        """Send what was ordered; gives the request's number."""
        request, tensors = self._pending, self._tensors
        self._begin_another()
        request.number, request.received = self._number + 1, self._answered
        raw = pack(request, tensors)
        size = bytes_of(raw)
        if size > self.about.max_message_bytes:
            raise ChipRefused(
                f"{self.address}: a request of {size:,} bytes is larger than the"
                f" {self.about.max_message_bytes:,} that the chip takes"
            )
        self._number += 1
        self.line.kept[self._number] = Sent(raw, time.perf_counter())
        self._kept_bytes += size
        self.line.meter.requests += 1
        self.line.meter.sent += size
        self.line.send(raw)
        if request.WhichOneof("what") is None and (
            len(self.line.kept) > _UNANSWERED or self._kept_bytes > _UNANSWERED_BYTES
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
        began, kept, meter = time.perf_counter(), self.line.kept, self.line.meter
        while True:
            raw = self.line.receive()
            try:
                reply, data = unpack(pb.Reply, raw, self.line.received)
            except Unreadable:
                self.line.repeat()
                continue
            if reply.number == 0:  # the request was changed on its way
                self.line.repeat()
                continue
            if reply.number <= self._answered or reply.number not in kept:
                continue  # it was answered before the stream broke
            now = time.perf_counter()
            meter.received += bytes_of(raw)
            meter.answered(now - kept[reply.number].at, now - began)
            self._answered = reply.number
            for done in [each for each in kept if each <= reply.number]:
                self._kept_bytes -= bytes_of(kept.pop(done).raw)
            if reply.HasField("problem"):
                self._raise(reply.problem)
            if reply.number == number:
                return reply, data

    def _begin_another(self) -> None:
        self._pending = pb.Request()
        self._tensors = Tensors(self._pending, self.known, self.line.free)

    def _raise(self, problem: pb.Problem) -> None:
        told, kind = f"{self.address}: {problem.message}", pb.Problem.Kind
        if problem.kind == kind.NOT_CAPABLE:
            raise CapabilityError(told)
        if problem.kind == kind.NOT_FINITE:
            raise ChipNotFinite(told)
        if problem.kind in (kind.INVALID, kind.NO_STATE):
            raise ChipRefused(told)
        raise ChipFailed(told)
