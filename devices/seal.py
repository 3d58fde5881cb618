"""The seal: a chip as a learner and a report meet it, with noise and weights out of reach.

A sealed chip has the members of `devices.interface.Chip` and no others. It holds no reference to
the chip behind it, in no attribute and no closure; the only link is this module's private table,
which dies with the sealed chip. What it returns is detached from autograd, and shares no storage
with anything that the chip keeps. Python has no secrets from somebody who sets out to read private
names; the seal makes sure that nobody reads noise or weights by accident, and a test tries every
public way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NoReturn, Protocol
from weakref import WeakKeyDictionary

from jaxtyping import Int
from torch import Tensor

from devices.crossbars.base import Crossbar
from devices.interface import (
    Capability,
    Chip,
    Drawn,
    LayerShape,
    LayerUpdate,
    Observation,
    PerSampleLoss,
    Perturbation,
)
from devices.ledger import Counts


class SealedChip:
    """A chip behind the seal. Made by `seal`; cannot be copied, pickled or extended."""

    __slots__ = ("__weakref__",)

    @property
    def shapes(self) -> tuple[LayerShape, ...]:
        """See `devices.interface.Chip.shapes`."""
        return _behind[self].shapes

    @property
    def capabilities(self) -> frozenset[Capability]:
        """See `devices.interface.Chip.capabilities`."""
        return _behind[self].capabilities

    @property
    def decorrelates(self) -> bool:
        """See `devices.interface.Chip.decorrelates`."""
        return _behind[self].decorrelates

    @property
    def mirrors(self) -> bool:
        """See `devices.interface.Chip.mirrors`."""
        return _behind[self].mirrors

    def forward(self, x: Tensor, perturb: Perturbation | Drawn | None = None) -> Observation:
        """See `devices.interface.Chip.forward`."""
        return _behind[self].forward(x, perturb)

    def passes(
        self,
        x: Tensor,
        perturbs: Sequence[Perturbation | Drawn | None],
        *,
        samples: Sequence[int] | None = None,
        read_inputs: Collection[int] | None = None,
        read_pre_activations: Collection[int] | None = None,
    ) -> tuple[Observation, ...]:
        """See `devices.interface.Chip.passes`."""
        return _behind[self].passes(
            x,
            perturbs,
            samples=samples,
            read_inputs=read_inputs,
            read_pre_activations=read_pre_activations,
        )

    def backpropagate(
        self, x: Tensor, loss: PerSampleLoss
    ) -> tuple[Observation, tuple[Tensor, ...]]:
        """See `devices.interface.Chip.backpropagate`."""
        return _behind[self].backpropagate(x, loss)

    def read_decorrelation_transposed(self, layer: int, y: Tensor) -> Tensor:
        """See `devices.interface.Chip.read_decorrelation_transposed`."""
        return _behind[self].read_decorrelation_transposed(layer, y)

    def read_transposed(self, layer: int, y: Tensor) -> Tensor:
        """See `devices.interface.Chip.read_transposed`."""
        return _behind[self].read_transposed(layer, y)

    def read_mirror(self, layer: int, x: Tensor) -> Tensor:
        """See `devices.interface.Chip.read_mirror`."""
        return _behind[self].read_mirror(layer, x)

    def read_mirror_transposed(self, layer: int, y: Tensor) -> Tensor:
        """See `devices.interface.Chip.read_mirror_transposed`."""
        return _behind[self].read_mirror_transposed(layer, y)

    def activate(self, layer: int, a: Tensor) -> Tensor:
        """See `devices.interface.Chip.activate`."""
        return _behind[self].activate(layer, a)

    def pull_back(
        self, layer: int, a: Tensor, gradient: Tensor, slope: Tensor | None = None
    ) -> Tensor:
        """See `devices.interface.Chip.pull_back`."""
        return _behind[self].pull_back(layer, a, gradient, slope)

    def apply(self, updates: Sequence[LayerUpdate]) -> None:
        """See `devices.interface.Chip.apply`."""
        _behind[self].apply(updates)

    def __repr__(self) -> str:
        """Name the layers and capabilities, which are no secret."""
        layers = ", ".join(f"{shape.n_in}→{shape.n_out}" for shape in self.shapes)
        return f"<sealed chip: {layers}; {', '.join(sorted(self.capabilities))}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse to be copied or pickled."""
        raise TypeError("a sealed chip cannot be copied or pickled")


class StatefulChip(Chip, Protocol):
    """A chip whose state can be saved. That is the simulator's business, not the learner's."""

    def state(self) -> dict[str, Tensor]:
        """Give copies of everything that a run needs to go on from here."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state."""
        ...

    @property
    def pulse_trains(self) -> Int[Tensor, "2"] | None:
        """See `devices.crossbars.base.Pulsed`."""
        ...

    def report(self) -> Mapping[str, float]:
        """See `devices.chip.NetworkChip.report`."""
        ...

    @property
    def ledger(self) -> Counts:
        """See `devices.chip.NetworkChip.ledger`."""
        ...

    @property
    def arrays(self) -> list[Crossbar]:
        """See `devices.chip.NetworkChip.arrays`."""
        ...

    def without_trace(self) -> AbstractContextManager[None]:
        """Let passes that happen inside change nothing for those after."""
        ...


_behind: WeakKeyDictionary[SealedChip, StatefulChip] = WeakKeyDictionary()


def seal(chip: StatefulChip) -> SealedChip:
    """Put a chip behind the seal."""
    sealed = SealedChip()
    _behind[sealed] = chip
    return sealed


def chip_state(sealed: SealedChip) -> dict[str, Tensor]:
    """Give the state of a sealed chip, weights and noise included, for a simulator to save.

    Learners and reports have no use for it, and import nothing from here.
    """
    return _behind[sealed].state()


def restore_chip(sealed: SealedChip, state: Mapping[str, Tensor]) -> None:
    """Take a sealed chip back to a state that `chip_state` gave."""
    _behind[sealed].restore(state)


def without_trace(sealed: SealedChip) -> AbstractContextManager[None]:
    """Let passes that a simulator makes inside change nothing for those after.

    Noise goes on after them from where it was, and time has not passed.
    """
    return _behind[sealed].without_trace()


def arrays(sealed: SealedChip) -> list[Crossbar]:
    """What an inference reads, for a simulator to let it age or break."""
    return _behind[sealed].arrays


def ledger(sealed: SealedChip) -> Counts:
    """What a chip did since it was made, for a simulator; passes without a trace left out."""
    return _behind[sealed].ledger


def pulse_trains(sealed: SealedChip) -> tuple[int, int] | None:
    """Pulse trains that were looked at, and those of them that were cut short, for a simulator."""
    count = _behind[sealed].pulse_trains
    return None if count is None else (int(count[0]), int(count[1]))


def reported(sealed: SealedChip) -> dict[str, float]:
    """What a chip's drivers report beside their reads, such as a temperature; empty elsewhere."""
    return dict(_behind[sealed].report())
