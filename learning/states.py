"""States of parts within the state of a whole: names with the part's own name in front.

As `devices.states` has it, of which learning knows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def prefixed(part: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the state of a part for the state of the whole."""
    return {f"{part}.{name}": value for name, value in state.items()}


def below(part: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the state of a part back out of the state of the whole."""
    start = f"{part}."
    return {
        name.removeprefix(start): value for name, value in state.items() if name.startswith(start)
    }
