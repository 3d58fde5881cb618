"""How long a lost connection is tried again, and what no further attempt would change."""

from __future__ import annotations

from typing import NamedTuple

import grpc

from substrate.wire.errors import WireError
from substrate.wire.frames import Unreadable

_Code = grpc.StatusCode
_OUT = 3
"""Times that a status is seen before it is believed: a connection may change what it says."""


class Patience(NamedTuple):
    """How long is waited for what.

    Attributes:
        deadline: seconds for one reply; then the connection counts as lost.
        attempts_seconds: for how long a lost connection is tried again, before it is given up.
    """

    deadline: float = 60.0
    attempts_seconds: float = 120.0


class Strikes:
    """Counts a status that no further attempt would change, unless it was made on the way.

    Once a chip has answered, that there is none or that one may not ask can only be of the way.
    """

    def __init__(self, address: str, *, answered: bool) -> None:
        """Start at none, of a chip that has `answered` before or not."""
        self._address, self._answered = address, answered
        self._last: grpc.StatusCode | None = None
        self._count = 0

    def out(self, problem: Exception) -> bool:
        """Whether the lease is over; raises WireError where one may not, or there is no chip."""
        code = problem.code() if isinstance(problem, grpc.RpcError) else None
        self._count = self._count + 1 if code is self._last else 1
        self._last = code
        if self._count < _OUT:
            return False
        if code is _Code.PERMISSION_DENIED and not self._answered:
            raise WireError(f"{self._address}: the token is missing, or is another one")
        if code is _Code.UNIMPLEMENTED and not self._answered:
            raise WireError(f"{self._address}: what answers there is no chip")
        return code is _Code.UNAUTHENTICATED


def in_words(problem: Exception | None) -> str:
    """Say why there is no reply."""
    if isinstance(problem, Unreadable):
        return f"what answers is not understood: {problem}"
    if isinstance(problem, grpc.RpcError):
        told = (problem.details() or "").partition("\n")[0]
        return f"no answer ({problem.code().name.lower()}: {told})"
    return "the connection is lost again and again"
