"""A chip behind a wire, as a learner and a run have it in hand.

What is exact and known is computed where it is asked for; all else is asked of the chip. Changes
are sent without waiting: the chip carries them out while the learner goes on, and the next request
that has a reply says that they were done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from devices.interface import (
    Capability,
    CapabilityError,
    Drawn,
    LayerShape,
    LayerUpdate,
    Observation,
    PerSampleLoss,
    Perturbation,
)
from devices.ledger import Counts
from devices.requests import check_layer, check_update
from substrate.record.wire import WireFigures
from substrate.scenario.schema.remote import RemoteChip as RemoteSettings
from substrate.wire import chip_pb2 as pb
from substrate.wire.address import Guard
from substrate.wire.errors import WireError
from substrate.wire.frames import Unreadable, identity, read_tensors
from substrate.wire.link import Link
from substrate.wire.replies import read_counts, read_observations
from substrate.wire.requests import write_passes, write_update
from substrate.wire.retries import Patience
from substrate.wire.stream import Stream

_STATE = "kept as"


class RemoteChip:
    """See `devices.interface.Chip`; each member asks the chip at the other end."""

    def __init__(self, link: Link) -> None:
        """Take a chip that is leased."""
        self._link = link
        # what is known of must not be given free, or another tensor may come to lie there
        self._held: list[Tensor] = []

    @property
    def shapes(self) -> tuple[LayerShape, ...]:
        """The layers, first to last."""
        return self._link.about.shapes

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the chip told that it can serve."""
        return self._link.about.capabilities

    @property
    def decorrelates(self) -> bool:
        """Whether every layer has a decorrelation matrix."""
        return self._link.about.decorrelates

    @property
    def mirrors(self) -> bool:
        """Whether every layer but the first has a mirror."""
        return self._link.about.mirrors

    def forward(self, x: Tensor, perturb: Perturbation | Drawn | None = None) -> Observation:
        """Run one pass; see `devices.interface.Chip.forward`."""
        return self.passes(x, [perturb])[0]

    def passes(
        self,
        x: Tensor,
        perturbs: Sequence[Perturbation | Drawn | None],
        *,
        samples: Sequence[int] | None = None,
        read_inputs: Collection[int] | None = None,
        read_pre_activations: Collection[int] | None = None,
    ) -> tuple[Observation, ...]:
        """Run one pass per perturbation; see `devices.interface.Chip.passes`."""
        perturbing = any(each is not None for each in perturbs)
        if perturbing and Capability.INJECT not in self.capabilities:
            raise CapabilityError(f"this chip lacks the capability '{Capability.INJECT}'")
        if perturbing and not self._link.about.draws:
            perturbs = self._drawn_here(perturbs, samples or [len(x)] * len(perturbs))
        request, tensors = self._link.question(x)
        streams = write_passes(
            *(x, perturbs, samples, read_inputs, read_pre_activations), request.passes, tensors
        )
        place = request.passes.x
        reply, read = self._ask()
        number, told = reply.number, reply.observations
        try:
            observed = read_observations(told, read)
            for stream, moved in zip(streams, told.streams, strict=True):
                stream.set_state(read[moved])
        except (IndexError, ValueError) as problem:
            raise WireError(f"{self._link.address}: the reply does not fit: {problem}") from None
        self._remember((number, False, place), x, number, read, observed)
        return observed

    def backpropagate(
        self, x: Tensor, loss: PerSampleLoss
    ) -> tuple[Observation, tuple[Tensor, ...]]:
        """Refuse: a loss is a function of the learner's, and gradients lead to the weights."""
        raise CapabilityError(f"a chip behind a wire lacks the capability '{Capability.GRADIENTS}'")

    def read_decorrelation_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Rᵀ y; see `devices.interface.Chip.read_decorrelation_transposed`."""
        return self._read(pb.Read.DECORRELATION_TRANSPOSED, layer, y)

    def read_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Wᵀ y; see `devices.interface.Chip.read_transposed`."""
        return self._read(pb.Read.WEIGHTS_TRANSPOSED, layer, y)

    def read_mirror(self, layer: int, x: Tensor) -> Tensor:
        """Give B x; see `devices.interface.Chip.read_mirror`."""
        return self._read(pb.Read.MIRROR, layer, x)

    def read_mirror_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Bᵀ y; see `devices.interface.Chip.read_mirror_transposed`."""
        return self._read(pb.Read.MIRROR_TRANSPOSED, layer, y)

    def activate(self, layer: int, a: Tensor) -> Tensor:
        """Give f(a); see `devices.interface.Chip.activate`."""
        check_layer(layer, self.shapes)
        request, tensors = self._link.question()
        request.activate.site, request.activate.a = layer, tensors.add(a)
        return self._one()

    def pull_back(
        self, layer: int, a: Tensor, gradient: Tensor, slope: Tensor | None = None
    ) -> Tensor:
        """Go back through activation and layout; see `devices.interface.Chip.pull_back`."""
        check_layer(layer, self.shapes[:-1])
        request, tensors = self._link.question()
        asked = request.pull_back
        asked.site, asked.a, asked.gradient = layer, tensors.add(a), tensors.add(gradient)
        if slope is not None:
            asked.slope = tensors.add(slope)
        return self._one()

    def apply(self, updates: Sequence[LayerUpdate]) -> None:
        """Send requests; see `devices.interface.Chip.apply`.

        What the chip refuses of them, such as a value that is not finite, is said by a later call.
        """
        for update in updates:
            check_update(update, self.shapes)
        with self._link.order() as (order, tensors):
            order.apply.SetInParent()
            for update in updates:
                write_update(update, order.apply.updates.add(), tensors)

    def forget(self) -> None:
        """Count on nothing that the chip had of a training before."""
        self._link.known.clear()
        self._held = []

    def _read(self, matrix: pb.Read.Matrix, layer: int, y: Tensor) -> Tensor:
        check_layer(layer, self.shapes)
        request, tensors = self._link.question()
        request.read.matrix, request.read.site, request.read.y = matrix, layer, tensors.add(y)
        return self._one()

    def _one(self) -> Tensor:
        reply, read = self._ask()
        if reply.tensor >= len(read):
            raise WireError(f"{self._link.address}: the reply has no tensor {reply.tensor}")
        return read[reply.tensor]

    def _ask(self) -> tuple[pb.Reply, list[Tensor]]:
        reply, data = self._link.ask()
        try:
            return reply, read_tensors(reply, data, _none_earlier)
        except Unreadable as problem:
            raise WireError(f"{self._link.address}: {problem}") from None

    def _remember(
        self,
        place: tuple[int, bool, int],
        x: Tensor,
        number: int,
        read: Sequence[Tensor],
        observed: Sequence[Observation],
    ) -> None:
        """Know what the chip has of these passes, so that it need not be sent once more."""
        # inputs go into updates, and the network's input into further passes of a resampling rule
        inputs = {id(each) for one in observed for each in one.inputs}
        kept = [(each, (number, True, at)) for at, each in enumerate(read) if id(each) in inputs]
        kept.append((x, place))
        self._held = [each for each, _ in kept]
        self._link.known.clear()
        self._link.known.update((identity(each), place) for each, place in kept)

    def _drawn_here(
        self, perturbs: Sequence[Perturbation | Drawn | None], samples: Sequence[int]
    ) -> list[Perturbation | Drawn | None]:
        """Draw for a chip that cannot, in the order in which one would."""
        found: list[list[Tensor | None]] = [[] for _ in perturbs]
        for layer, shape in enumerate(self.shapes):
            for each, size, drawn in zip(perturbs, samples, found, strict=True):
                wanted = isinstance(each, Drawn) and layer in each.layers
                drawn.append(each.draw(shape, size) if wanted else None)  # type: ignore[union-attr]
        return [
            tuple(drawn) if isinstance(each, Drawn) else each
            for each, drawn in zip(perturbs, found, strict=True)
        ]


def _none_earlier(number: int, in_reply: bool, place: int) -> Tensor:
    raise Unreadable(f"the reply repeats tensor {place} of request {number}, which is not kept")


@contextmanager
def remote_host(chip: RemoteSettings) -> Iterator[RemoteHost]:
    """Have the chip of a scenario's settings in hand, for as long as the block lasts.

    Raises:
        LeaseTaken: another learner has it.
        WireError: it cannot be worked with.
        AddressError: it cannot be reached so.
    """
    link = link_to(chip)
    try:
        link.lease()
        yield RemoteHost(link)
    finally:
        link.close()


def link_to(chip: RemoteSettings, attempts_seconds: float | None = None) -> Link:
    """Connect to the chip of a scenario's settings; see `Link`."""
    files = (chip.certificate, chip.key, chip.authority, chip.token)
    guard = Guard(*(None if each is None else Path(each).expanduser() for each in files))
    patience = Patience(chip.deadline_seconds, attempts_seconds or chip.attempts_seconds)
    return Link(Stream(chip.remote, guard, patience))


