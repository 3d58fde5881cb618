"""A line between two processes of one machine: a pipe that nobody else can open.

The messages are those of the service, and their tensors lie in memory that both ends share. There
is nothing to be leased, and what was sent arrives, or the process at the other end has died. A
round trip takes a third of one by gRPC, whose threads hand each message on several times; beside a
small simulated chip that counts (docs/wire.md).
"""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection

from substrate.wire import chip_pb2 as pb
from substrate.wire.errors import ChipEnded, ChipUnreachable
from substrate.wire.figures import Meter
from substrate.wire.frames import pack, unpack
from substrate.wire.link import Sent
from substrate.wire.replies import read_description, write_description
from substrate.wire.served import Served
from substrate.wire.session import Session
from substrate.wire.shared import Shared


class Pipe:
    """See `substrate.wire.link.Line`."""

    # changes by fewer bytes take the chip no longer than a switch to its process and back
    message_bytes = 2**20

    def __init__(self, connection: Connection, name: str, shared: Shared | None = None) -> None:
        """Take an end of a pipe, at whose other end `serve_pipe` begins.

        Args:
            connection: the end; closing it is whose it is.
            name: of what is served, for people.
            shared: memory that the other end has too.

        Raises:
            ChipEnded: the process at the other end has died.
        """
        self.address = name
        self.meter = Meter()
        self.kept: dict[int, Sent] = {}
        self._connection, self._shared = connection, shared
        self.about = read_description(unpack(pb.Description, self.receive())[0], name)

    @property
    def received(self) -> memoryview | None:
        """Memory in which the chip leaves the tensors of a reply."""
        return None if self._shared is None else self._shared.replies

    def free(self) -> memoryview | None:
        """Give the memory from which the chip reads tensors, unless a request is under way."""
        return None if self._shared is None or self.kept else self._shared.requests

    def lease(self) -> None:
        """Do nothing: no one else can ask."""

    def send(self, raw: bytes) -> None:
        """Send; what is larger than the system's buffers waits until the chip reads it.

        Raises:
            ChipEnded: the process at the other end has died.
        """
        try:
            self._connection.send_bytes(raw)
        except OSError:
            raise ChipEnded(f"the process of {self.address} has ended") from None

    def receive(self) -> bytes:
        """Wait for the next reply.

        Raises:
            ChipEnded: the process at the other end has died.
        """
        try:
            return self._connection.recv_bytes()
        except (EOFError, OSError):
            raise ChipEnded(f"the process of {self.address} has ended") from None

    def repeat(self) -> None:
        """Raise ChipUnreachable: a pipe changes nothing, so something is wrong at its ends."""
        raise ChipUnreachable(f"{self.address}: what came cannot be read")

    def close(self) -> None:
        """Do nothing: the chip's process ends with its pipe."""

    def end(self) -> list[str]:
        """Have it serve no longer; gives what the chip warned of, each once.

        Raises:
            ChipEnded: the process at the other end has died.
        """
        self.send(b"")
        return [str(each) for each in json.loads(self.receive())]


def serve_pipe(served: Served, connection: Connection, shared: Shared | None = None) -> None:
    """Serve whoever has the other end of a pipe, until it is closed or says that this is the end.

    Warnings are kept until then: whoever has the other end shows them with its own.
    """
    with suppress(EOFError, ConnectionError), warnings.catch_warnings(record=True) as seen:
        connection.send_bytes(pack(write_description(served.about)))
        session = Session(served, "", "", shared)
        while raw := connection.recv_bytes(served.about.max_message_bytes):
            reply = session.answer(raw)
            if reply is not None:
                connection.send_bytes(reply)
        texts = list(dict.fromkeys(str(each.message) for each in seen))
        connection.send_bytes(json.dumps(texts).encode())
