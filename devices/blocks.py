"""Where several passes of the same input lie in one batch, as long as some of them are the same.

Passes share everything up to the first noise or perturbation that tells them apart. What they share
is computed once: the batch is stacked in blocks, and every pass has the first rows of one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Blocks(NamedTuple):
    """The rows of every pass in a stacked batch.

    Attributes:
        starts: of every pass, the first row of its block; the same for passes that share one.
        sizes: of every pass, the number of its rows.
    """

    starts: tuple[int, ...]
    sizes: tuple[int, ...]

    @classmethod
    def shared(cls, sizes: Sequence[int]) -> Blocks:
        """Give one block that all passes share."""
        return cls((0,) * len(sizes), tuple(sizes))

    def apart(self) -> Blocks:
        """Give every pass a block of its own, in order."""
        ends = [0]
        for size in self.sizes:
            ends.append(ends[-1] + size)
        return Blocks(tuple(ends[:-1]), self.sizes)

    def of(self, stacked: Tensor, number: int) -> Tensor:
        """Give the rows of a pass, a view."""
        start = self.starts[number]
        return stacked[start : start + self.sizes[number]]

    def rows(self, numbers: Sequence[int]) -> int:
        """Count the rows that some passes have, each once."""
        longest: dict[int, int] = {}
        for number in numbers:
            start = self.starts[number]
            longest[start] = max(self.sizes[number], longest.get(start, 0))
        return sum(longest.values())

    def only(self, stacked: Tensor, numbers: Sequence[int]) -> tuple[Tensor, Blocks]:
        """Give the rows of some passes, each block once, and where these passes lie in them."""
        longest: dict[int, int] = {}
        for number in sorted(numbers, key=self.starts.__getitem__):
            start = self.starts[number]
            longest[start] = max(self.sizes[number], longest.get(start, 0))
        starts: dict[int, int] = {}
        end = 0
        for start, size in longest.items():
            starts[start] = end
            end += size
        blocks = Blocks(tuple(starts.get(start, 0) for start in self.starts), self.sizes)
        if all(place == start for start, place in starts.items()):
            return stacked[:end], blocks
        return torch.cat([stacked[start : start + n] for start, n in longest.items()]), blocks

    def expand(self, stacked: Tensor) -> Tensor:
        """Stack the passes as blocks of their own."""
        if self == self.apart():
            return stacked
        return torch.cat([self.of(stacked, number) for number in range(len(self.sizes))])

    def inject(self, a: Tensor, perturbs: Sequence[Tensor | None]) -> tuple[Tensor, Blocks]:
        """Add each pass's perturbation, splitting blocks that passes shared until here.

        Changes `a` where no block has to be split.
        """
        if all(perturb is None for perturb in perturbs):
            return a, self
        if len(set(self.starts)) == len(self.starts):
            for number, perturb in enumerate(perturbs):
                if perturb is not None:
                    self.of(a, number).add_(perturb)
            return a, self
        longest: dict[int, int] = {}
        for start, size, perturb in zip(self.starts, self.sizes, perturbs, strict=True):
            if perturb is None:
                longest[start] = max(size, longest.get(start, 0))
        starts: list[int] = []
        unperturbed: dict[int, int] = {}
        sources: list[tuple[Tensor, Tensor | None]] = []
        end = 0
        for number, perturb in enumerate(perturbs):
            start = self.starts[number]
            if perturb is None and start in unperturbed:
                starts.append(unperturbed[start])
                continue
            starts.append(end)
            if perturb is None:
                unperturbed[start] = end
                source = a[start : start + longest[start]]
            else:
                source = self.of(a, number)
            sources.append((source, perturb))
            end += len(source)
        split = a.new_empty(end, *a.shape[1:])
        parts = split.split([len(source) for source, _ in sources])
        for part, (source, perturb) in zip(parts, sources, strict=True):
            if perturb is None:
                part.copy_(source)
            else:
                torch.add(source, perturb, out=part)
        return split, Blocks(tuple(starts), self.sizes)
