"""The scenario's noise around an array that has none of it inside.

    from its rows      a = noise_out(W noise_in(x))
    from its columns   e = noise'_out(Wᵀ noise'_in(y))

Noise of inputs is that of whatever drives the lines, and noise of outputs that of whatever reads
them. Driven from the other side, other circuits of the same kind do both: the primes are the same
models as sources of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from devices.crossbars.base import Crossbar
from devices.states import below, prefixed, restore_to, state_of

AddNoise = Callable[[Tensor], Tensor]
"""Gives a signal, (reads, [positions,] lines), as a noise source or converter leaves it."""


@dataclass(frozen=True)
class LineNoise:
    """Noise on the lines of an array that is driven from one of its sides.

    Attributes:
        input: acts on what drives its lines.
        output: acts on what the lines across give.
    """

    input: AddNoise | None = None
    output: AddNoise | None = None

    def around(self, read: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Give what is read when `x` is meant to drive the lines."""
        a = read(x if self.input is None else self.input(x))
        return a if self.output is None else self.output(a)

    @property
    def silent(self) -> bool:
        """Whether there is none."""
        return self.input is None and self.output is None

    def state(self) -> dict[str, Tensor]:
        """Give copies of the states of its sources."""
        return prefixed("input", state_of(self.input)) | prefixed("output", state_of(self.output))

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state."""
        restore_to(self.input, below("input", state))
        restore_to(self.output, below("output", state))


@dataclass(frozen=True)
class ArrayNoise:
    """Noise around an array.

    Attributes:
        forward: where rows are driven.
        transposed: where columns are.
    """

    forward: LineNoise = field(default_factory=LineNoise)
    transposed: LineNoise = field(default_factory=LineNoise)

    def read(
        self, array: Crossbar, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1
    ) -> Float[Tensor, "repeats_times_batch *positions n_out"]:
        """See `devices.crossbars.base.Crossbar.read`."""
        if self.forward.silent or repeats == 1:
            return self.forward.around(lambda rows: array.read(rows, repeats), x)
        return torch.cat([self.forward.around(array.read, x) for _ in range(repeats)])

    def read_transposed(
        self, array: Crossbar, y: Float[Tensor, "samples n_out"]
    ) -> Float[Tensor, "samples n_in"]:
        """See `devices.crossbars.base.Crossbar.read_transposed`."""
        return self.transposed.around(array.read_transposed, y)

    def state(self) -> dict[str, Tensor]:
        """Give copies of the states of its sources."""
        forward, transposed = self.forward.state(), self.transposed.state()
        return prefixed("forward", forward) | prefixed("transposed", transposed)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state."""
        self.forward.restore(below("forward", state))
        self.transposed.restore(below("transposed", state))
