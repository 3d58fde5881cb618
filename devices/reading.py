"""What converters read of several passes that are run as one batch."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from devices.blocks import Blocks
from devices.crossbars.base import Crossbar, draws_by_row
from devices.decorrelation import Decorrelation


class Reading:
    """What is read of every layer, for the passes that it is wanted of."""

    def __init__(self, passes: int, wanted: Collection[int] | None) -> None:
        """Prepare to read of so many passes; of all of them where none are named."""
        self.of_pass: list[list[Tensor]] = [[] for _ in range(passes)]
        self.wanted = range(passes) if wanted is None else tuple(wanted)

    def unread(self, stacked: Tensor, blocks: Blocks) -> int:
        """Count the rows, those of all positions, that are not wanted."""
        samples = len(stacked) - blocks.rows(self.wanted)
        return samples * stacked.shape[1:-1].numel()

    def read_through(self, matrix: Decorrelation, stacked: Tensor, blocks: Blocks) -> None:
        """Read what a noise-free matrix makes of the rows that are wanted."""
        if self.wanted:
            rows, own = blocks.only(stacked, self.wanted)
            self.read(matrix.read(rows), own)

    def read(self, stacked: Tensor, blocks: Blocks) -> None:
        """Keep the rows that are wanted."""
        # a view would hold the rows of all passes
        views = blocks.rows(self.wanted) == len(stacked)
        for number in self.wanted:
            block = blocks.of(stacked, number)
            self.of_pass[number].append(block if views else block.clone())


def read_matrix(
    matrix: Crossbar | Decorrelation, x: Tensor, blocks: Blocks
) -> tuple[Tensor, Blocks]:
    """Read a matrix for all passes; its noise tells apart those that shared a block until here."""
    apart = blocks.apart()
    if matrix.noise_free:
        return matrix.read(x), blocks
    if not draws_by_row(matrix):
        passes = range(len(blocks.sizes))
        return torch.cat([matrix.read(blocks.of(x, number)) for number in passes]), apart
    if blocks == apart:
        return matrix.read(x), blocks
    if set(blocks.starts) == {0} and set(blocks.sizes) == {len(x)}:
        return matrix.read(x, repeats=len(blocks.sizes)), apart
    return matrix.read(blocks.expand(x)), apart
