"""Where a chip listens, and what guards it there.

localhost:50051, 127.0.0.1:50051, [::1]:50051       this machine alone
unix:/run/chip.sock                                 a socket in the file system
lab.example.org:50051                               other machines: TLS, and a token or certificate
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import grpc

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(?P<port>\d{1,5})")


READ_IN_LARGE_PIECES = (
    ("grpc.experimental.tcp_read_chunk_size", 2**20),
    ("grpc.experimental.tcp_min_read_chunk_size", 2**18),
    ("grpc.experimental.tcp_max_read_chunk_size", 2**22),
)
"""gRPC reads 8 kB at a time unless told otherwise, and wakes up for each."""


class AddressError(ValueError):
    """An address cannot be used, or not without more to guard it; `str()` says what is missing."""


class Guard(NamedTuple):
    """Files that guard a connection, as paths; None where there is none.

    Attributes:
        certificate: one's own, PEM.
        key: that goes with it.
        authority: the certificate, PEM, that the other side's must come from.
        token: a file with a secret that both sides know.
    """

    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None
    token: Path | None = None

    def secret(self) -> str | None:
        """Read the token.

        Raises:
            AddressError: it is too short to be one, or cannot be read.
        """
        if self.token is None:
            return None
        secret = _read(self.token).decode("utf-8", "replace").strip()
        if len(secret) < 16 or not secret.isascii() or not secret.isprintable():
            raise AddressError(
                f"{self.token}: a token has at least 16 printable characters, such as"
                " `openssl rand -hex 16` gives"
            )
        return secret


def check_address(address: str) -> None:
    """See to it that an address is one.

    Raises:
        AddressError: it is none.
    """
    if address.startswith("unix:"):
        if len(address) > len("unix:") and "\0" not in address:
            return
    elif (found := _ADDRESS.fullmatch(address)) and int(found["port"]) < 2**16:
        return
    raise AddressError(
        f"{address!r} is no address: host:port, such as localhost:50051, or unix:/path/to/socket"
    )


def is_loopback(address: str) -> bool:
    """Whether nothing but this machine reaches an address."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_guard(address: str, guard: Guard) -> None:
    """Refuse to listen where others can reach it without TLS and a way to know who asks.

    Raises:
        AddressError: naming what is missing.
    """
    check_address(address)
    if (guard.certificate is None) != (guard.key is None):
        raise AddressError("a certificate and its key go together: give both, or neither")
    if guard.authority is not None and guard.certificate is None:
        raise AddressError("client certificates need TLS: give a certificate and its key as well")
    if is_loopback(address):
        return
    if guard.certificate is None:
        raise AddressError(
            f"{address} can be reached from other machines: give --certificate and --key for TLS,"
            " and --token or --authority"
        )
    if guard.token is None and guard.authority is None:
        raise AddressError(
            f"{address} can be reached from other machines: give --token, or --authority for client"
            " certificates"
        )


def server_credentials(guard: Guard) -> grpc.ServerCredentials | None:
    """Give what a server shows and asks for; None for a connection in the clear."""
    if guard.certificate is None or guard.key is None:
        return None
    authority = None if guard.authority is None else _read(guard.authority)
    pair = (_read(guard.key), _read(guard.certificate))
    return grpc.ssl_server_credentials([pair], authority, require_client_auth=authority is not None)


def open_channel(address: str, guard: Guard, options: Sequence[tuple[str, int]]) -> grpc.Channel:
    """Make a channel to a chip; nothing is sent before the first call.

    Raises:
        AddressError: it is reached over a network, and TLS was not asked for.
    """
    check_address(address)
    if guard.authority is None and guard.certificate is None:
        if not is_loopback(address):
            raise AddressError(
                f"{address} is another machine: say by `authority` whose certificate it must show"
            )
        return grpc.insecure_channel(address, options=options)
    credentials = grpc.ssl_channel_credentials(
        None if guard.authority is None else _read(guard.authority),
        None if guard.key is None else _read(guard.key),
        None if guard.certificate is None else _read(guard.certificate),
    )
    return grpc.secure_channel(address, credentials, options=options)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise AddressError(f"{path}: cannot be read: {problem.strerror}") from None
