"""The service: leases, streams of requests, and what guards them."""

from __future__ import annotations

import hmac
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import grpc
import torch

from substrate.wire import chip_pb2 as pb
from substrate.wire.address import (
    READ_IN_LARGE_PIECES,
    AddressError,
    Guard,
    check_guard,
    server_credentials,
)
from substrate.wire.frames import Unreadable, pack, unpack
from substrate.wire.replies import write_description
from substrate.wire.served import Served
from substrate.wire.session import Gap, Session

SERVICE = "substrate.chip.v1.Chip"
SESSION, TOKEN = "session", "authorization"
"""Names of metadata."""
_SESSION = re.compile(r"[0-9a-f]{32}")
_CALLS_AT_ONCE = 16
_Asked = TypeVar("_Asked")
_Code = grpc.StatusCode


class Service:
    """What answers: one chip, one lease at a time.

    Attributes:
        boot: drawn anew with every start.
    """

    def __init__(self, served: Served, secret: str | None = None) -> None:
        """Serve a chip to whoever knows the secret; to anybody if there is none."""
        self._served, self._secret = served, secret
        self.boot = served.about.boot
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._stream: grpc.ServicerContext | None = None

    def handler(self) -> grpc.GenericRpcHandler:
        """Give it as gRPC wants it."""

        def unary(kind: Any, method: Callable[..., Any]) -> grpc.RpcMethodHandler[Any, Any]:
            return grpc.unary_unary_rpc_method_handler(self._read(kind, method), None, pack)

        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Describe": unary(pb.DescribeRequest, self._describe),
                "Health": unary(pb.HealthRequest, self._health),
                "Lease": unary(pb.LeaseRequest, self._lease),
                "Release": unary(pb.ReleaseRequest, self._release),
                "Drive": grpc.stream_stream_rpc_method_handler(self._drive),
            },
        )

    def _read(self, kind: Any, method: Callable[..., Any]) -> Callable[..., Any]:
        """Let a method take messages, which bytes that are none do not reach."""

        def answered(raw: bytes, context: grpc.ServicerContext) -> Any:
            self._admit(context)
            try:
                asked, _ = unpack(kind, raw)
            except Unreadable as problem:
                context.abort(_Code.DATA_LOSS, str(problem))
            return method(asked, context)

        return answered

    def _describe(self, _: pb.DescribeRequest, __: grpc.ServicerContext) -> pb.Description:
        return write_description(self._served.about)

    def _health(self, _: pb.HealthRequest, __: grpc.ServicerContext) -> pb.HealthReply:
        reply = pb.HealthReply(boot=self.boot, ready=True)
        self._served.tally.write(reply)
        with self._lock:
            if (session := self._present()) is not None:
                reply.holder = session.holder
                reply.lease_seconds_left = session.seconds_left(self._seconds)
                reply.lease_seconds = session.seconds
                reply.requests, reply.updates = session.requests, session.updates
        return reply

    def _lease(self, asked: pb.LeaseRequest, context: grpc.ServicerContext) -> pb.LeaseReply:
        with self._lock:
            present = self._present()
            if present is not None and hmac.compare_digest(present.token, asked.session):
                present.renew()
            elif asked.keep:
                context.abort(_Code.UNAUTHENTICATED, "this lease has lapsed")
            elif present is not None:
                left = present.seconds_left(self._seconds)
                context.abort(
                    _Code.ALREADY_EXISTS,
                    f"the chip is leased to {present.holder!r}; the lease lapses in {left:.0f} s"
                    " unless it is renewed",
                )
            elif not _SESSION.fullmatch(asked.session):
                context.abort(_Code.INVALID_ARGUMENT, "a session is 32 hexadecimal digits")
            else:
                present = Session(self._served, asked.session, asked.holder[:200])
                self._session = present
            return pb.LeaseReply(session=present.token, boot=self.boot, lease_seconds=self._seconds)

    def _release(self, asked: pb.ReleaseRequest, _: grpc.ServicerContext) -> pb.ReleaseReply:
        with self._lock:
            present = self._present()
            if present is not None and hmac.compare_digest(present.token, asked.session):
                self._end(present)
        return pb.ReleaseReply()

    def _drive(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        self._admit(context)
        told = dict(context.invocation_metadata()).get(SESSION, "")
        with self._lock:
            session = self._present()
            if session is None or not hmac.compare_digest(session.token, str(told)):
                context.abort(_Code.UNAUTHENTICATED, "there is no such lease, or it has lapsed")
            # the owner has opened another one, since this one broke for it
            if self._stream is not None:
                self._stream.cancel()
            self._stream = context
        torch.set_num_threads(1)  # of this thread: sums over several may differ in their last bits
        for raw in requests:
            if self._session is not session:
                context.abort(_Code.UNAUTHENTICATED, "this lease has lapsed")
            if self._stream is not context:
                context.abort(_Code.ABORTED, "another stream has taken the place of this one")
            try:
                reply = session.answer(raw)
            except Gap as problem:
                context.abort(_Code.ABORTED, str(problem))
            if reply is not None:
                yield reply

    def _present(self) -> Session | None:
        """The lease that has not lapsed."""
        if self._session is not None and self._session.seconds_left(self._seconds) <= 0:
            self._end(self._session)
        return self._session

    def _end(self, session: Session) -> None:
        self._session = None
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
        session.end()

    def _admit(self, context: grpc.ServicerContext) -> None:
        if self._secret is None:
            return
        told = str(dict(context.invocation_metadata()).get(TOKEN, ""))
        if not hmac.compare_digest(told.encode(), f"Bearer {self._secret}".encode()):
            context.abort(_Code.PERMISSION_DENIED, "the token is missing, or is another one")

    @property
    def _seconds(self) -> float:
        return self._served.about.lease_seconds


def new_boot() -> str:
    """Draw what tells this start from others."""
    return secrets.token_hex(8)


def start_server(served: Served, address: str, guard: Guard) -> tuple[grpc.Server, str]:
    """Serve a chip at an address; gives the address with the port that was found for port 0.

    Raises:
        AddressError: it is not guarded as it must be there, or cannot be listened at.
    """
    check_guard(address, guard)
    largest = served.about.max_message_bytes
    server = grpc.server(
        ThreadPoolExecutor(_CALLS_AT_ONCE),
        options=[
            ("grpc.max_receive_message_length", largest),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
            *READ_IN_LARGE_PIECES,
            ("grpc.max_concurrent_streams", 2 * _CALLS_AT_ONCE),
            # a learner asks at most so often whether the chip is there still
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 5000),
        ],
        maximum_concurrent_rpcs=_CALLS_AT_ONCE,
    )
    server.add_generic_rpc_handlers((Service(served, guard.secret()).handler(),))
    credentials = server_credentials(guard)
    try:
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except RuntimeError:
        port = 0
    if not port:
        raise AddressError(f"cannot listen at {address}: it is taken, or not of this machine")
    server.start()
    at = address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"
    return server, at
