"""States of parts within the state of a whole: names with the part's own name in front.

prefixed("noise", {"past": t})    == {"noise.past": t}
below("noise", {"noise.past": t}) == {"past": t}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from devices.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Saved(Protocol):
    """A part whose state can be saved; a device of somebody's own need not have one."""

    def state(self) -> dict[str, Tensor]:
        """Give copies of everything that a run needs to go on from here."""
        ...

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to a state of a part of the same shape and settings."""
        ...


def state_of(part: object) -> dict[str, Tensor]:
    """Give the state of a part; nothing of one that cannot be saved."""
    return part.state() if isinstance(part, Saved) else {}


def restore_to(part: object, state: dict[str, Tensor]) -> None:
    """Take a part back to what `state_of` gave."""
    if isinstance(part, Saved):
        part.restore(state)


def prefixed(part: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the state of a part for the state of the whole."""
    return {f"{part}.{name}": value for name, value in state.items()}


def below(part: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the state of a part back out of the state of the whole."""
    start = f"{part}."
    return {
        name.removeprefix(start): value for name, value in state.items() if name.startswith(start)
    }


def on_device(state: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """Give a state, as a file holds it, where it is to be used.

    What generators are restored from stays on the CPU, where torch wants it: bytes, which nothing
    else is.
    """
    return {
        name: value if value.dtype == torch.uint8 else value.to(device)
        for name, value in state.items()
    }
