"""Random streams: one generator for every purpose, all derived from the scenario's seed.

A stream's seed is a hash of the scenario's seed and the purpose in words, so that a new purpose
shifts no other stream. What is built of streams can be set aside for a while, to draw from others
(`Streams`): evaluation does so, and leaves those of training where they stood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Self

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
    generator = torch.Generator(home).manual_seed(stream_seed(seed, *purpose))
    if keeper := _keeper.get():
        keeper.keep(seed, purpose, generator)
    return generator


class Streams:
    """All streams that are made while it is entered, whoever makes and holds them."""

    def __init__(self) -> None:
        """Start with none."""
        self._made: list[tuple[int, tuple[str, ...], torch.Generator]] = []

    def __enter__(self) -> Self:
        """Keep what `stream` makes from here on."""
        self._token = _keeper.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Keep no more."""
        _keeper.reset(self._token)

    def keep(self, seed: int, purpose: tuple[str, ...], generator: torch.Generator) -> None:
        """Take one stream."""
        self._made.append((seed, purpose, generator))

    def renew(self, *purpose: str) -> None:
        """Let every stream begin anew, for another purpose."""
        for seed, own, generator in self._made:
            generator.manual_seed(stream_seed(seed, *purpose, *own))

    @contextmanager
    def elsewhere(self, *purpose: str) -> Iterator[None]:
        """Let every stream draw what it draws for another purpose; then go on as if it had not."""
        stood = [generator.get_state() for _, _, generator in self._made]
        self.renew(*purpose)
        try:
            yield
        finally:
            for (_, _, generator), state in zip(self._made, stood, strict=True):
                generator.set_state(state)


_keeper: ContextVar[Streams | None] = ContextVar("keeper of streams", default=None)
