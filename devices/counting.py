"""Counting for the ledger: what every matrix was asked for, and what its arrays make of it.

The arithmetic is that of `devices.ledger`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field

from devices.crossbars.base import Crossbar, Worn
from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.tiled import TiledCrossbar
from devices.interface import Dense, Outer
from devices.ledger import MatrixCounts, Part, Wear


@dataclass
class Requests:
    """What a matrix was asked for, since it was made; an update of several samples is one.

    `multiplications` are digital ones that do not follow from the other numbers.
    """

    reads: int = 0
    transposed_reads: int = 0
    outer_products: int = 0
    updates: int = 0
    multiplications: int = 0

    def update(self, request: Outer | Dense) -> None:
        """Count a request for a change."""
        self.updates += 1
        if isinstance(request, Outer):
            self.outer_products += len(request.x)

    def numbers(self) -> list[int]:
        """All of them, for a state; `Requests(*numbers)` makes it again."""
        return list(astuple(self))


@dataclass
class LayerRequests:
    """What the matrices of a layer were asked for."""

    weights: Requests = field(default_factory=Requests)
    decorrelation: Requests = field(default_factory=Requests)
    mirror: Requests = field(default_factory=Requests)

    def numbers(self) -> list[int]:
        """All of them, for a state; `of` makes it again."""
        parts = (self.weights, self.decorrelation, self.mirror)
        return [number for part in parts for number in part.numbers()]

    @classmethod
    def of(cls, numbers: Sequence[int]) -> LayerRequests:
        """Make it from its numbers."""
        size = len(numbers) // 3
        return cls(
            *(Requests(*numbers[place : place + size]) for place in range(0, len(numbers), size))
        )


def matrix_counts(
    number: int,
    part: Part,
    n_out: int,
    n_in: int,
    asked: Requests,
    crossbar: Crossbar,
    words_beside: int = 0,
    reads_back: int = 0,
) -> MatrixCounts:
    """Count the matrix that a crossbar holds.

    Args:
        number: of the layer.
        part: which matrix of it.
        n_out: rows of the matrix.
        n_in: columns of the matrix.
        asked: of it.
        crossbar: that holds it.
        words_beside: in digital memory, next to it.
        reads_back: vectors that it was driven with in order to read it back.
    """
    where = number, part, n_out, n_in, asked
    if isinstance(crossbar, IdealCrossbar):
        return digital_counts(*where, words_beside=words_beside)
    grid, tiles, array_rows = (1, 1), [crossbar], n_in
    if isinstance(crossbar, TiledCrossbar):
        grid, tiles, array_rows = crossbar.grid, crossbar.tiles, crossbar.largest_rows
    worn: list[Wear] = [tile.wear for tile in tiles if isinstance(tile, Worn)]
    wear = _add_wear(worn) if len(worn) == len(tiles) else None
    reads = asked.reads + reads_back + (0 if wear is None else wear.reads)
    return _array_counts(*where, grid, array_rows, wear, reads, words_beside=words_beside)


def _add_wear(parts: Iterable[Wear]) -> Wear:
    """Put together the wear of arrays that stand for one matrix; all are written at once."""
    parts = list(parts)

    def total(values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(parts) else None

    def largest(values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return max(known) if len(known) == len(parts) else None

    return Wear(
        programmings=max(part.programmings for part in parts),
        trains=total(part.trains for part in parts),
        trains_cut_short=total(part.trains_cut_short for part in parts),
        slots=largest(part.slots for part in parts),
        pulses=total(part.pulses for part in parts),
        worst_cell_pulses=largest(part.worst_cell_pulses for part in parts),
        computed=any(part.computed for part in parts),
        holds_target=any(part.holds_target for part in parts),
        forms_products=any(part.forms_products for part in parts),
        reads=max(part.reads for part in parts),
        cells_per_weight=max(part.cells_per_weight for part in parts),
    )


def digital_counts(
    layer: int, part: Part, n_out: int, n_in: int, asked: Requests, *, words_beside: int = 0
) -> MatrixCounts:
    """Count a matrix in the digital periphery."""
    cells = n_out * n_in
    products = asked.reads + asked.transposed_reads + asked.outer_products
    return MatrixCounts(
        layer=layer,
        part=part,
        held="digital",
        n_out=n_out,
        n_in=n_in,
        arrays=0,
        reads=asked.reads,
        transposed_reads=asked.transposed_reads,
        dac_conversions=0,
        adc_conversions=0,
        programmings=None,
        trains=None,
        trains_cut_short=None,
        slots=None,
        pulses=None,
        worst_cell_pulses=None,
        pulses_are=None,
        multiplications=products * cells + asked.multiplications,
        words=cells + words_beside,
    )


def _array_counts(
    layer: int,
    part: Part,
    n_out: int,
    n_in: int,
    asked: Requests,
    grid: tuple[int, int],
    array_rows: int,
    wear: Wear | None,
    reads: int,
    *,
    words_beside: int = 0,
) -> MatrixCounts:
    """Count a matrix on a grid of arrays, J of them along its columns and I along its rows."""
    columns, rows = grid
    driven, read = columns * n_in, rows * n_out
    multiplications = asked.multiplications
    if part == "decorrelation":  # a digital gain of every row, in reads and in updates
        multiplications += n_in * (asked.reads + asked.transposed_reads + asked.outer_products)
        multiplications += n_in * asked.updates
        words_beside += n_in
    if wear is not None and wear.forms_products:
        multiplications += asked.outer_products * n_out * n_in
    if wear is not None and wear.holds_target:
        words_beside += n_out * n_in
    known = wear if wear is not None and wear.pulses is not None else None
    return MatrixCounts(
        layer=layer,
        part=part,
        held="arrays",
        n_out=n_out,
        n_in=n_in,
        arrays=columns * rows,
        reads=reads,
        transposed_reads=asked.transposed_reads,
        dac_conversions=reads * driven + asked.transposed_reads * read,
        adc_conversions=reads * read + asked.transposed_reads * driven,
        array_rows=array_rows,
        cells_per_weight=1 if wear is None else wear.cells_per_weight,
        programmings=None if wear is None else wear.programmings,
        trains=None if wear is None else wear.trains,
        trains_cut_short=None if wear is None else wear.trains_cut_short,
        slots=None if wear is None else wear.slots,
        pulses=None if known is None else known.pulses,
        worst_cell_pulses=None if known is None else known.worst_cell_pulses,
        pulses_are=None if known is None else "computed" if known.computed else "counted",
        multiplications=multiplications,
        words=words_beside,
    )
