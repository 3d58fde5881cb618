"""What every crossbar offers to the chip it is built into. Nothing of this reaches a learner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from jaxtyping import Float, Int

from devices.deferred import torch
from devices.interface import Dense, Outer
from devices.ledger import Wear

if TYPE_CHECKING:
    from torch import Tensor


NO_TIME = "this crossbar knows no time"
NO_FAILURES = "cells of this crossbar cannot be set one by one"


@runtime_checkable
class Crossbar(Protocol):
    """A matrix W of n_out × n_in held by a physical array.

    One whose state can be saved, as that of every shipped one, is `devices.states.Saved` as well.
    """

    @property
    def noise_free(self) -> bool:
        """Whether two reads of the same input are always the same, bit for bit."""
        ...

    def program(self, weights: Float[Tensor, "n_out n_in"]) -> None:
        """Write the initial weights, as exactly as the device can hold them."""
        ...

    def read(
        self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1
    ) -> Float[Tensor, "repeats_times_batch *positions n_out"]:
        """Drive the rows with x and give W x; every repeat draws the device's noise afresh.

        Repeats are stacked along the batch: all of the first, then all of the second.
        """
        ...

    def read_transposed(self, y: Float[Tensor, "samples n_out"]) -> Float[Tensor, "samples n_in"]:
        """Drive the columns with y and give Wᵀ y."""
        ...

    def update(self, request: Outer | Dense) -> None:
        """Carry out a request for a change as well as the device can."""
        ...


class DrawsByRow(Protocol):
    """A crossbar that says how its noise is drawn; of others nothing is taken for granted."""

    @property
    def draws_by_row(self) -> bool:
        """Whether rows of one read differ as those of several do, so that passes can share one.

        Not where noise of the weights is drawn once a read, or time passes between reads.
        """
        ...


def draws_by_row(part: object) -> bool:
    """Whether rows of several passes can be read at once."""
    # asked at every read, where a check of the protocol would take as long as a small product
    return bool(getattr(part, "draws_by_row", False))


@runtime_checkable
class Pulsed(Protocol):
    """A part that counts its pulse trains, since it was made; the count is in its `state`."""

    @property
    def pulse_trains(self) -> Int[Tensor, "2"] | None:
        """Trains that were looked at, and those of them that were too short for the request.

        A train is what is sent for one sample, or for one line of a dense ΔW. None where nothing
        is pulsed.
        """
        ...


@runtime_checkable
class Worn(Protocol):
    """A crossbar that says how its cells were written; all of it is in its `state`."""

    @property
    def wear(self) -> Wear:
        """Since it was made; asking for it may wait for the device."""
        ...


@runtime_checkable
class Aged(Protocol):
    """A crossbar that time can go by for; `without_trace` takes it back."""

    @property
    def timeless(self) -> str | None:
        """Why time changes nothing here, for people; None where it does."""
        ...

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        ...


@runtime_checkable
class Breakable(Protocol):
    """A crossbar whose cells can fail."""

    @property
    def unbreakable(self) -> str | None:
        """Why none can, for people; None where they can."""
        ...

    def fail(self, fraction: float, generator: torch.Generator) -> None:
        """Let so great a part of the cells be stuck at either end of their range, for good."""
        ...


@runtime_checkable
class Reports(Protocol):
    """A crossbar whose driver knows more than its reads tell, such as a temperature."""

    def report(self) -> Mapping[str, float]:
        """As it is now, by name with the unit; asking may take the driver's time."""
        ...


def merged_reports(parts: Iterable[object]) -> dict[str, float]:
    """What the drivers of parts know."""
    found: dict[str, float] = {}
    for part in parts:
        if isinstance(part, Reports):
            found |= part.report()
    return found


def all_pulse_trains(parts: Iterable[object]) -> Int[Tensor, "2"] | None:
    """Add up the counts of parts; None where none of them counts."""
    counts = [part.pulse_trains for part in parts if isinstance(part, Pulsed)]
    known = [count.cpu() for count in counts if count is not None]
    return sum(known[1:], known[0]) if known else None
