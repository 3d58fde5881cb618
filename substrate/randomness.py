"""Random streams: one generator for every purpose, all derived from the scenario's seed.

A stream's seed is a hash of the scenario's seed and the purpose in words, so that a new purpose
shifts no other stream.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def stream_seed(seed: int, *purpose: str) -> int:
    """Derive the 63-bit seed of the stream for a purpose, such as `"data order"`."""
    words = "\0".join([str(seed), *purpose]).encode()
    return int.from_bytes(hashlib.blake2b(words, digest_size=8).digest()) >> 1


def stream(seed: int, *purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """Make the generator for a purpose on a device."""
    import torch

    # Nothing is drawn on the meta device, and torch has no generators there.
    home = "cpu" if torch.device(device).type == "meta" else device
    return torch.Generator(home).manual_seed(stream_seed(seed, *purpose))
