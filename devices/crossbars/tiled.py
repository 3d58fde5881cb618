"""A matrix that is larger than one physical array, split over several.

    a[j] = Σ_i read of tile (j, i) driven by x[i]        partial sums are added digitally
    x[i] = Σ_j transposed read of tile (j, i)            i counts blocks of rows, j of columns

Every array has its own converters and devices, so that its noise and its spread are its own; and so
is the scenario's noise around it, where it has none of that inside.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor

from devices.array_noise import ArrayNoise
from devices.crossbars.base import (
    NO_FAILURES,
    NO_TIME,
    Aged,
    Breakable,
    Crossbar,
    all_pulse_trains,
    draws_by_row,
    merged_reports,
)
from devices.interface import Dense, Outer
from devices.states import below, prefixed, restore_to, state_of
from devices.without_trace import without_trace

MakeArrayNoise = Callable[[str], ArrayNoise]
"""Makes the noise around one array, by its name."""
MakeTile = Callable[[int, int, str], Crossbar]
"""Makes one array of n_out × n_in; its name, such as "1.0", tells it from the others."""


class TiledCrossbar:
    """A grid of crossbars that stand for one matrix."""

    def __init__(
        self,
        n_out: int,
        n_in: int,
        max_columns: int,
        max_rows: int,
        make: MakeTile,
        around: MakeArrayNoise = lambda name: ArrayNoise(),
    ) -> None:
        """Fill as many arrays of at most `max_columns` × `max_rows` as the matrix needs.

        Args:
            n_out: outputs of the matrix, which are columns of the arrays.
            n_in: inputs of the matrix, which are rows of the arrays.
            max_columns: columns of one array.
            max_rows: rows of one array.
            make: makes one array.
            around: makes the noise around one.
        """
        self._columns = _slices(n_out, max_columns)
        self._rows = _slices(n_in, max_rows)
        self._tiles = [
            [
                make(out.stop - out.start, into.stop - into.start, f"{j}.{i}")
                for i, into in enumerate(self._rows)
            ]
            for j, out in enumerate(self._columns)
        ]
        self._noise = [
            [around(f"{j}.{i}") for i in range(len(self._rows))] for j in range(len(self._columns))
        ]

    @property
    def noise_free(self) -> bool:
        """Whether no array has noise, nor any around it."""
        silent = all(noise.forward.silent for line in self._noise for noise in line)
        return silent and all(tile.noise_free for tile in self.tiles)

    @property
    def draws_by_row(self) -> bool:
        """See `devices.crossbars.base.DrawsByRow`."""
        return all(draws_by_row(tile) for tile in self.tiles)

    def program(self, weights: Float[Tensor, "n_out n_in"]) -> None:
        """Write every array's part."""
        for out, into, tile in self._placed():
            tile.program(weights[out, into])

    def read(
        self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1
    ) -> Float[Tensor, "repeats_times_batch *positions n_out"]:
        """Read every array, and add what the arrays of one column give."""
        parts = [x[..., into].contiguous() for into in self._rows]
        sums = []
        for noises, tiles in zip(self._noise, self._tiles, strict=True):
            line = zip(noises, tiles, parts, strict=True)
            sums.append(_add([noise.read(tile, part, repeats) for noise, tile, part in line]))
        return torch.cat(sums, dim=-1)

    def read_transposed(self, y: Float[Tensor, "samples n_out"]) -> Float[Tensor, "samples n_in"]:
        """Read every array backwards, and add what the arrays of one row give."""
        parts = [y[:, out].contiguous() for out in self._columns]
        sums = []
        for i in range(len(self._rows)):
            line = zip(self._noise, self._tiles, parts, strict=True)
            sums.append(_add([noise[i].read_transposed(tile[i], y) for noise, tile, y in line]))
        return torch.cat(sums, dim=1)

    def update(self, request: Outer | Dense) -> None:
        """Ask every array for its part of the change."""
        for out, into, tile in self._placed():
            if isinstance(request, Dense):
                tile.update(Dense(request.delta[out, into].contiguous()))
            else:
                x, d = request.x[:, into].contiguous(), request.d[:, out].contiguous()
                tile.update(Outer(x, d, request.rate))

    def state(self) -> dict[str, Tensor]:
        """Give every array's state, named after its place."""
        state: dict[str, Tensor] = {}
        for j, line in enumerate(self._tiles):
            for i, tile in enumerate(line):
                state |= prefixed(f"{j}.{i}", state_of(tile))
                state |= prefixed(f"noise {j}.{i}", self._noise[j][i].state())
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to a state of a grid of the same arrays."""
        for j, line in enumerate(self._tiles):
            for i, tile in enumerate(line):
                restore_to(tile, below(f"{j}.{i}", state))
                self._noise[j][i].restore(below(f"noise {j}.{i}", state))

    @property
    def pulse_trains(self) -> Int[Tensor, "2"] | None:
        """Of all arrays."""
        return all_pulse_trains(tile for _, _, tile in self._placed())

    def report(self) -> dict[str, float]:
        """See `devices.crossbars.base.Reports`."""
        return merged_reports(self.tiles)

    @property
    def grid(self) -> tuple[int, int]:
        """Arrays along the columns, and along the rows."""
        return len(self._columns), len(self._rows)

    @property
    def largest_rows(self) -> int:
        """Rows of the array that has most in use."""
        largest: int = max(into.stop - into.start for into in self._rows)
        return largest

    @property
    def tiles(self) -> list[Crossbar]:
        """All arrays."""
        return [tile for _, _, tile in self._placed()]

    @property
    def timeless(self) -> str | None:
        """See `devices.crossbars.base.Aged`; all arrays are alike."""
        first = self.tiles[0]
        return first.timeless if isinstance(first, Aged) else NO_TIME

    def advance(self, seconds: float) -> None:
        """Let time go by for every array."""
        for tile in self.tiles:
            if isinstance(tile, Aged):
                tile.advance(seconds)

    @property
    def unbreakable(self) -> str | None:
        """See `devices.crossbars.base.Breakable`; all arrays are alike."""
        first = self.tiles[0]
        return first.unbreakable if isinstance(first, Breakable) else NO_FAILURES

    def fail(self, fraction: float, generator: torch.Generator) -> None:
        """Let cells of every array fail."""
        for tile in self.tiles:
            if isinstance(tile, Breakable):
                tile.fail(fraction, generator)

    @contextmanager
    def without_trace(self) -> Iterator[None]:
        """See `devices.without_trace`."""
        with ExitStack() as inside:
            for _, _, tile in self._placed():
                inside.enter_context(without_trace(tile))
            for noise in itertools.chain(*self._noise):
                inside.enter_context(without_trace(noise))
            yield

    def _placed(self) -> list[tuple[slice, slice, Crossbar]]:
        return [
            (out, into, tile)
            for out, line in zip(self._columns, self._tiles, strict=True)
            for into, tile in zip(self._rows, line, strict=True)
        ]


def _slices(size: int, most: int) -> list[slice]:
    return [slice(start, min(start + most, size)) for start in range(0, size, most)]


def _add(parts: list[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
