"""Calls to a chip's service, over a channel that is replaced wherever a call fails.

What may be asked any number of times is asked again, after pauses that grow: `insist`. Requests to
the chip itself are numbered, and go over a stream (`substrate.wire.stream`).

A connection may be silent without being broken. One that works may have been spoilt for good by a
single byte, since both ends remember the headers that they have seen (HPACK, RFC 7541): what was
changed on its way once then stands in every later reply.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import Message

from substrate.wire import chip_pb2 as pb
from substrate.wire.address import READ_IN_LARGE_PIECES, Guard, open_channel
from substrate.wire.errors import ChipUnreachable, LeaseTaken
from substrate.wire.frames import Unreadable, pack, unpack
from substrate.wire.replies import Described, read_description
from substrate.wire.retries import Patience, Strikes, in_words
from substrate.wire.server import SERVICE, SESSION, TOKEN

FIRST_PAUSE: Final = 0.02
LONGEST_PAUSE: Final = 2.0
"""Seconds, from one attempt to the next."""
_SECONDS = 10.0
_CONNECT_MS = 5000
"""gRPC's name is misleading: an attempt to connect may take so long, on a busy machine as well.
Its pauses do not matter here, as each attempt has a channel of its own."""
Answer = TypeVar("Answer", bound=Message)


class Calls:
    """The service at an address."""

    def __init__(self, address: str, guard: Guard, patience: Patience) -> None:
        """Open a channel; nothing is sent yet.

        Raises:
            AddressError: the address cannot be used.
        """
        self._address, self._guard, self._patience = address, guard, patience
        self._connect()
        secret = guard.secret()
        self._metadata = () if secret is None else ((TOKEN, f"Bearer {secret}"),)
        self._answered = False

    def describe(self) -> Described:
        """Ask what the chip is.

        Raises:
            WireError: nobody answers, or not as a chip does.
        """
        told = self.insist("Describe", pb.DescribeRequest(), pb.Description)
        self._answered = True
        return read_description(told, self._address)

    def health(self) -> pb.HealthReply:
        """Ask how the chip does.

        Raises:
            WireError: nobody answers, or not as a chip does.
        """
        return self.insist("Health", pb.HealthRequest(), pb.HealthReply)

    def insist(self, method: str, request: Message, kind: type[Answer]) -> Answer:
        """Call a method that may be called again, until it is answered.

        Raises:
            LeaseTaken: another learner has the chip.
            WireError: all attempts are used up, or there is no chip, or one may not ask.
        """
        began, pause = time.monotonic(), FIRST_PAUSE
        strikes = Strikes(self._address, answered=self._answered)
        while True:
            try:
                return self.call(method, request, kind)
            except (grpc.RpcError, Unreadable) as problem:
                self.reconnect()
                strikes.out(problem)
                if (
                    isinstance(problem, grpc.RpcError)
                    and problem.code() is grpc.StatusCode.ALREADY_EXISTS
                ):
                    raise LeaseTaken(f"{self._address}: {problem.details()}") from None
                if time.monotonic() - began > self._patience.attempts_seconds:
                    raise ChipUnreachable(f"{self._address}: {in_words(problem)}") from None
            time.sleep(random.uniform(0, pause))
            pause = min(2 * pause, LONGEST_PAUSE)

    def call(
        self, method: str, request: Message, kind: type[Answer], seconds: float | None = None
    ) -> Answer:
        """Call a method once.

        Raises:
            grpc.RpcError: there is no reply in so many seconds, or a status in place of one.
            Unreadable: the reply was changed on its way.
        """
        call: Any = self._channel.unary_unary(f"/{SERVICE}/{method}")
        # nothing of it takes long, and so none need be waited for as long as for a chip
        seconds = min(self._patience.deadline, _SECONDS) if seconds is None else seconds
        raw = call(pack(request), timeout=seconds, metadata=self._metadata)
        return unpack(kind, raw)[0]

    def drive(self, requests: Iterator[bytes], session: str) -> Any:
        """Open the stream of requests to the chip, under a lease; gives that of the replies."""
        drive: Any = self._channel.stream_stream(f"/{SERVICE}/Drive")
        return drive(requests, metadata=(*self._metadata, (SESSION, session)))

    def reconnect(self) -> None:
        """Give up the connection for a new one, whatever state it is in."""
        given_up = self._channel
        self._connect()
        given_up.close()

    def close(self) -> None:
        """Disconnect."""
        self._channel.close()

    def _connect(self) -> None:
        """Open a connection of its own."""
        self._channel = open_channel(
            self._address,
            self._guard,
            [
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_send_message_length", -1),
                *READ_IN_LARGE_PIECES,
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.min_reconnect_backoff_ms", _CONNECT_MS),
            ],
        )
