"""A chip that answers at an address.

chip:
  remote: lab.example.org:50051
  authority: lab.pem           # whose certificate it must show
  token: lab.token             # a secret that both sides know
"""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from substrate.scenario.schema.base import FilePath, Settings

_ADDRESS = re.compile(r"unix:.+|(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):\d{1,5}")


class RemoteChip(Settings):
    """A chip in another process, on a bench, or in another building; see docs/wire.md."""

    remote: str = Field(description="host:port, or unix:/path/to/socket.")
    token: FilePath | None = Field(None, description="File with a secret that both sides know.")
    authority: FilePath | None = Field(
        None, description="PEM certificate that the chip's must come from; TLS with it."
    )
    certificate: FilePath | None = Field(None, description="PEM certificate of the learner's own.")
    key: FilePath | None = Field(None, description="Its key.")
    deadline_seconds: float = Field(
        60.0, gt=0, description="For one reply; then the connection counts as lost."
    )
    attempts_seconds: float = Field(
        120.0, gt=0, description="For which a lost connection is tried again."
    )

    @field_validator("remote")
    @classmethod
    def _is_address(cls, remote: str) -> str:
        if not _ADDRESS.fullmatch(remote):
            raise ValueError("must be host:port, such as localhost:50051, or unix:/path/to/socket")
        return remote
