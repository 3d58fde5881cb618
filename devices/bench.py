"""A chip on a bench, as a lab describes it to us: one class around its instruments.

    read      a = W x              every row of x is a drive of the array's rows
    program   W ← weights          as exactly as the devices can hold them
    update    W ← W + ΔW           as well as the devices can

A lab writes `read` and one of the other two. What is missing follows (`devices.crossbars.bench`):

    no program   weights are written by update: read, ask for what is missing, and so on
    no update    T ← clip(T + ΔW), program T; the target T is kept in the digital periphery

Activations, biases, R and the mirror's arithmetic are the periphery's, which is ours and runs
beside the bench. Values are weights and inputs as the network has them: what a weight is in
siemens, and an input in volts, only the driver knows, and converts. `substrate new bench NAME`
writes a start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64
from pydantic import BaseModel


class ArraySize(NamedTuple):
    """What the bench can read and write by itself: a whole array, or a part of one.

    Attributes:
        rows: inputs.
        columns: outputs.
    """

    rows: int
    columns: int


class Bench:
    """Derive from it. Arrays are counted from 0, in the order of `arrays`.

    Beside `read`, a bench has some of these methods; what a bench has, it can do:

        program(array, weights)       weights: (columns, rows)
        update(array, change)         change: ΔW, (columns, rows); 0 leaves a cell alone
        update_outer(array, x, d)     ΔW = Σ_s d_s x_sᵀ; x: (samples, rows), d: (samples, columns)
        read_transposed(array, y)     y: (drives, columns); gives Wᵀ y, (drives, rows)
        state(array)                  named numpy arrays, from which `restore(array, state)` goes on

    A network's matrix gets an array of its own, in whose first rows and columns it lies; the rest
    is driven with 0 and holds 0. A matrix that is too large is split over several.

    Attributes:
        title: one line for people.
        citation: where the device is described; may be empty.
        arrays: known before anything is connected, from the settings alone.
        largest_input: most that a row is driven with. An input vector with a larger value is scaled
            down, and what its columns give scaled up again, in the periphery.
        largest_weight: most that a cell holds, on either side of 0; what is programmed is clipped.
        step: ΔW that one pulse makes, about; `substrate fit-device --bench` asks for so much at a
            time. None for a fiftieth of the largest weight.
        connection: the settings that say which instrument it is, such as an address: one training
            at a time has it. None of them where there is one such bench.
        Settings: what a scenario may set; every description gives the unit.
    """

    title: ClassVar[str] = ""
    citation: ClassVar[str] = ""
    arrays: Sequence[ArraySize] = ()
    largest_input: float = 1.0
    largest_weight: float = 1.0
    step: float | None = None
    connection: ClassVar[Sequence[str]] = ()

    class Settings(BaseModel, extra="forbid", frozen=True):
        """None, unless a class of one's own says otherwise."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is connected before `open`."""
        self.settings = settings

    def open(self) -> None:
        """Connect."""

    def close(self) -> None:
        """Disconnect; called once for every `open`, however a run ends."""

    def read(
        self, array: int, x: Float64[np.ndarray, "drives rows"]
    ) -> Float64[np.ndarray, "drives columns"]:
        """Drive the rows of an array with each row of x in turn, and give what its columns give."""
        raise NotImplementedError(f"{type(self).__name__} has no read")

    def metrics(self) -> Mapping[str, float]:
        """Give what else is known now, such as a temperature: a metric of the run, by epoch.

        Names say the unit, as in `temperature (K)`.
        """
        return {}


@runtime_checkable
class Programs(Protocol):
    """A bench that writes weights."""

    def program(self, array: int, weights: Float64[np.ndarray, "columns rows"]) -> None:
        """See `Bench`."""
        ...


@runtime_checkable
class Updates(Protocol):
    """A bench that changes weights cell by cell."""

    def update(self, array: int, change: Float64[np.ndarray, "columns rows"]) -> None:
        """See `Bench`."""
        ...


@runtime_checkable
class UpdatesOuter(Protocol):
    """A bench that changes weights by pulses on rows and columns at once."""

    def update_outer(
        self,
        array: int,
        x: Float64[np.ndarray, "samples rows"],
        d: Float64[np.ndarray, "samples columns"],
    ) -> None:
        """See `Bench`."""
        ...


@runtime_checkable
class ReadsTransposed(Protocol):
    """A bench whose arrays can be driven from their columns."""

    def read_transposed(
        self, array: int, y: Float64[np.ndarray, "drives columns"]
    ) -> Float64[np.ndarray, "drives rows"]:
        """See `Bench`."""
        ...


@runtime_checkable
class SavesArrays(Protocol):
    """A bench whose arrays can be saved, as those of a simulated one can."""

    def state(self, array: int) -> Mapping[str, np.ndarray]:
        """See `Bench`."""
        ...

    def restore(self, array: int, state: Mapping[str, np.ndarray]) -> None:
        """See `Bench`."""
        ...
