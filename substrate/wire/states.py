"""States that a served chip keeps: files where the chip is, told of by a checksum of their content.

They hold weights and noise, so they stay on the chip's side of the wire. They outlive the server's
process, so that a chip that was restarted can be taken back to one.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load, save
from torch import Tensor

from substrate.files import write_atomically

KEPT = 8
"""States of a training; the oldest goes where another one comes."""
_TRAININGS = 64
"""Whose states are kept."""
_ENDING = ".safetensors"
_NAME = re.compile(r"[0-9a-f]{40}")


class NoState(LookupError):
    """There is no such state, or its file was damaged."""


class States:
    """The states in a folder, which is made with the first of them."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; nobody but this user is to read it."""
        self._folder = folder
        self.begin()

    def begin(self) -> None:
        """Keep what comes apart from what other trainings have kept."""
        self._training = secrets.token_hex(8)

    def keep(self, state: Mapping[str, Tensor]) -> str:
        """Write a state; gives its name."""
        content = save({k: v.detach().cpu().contiguous().clone() for k, v in state.items()})
        name = hashlib.sha256(content).hexdigest()[:40]
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.chmod(0o700)
        write_atomically(self._folder / f"{self._training}-{name}{_ENDING}", content)
        of_training: dict[str, list[Path]] = {}
        for path in self._oldest_last():
            of_training.setdefault(path.name.partition("-")[0], []).append(path)
        for number, kept in enumerate(of_training.values()):
            for path in kept[KEPT if number < _TRAININGS else 0 :]:
                path.unlink(missing_ok=True)
        return name

    def read(self, name: str) -> dict[str, Tensor]:
        """Read a state.

        Raises:
            NoState: there is none of this name, or its content is not what the name says.
        """
        if not _NAME.fullmatch(name):
            raise NoState("a state is named by 40 hexadecimal digits")
        try:
            content = next(self._folder.glob(f"*-{name}{_ENDING}")).read_bytes()
        except (OSError, StopIteration):
            raise NoState(f"there is no state {name}") from None
        if hashlib.sha256(content).hexdigest()[:40] != name:
            raise NoState(f"the state {name} was damaged")
        return load(content)

    def _oldest_last(self) -> list[Path]:
        found = self._folder.glob(f"*-*{_ENDING}")
        return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)