class RemoteHost:
    """Has a chip behind a wire in hand; see `substrate.assemble.host.ChipHost`."""

    def __init__(self, link: Link, address: str | None = None) -> None:
        """Take a chip that is leased; of one of this run's own no address need be told."""
        self._link, self._chip = link, RemoteChip(link)
        self._address = link.address if address is None else address

    @property
    def saves(self) -> bool:
        """Whether `state` and `restore` are to be had."""
        return self._link.about.saves

    @property
    def chip(self) -> RemoteChip:
        """What the learner gets."""
        return self._chip

    def begin(self, seed: int) -> None:
        """Start a training."""
        self._chip.forget()
        with self._link.order() as (order, _):
            order.begin.seed = seed
            order.begin.SetInParent()

    @contextmanager
    def aside(self, *purpose: str) -> Iterator[None]:
        """See `substrate.assemble.host.ChipHost.aside`; a chip that cannot stays as it is."""
        if not self._link.about.steps_aside:
            yield
            return
        with self._link.order() as (order, _):
            order.step_aside.purpose.extend(purpose)
            order.step_aside.SetInParent()
        yield
        # where the block was left by an exception, the connection may be what failed
        with self._link.order() as (order, _):
            order.go_on.SetInParent()

    def state(self) -> dict[str, Tensor]:
        """Have the chip keep its state where it is; gives the name that it has there."""
        if not self.saves:
            return {}
        self._link.question()[0].save.SetInParent()
        reply, _ = self._link.ask()
        name = bytearray(reply.saved.state.encode())
        return {_STATE: torch.frombuffer(name, dtype=torch.uint8)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Have the chip go back to a state that it kept."""
        self._chip.forget()
        name = bytes(state[_STATE].tolist()).decode()
        with self._link.order() as (order, _):
            order.restore.state = name
        self._link.question()[0].wait.SetInParent()
        self._link.ask()

    def ledger(self) -> Counts:
        """What the chip did since the training began."""
        return self._counts()[0]

    def pulse_trains(self) -> tuple[int, int] | None:
        """Pulse trains that were looked at, and those of them that were cut short."""
        return self._counts()[1]

    def reported(self) -> dict[str, float]:
        """What the chip's driver reports beside its reads; nothing of schema 1.0."""
        if self._link.about.minor < 1:
            return {}
        self._link.question()[0].tell_reported.SetInParent()
        reply, _ = self._link.ask()
        return dict(reply.reported.figures)

    def _counts(self) -> tuple[Counts, tuple[int, int] | None]:
        self._link.question()[0].tell_ledger.SetInParent()
        reply, _ = self._link.ask()
        return read_counts(reply.ledger)

    def figures(self, restarts: int = 0) -> WireFigures:
        """How the wire did."""
        return self._link.line.meter.figures(self._link.about.title, self._address, restarts)
