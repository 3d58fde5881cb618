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

from substrate.nearest import path_meant

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(?P<port>\d{1,5})")


READ_IN_LARGE_PIECES = (
    ("grpc.experimental.tcp_read_chunk_size", 2**20),
    ("grpc.experimental.tcp_min_read_chunk_size", 2**18),
    ("grpc.experimental.tcp_max_read_chunk_size", 2**22),
)
"""gRPC reads 8 kB at a time unless told otherwise, and wakes up for each."""


class AddressError(ValueError):
    """An address cannot be used, or not without more to guard it; `str()` says what is missing."""


class GuardError(AddressError):
    """A file of a guard cannot be used; `str()` is what is wrong with it.

    Attributes:
        part: of the guard, such as `token`.
        path: of the file.
        hint: what helps.
    """

    def __init__(self, part: str, path: Path, message: str) -> None:
        """Name the part and its file, what is wrong, and where such a file comes from."""
        super().__init__(message)
        self.part = part
        self.path = path
        makes = f"`openssl rand -hex 16 > {path}` makes one; server and learner have the same"
        self.hint = path_meant(path) or (makes if part == "token" else None)


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
            GuardError: it is too short to be one, or cannot be read.
        """
        content = self.read("token")
        if content is None or self.token is None:
            return None
        secret = content.decode("utf-8", "replace").strip()
        if len(secret) < 16 or not secret.isascii() or not secret.isprintable():
            message = "a token has at least 16 printable characters"
            raise GuardError("token", self.token, message)
        return secret

    def read(self, part: str) -> bytes | None:
        """Read one of the files; None where there is none.

        Raises:
            GuardError: it cannot be read.
        """
        path: Path | None = getattr(self, part)
        if path is None:
            return None
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise GuardError(part, path, "no such file") from None
        except (OSError, ValueError) as problem:  # the latter where the name holds a NUL
            reason = problem.strerror if isinstance(problem, OSError) else problem
            raise GuardError(part, path, f"cannot be read: {reason}") from None


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
    key, certificate, authority = map(guard.read, ("key", "certificate", "authority"))
    if key is None or certificate is None:
        return None
    return grpc.ssl_server_credentials(
        [(key, certificate)], authority, require_client_auth=authority is not None
    )


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
        guard.read("authority"),
        guard.read("key"),
        guard.read("certificate"),
    )
    return grpc.secure_channel(address, credentials, options=options)
