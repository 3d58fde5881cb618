"""The ledger of a chip: what its arrays, converters and periphery did, counted as they did it.

A matrix stands on J × I arrays (`devices.crossbars.tiled`; J counts blocks of columns), each with
converters of its own, or is computed in the digital periphery. One read drives it with one vector:

    on arrays   forward:     J · n_in  DAC conversions,   I · n_out  ADC conversions
                transposed:  I · n_out DAC conversions,   J · n_in   ADC conversions
    digital     n_out · n_in multiplications, and as many for every outer product added to it

A weight may be held by several cells, all of which are read and programmed.

Passes are counted as the hardware would make them. What the simulation does once for several
passes, since it would come out the same, counts once a pass. Requests are counted where the chip
takes them, in whole numbers on the host; pulses where they are drawn, cell by cell, in tensors on
the device that are looked at only when the ledger is asked for (`devices.counting`).

No part of it says anything of noise or weights, yet it is the simulator's and no learner's: it has
no member in `devices.interface`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

Part = Literal["weights", "decorrelation", "mirror"]
"""W of a layer, the R in front of it, or the mirror B."""


class MatrixCounts(BaseModel):
    """What one matrix did. Figures that the simulation cannot tell are None.

    Attributes:
        layer: counted from 1.
        part: which matrix of the layer.
        held: on arrays, or in the digital periphery.
        n_out: rows of the matrix, which are columns of its arrays.
        n_in: columns of the matrix, which are rows of its arrays.
        arrays: J · I; 0 if it is digital.
        array_rows: rows of the largest of its arrays; all are written at once, line by line. None
            where that is not told.
        reads: vectors that it was driven with; all its arrays are read at once.
        transposed_reads: likewise, driven from the other side.
        dac_conversions: of all its arrays.
        adc_conversions: of all its arrays.
        cells_per_weight: cells that stand for one weight, such as two of a differential pair.
        programmings: how often all its cells were written as a whole, at first included.
        trains: pulse trains; one is what is sent to an array for one sample, or for one line of a
            dense ΔW.
        trains_cut_short: those that were too short for what was asked.
        slots: pulse slots of all trains one after another, of arrays side by side those of
            the one that has most, since each runs its trains on its own.
        pulses: pulses that cells were given.
        worst_cell_pulses: those of the cell that was given most; of a differential pair, both.
        pulses_are: counted one by one, or computed as the mean number that the requests' trains
            bring, for simulators that do not tell.
        multiplications: digital ones.
        words: of digital memory.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    layer: int
    part: Part
    held: Literal["arrays", "digital"]
    n_out: int
    n_in: int
    arrays: int
    reads: float
    transposed_reads: float
    dac_conversions: float
    adc_conversions: float
    array_rows: int | None = None
    cells_per_weight: int = 1
    programmings: float | None
    trains: float | None
    trains_cut_short: float | None
    slots: float | None
    pulses: float | None
    worst_cell_pulses: float | None
    pulses_are: Literal["counted", "computed"] | None
    multiplications: float
    words: float


class Counts(BaseModel):
    """What a chip did.

    Attributes:
        passes: samples sent through the network, once for every pass.
        readout_conversions: of read-out converters that observations have to themselves.
        activation_words: what observations of one sample hold at most, of all passes that a rule
            compares at once.
        matrices: layer by layer; weights, decorrelation, mirror.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    passes: float
    readout_conversions: float
    activation_words: float
    matrices: list[MatrixCounts]


class Wear(NamedTuple):
    """What a crossbar that is written knows of its writing; attributes as in `MatrixCounts`.

    Attributes:
        holds_target: whether changes are added to a digital copy of the matrix, which is then
            programmed.
        forms_products: whether outer products are formed digitally before they are written.
        reads: vectors that the array was driven with in order to write it.
    """

    programmings: int
    trains: float | None = None
    trains_cut_short: float | None = None
    slots: float | None = None
    pulses: float | None = None
    worst_cell_pulses: float | None = None
    computed: bool = False
    holds_target: bool = False
    forms_products: bool = False
    reads: int = 0
    cells_per_weight: int = 1
