"""Common-mode noise: lines that share a supply, a reference or a wire move together.

n_{t,i} = σ ε_{t,group(i)},  ε ~ N(0, 1)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, PositiveInt

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel

if TYPE_CHECKING:
    from torch import Tensor


class CommonModeNoise(NoiseModel):
    """White Gaussian noise that is the same along a row, a column or a whole tile."""

    name: ClassVar[str] = "common_mode"
    title: ClassVar[str] = "white Gaussian noise that the lines of a row, column or tile share"
    citation: ClassVar[str] = "textbook; supply and reference noise of a shared driver or converter"

    std: NonNegativeFloat = Field(0.02, description="standard deviation σ, in units of the signal")
    shared: Literal["row", "column", "tile"] = Field(
        "tile",
        description="what moves together; a row (one input) or a column (one output) only at "
        "`weight`, where a signal has both",
    )
    tile: PositiveInt | None = Field(
        None,
        description="lines of one tile along either side, beyond which nothing is shared; left "
        "out, all lines are one tile",
    )

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Draw one number for every group, and give it to all its lines.

        Raises:
            ValueError: a row or a column is shared, and the signal has no such axis.
        """
        reads, *lines = signal.shape
        groups = [math.ceil(size / (self.tile or size)) for size in lines]
        if self.shared != "tile":
            if len(lines) < 2:
                raise ValueError(f"noise shared along a {self.shared} can act at `weight` only")
            # A row of the array is one input and crosses all outputs, the first axis of lines.
            own = 1 if self.shared == "row" else 0
            groups[own] = lines[own]
        noise = torch.empty(reads, *groups, device=signal.device, dtype=signal.dtype)
        noise.normal_(0, self.std, generator=memory.generator)
        for axis, (size, count) in enumerate(zip(lines, groups, strict=True), start=1):
            if count not in (1, size):
                group_of = torch.arange(size, device=signal.device) // (self.tile or size)
                noise = noise.index_select(axis, group_of)
        return noise.expand(signal.shape).clone()

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """σ²."""
        return torch.full_like(signal, self.std**2)
