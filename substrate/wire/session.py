"""One learner's lease of a chip, and its requests, each of which is carried out once.

Requests are numbered. One that comes again is answered from what was kept, and one that comes
before its time is not taken, so that a stream that broke is gone on with by sending again whatever
had no reply.
"""

from __future__ import annotations

import logging
import threading
import time

from substrate.wire import chip_pb2 as pb
from substrate.wire.frames import Tensors, Unreadable, bytes_of, pack, read_tensors, unpack
from substrate.wire.served import DriverFault, Served
from substrate.wire.shared import Shared

_LOG = logging.getLogger("substrate.wire")


class Gap(Exception):
    """A request came before one that it follows, or after the lease."""


class Session:
    """A lease.

    Attributes:
        token: by which its owner is known.
        holder: who it is, for people.
    """

    def __init__(
        self, served: Served, token: str, holder: str, shared: Shared | None = None
    ) -> None:
        """Begin a lease of what is served, to a learner that shares memory or does not."""
        self.token, self.holder = token, holder
        self._served = served
        self._requests = None if shared is None else shared.requests
        self._replies = None if shared is None else shared.replies
        self._updates_before = served.tally.updates
        self._began = time.monotonic()
        self._done = 0
        self._ended = False
        self._kept: dict[int, bytes] = {}
        self._working = threading.Lock()
        self._renewed = time.monotonic()

    @property
    def requests(self) -> int:
        """Done so far."""
        return self._done

    @property
    def updates(self) -> int:
        """Requests among them that changed weights."""
        return self._served.tally.updates - self._updates_before

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    def renew(self) -> None:
        """Let the lease begin anew."""
        self._renewed = time.monotonic()

    def seconds_left(self, lease_seconds: float) -> float:
        """Until the lease lapses; all of it while a request is being carried out."""
        if self._working.locked():
            return lease_seconds
        return self._renewed + lease_seconds - time.monotonic()

    def end(self) -> None:
        """Leave the chip as the next learner may find it."""
        with self._working:
            self._ended = True
            self._served.leave()
            self._kept.clear()

    def answer(self, raw: bytes) -> bytes | None:
        """Carry out what a message asks, unless that was done; gives the reply if there is one.

        Raises:
            Gap: a request before it is missing, or the lease is over.
        """
        with self._working:
            if self._ended:
                raise Gap("this lease has lapsed")
            try:
                request, data = unpack(pb.Request, raw, self._requests)
            except Unreadable as problem:
                return _unreadable(str(problem))
            number = request.number
            for old in [each for each in self._kept if each <= request.received]:
                del self._kept[old]
            if number == 0:
                return _unreadable("the request has no number")
            if number <= self._done:
                return self._kept.get(number)
            if number > self._done + 1:
                raise Gap(f"request {self._done + 1} is missing before {number}")
            reply = self._carry_out(request, data)
            self._done = number
            if reply is not None:
                self._kept[number] = reply
            self.renew()
            self._served.tally.moved(bytes_of(raw), 0 if reply is None else bytes_of(reply))
            return reply

    def _carry_out(self, request: pb.Request, data: memoryview) -> bytes | None:
        told: Tensors | None
        try:
            tensors = read_tensors(request, data, self._served.earlier)
            reply = pb.Reply(number=request.number)
            told = Tensors(reply, memory=lambda: self._replies)
            self._served.answer(request, tensors, reply, told)
        except Unreadable as problem:
            reply, told = pb.Reply(number=request.number), None
            reply.problem.kind, reply.problem.message = pb.Problem.INVALID, str(problem)
        except Exception as problem:
            # what the chip's own code has to say may name what is nobody's to read
            _LOG.exception("request %d", request.number)
            reply, told = pb.Reply(number=request.number), None
            reply.problem.kind = pb.Problem.FAILED
            kind = type(problem.__cause__ if isinstance(problem, DriverFault) else problem)
            reply.problem.message = f"the chip failed ({kind.__name__})"
        if not reply.HasField("problem") and request.WhichOneof("what") is None:
            return None
        return pack(reply, told)


def _unreadable(message: str) -> bytes:
    reply = pb.Reply()
    reply.problem.kind, reply.problem.message = pb.Problem.UNREADABLE, message
    return pack(reply)
