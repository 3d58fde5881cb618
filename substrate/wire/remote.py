"""A chip behind a wire, as a learner has it in hand.

What is exact and known is computed where it is asked for; all else is asked of the chip. Changes
are sent without waiting: the chip carries them out while the learner goes on, and the next request
that has a reply says that they were done.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
from devices.requests import check_layer, check_update
from substrate.wire import chip_pb2 as pb
from substrate.wire.errors import WireError
from substrate.wire.frames import Unreadable, identity, read_tensors
from substrate.wire.link import Link
from substrate.wire.replies import read_observations
from substrate.wire.requests import write_passes, write_update


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
