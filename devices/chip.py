"""A chip: crossbars in a row, with a digital periphery between them.

    x*_{l-1} = R_l x_{l-1}                          decorrelation, if the chip has any
    a_l = noise(crossbar(noise(x*_{l-1}))) + b_l + ε_l   ε_l only where a perturbation is injected
    x_l = f(a_l)                                    intrinsic noise travels on
    observed a_l = read-out(a_l)                    read-out noise does not
    observed x*_l likewise

Several passes of the same input are run as one batch where they differ, and once where they cannot
(`devices.blocks`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import repeat

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from devices.activations import Activation
from devices.blocks import Blocks
from devices.counting import LayerRequests, Requests, digital_counts, matrix_counts
from devices.crossbars.base import Crossbar, Reports, all_pulse_trains
from devices.crossbars.ideal import IdealCrossbar
from devices.decorrelation import (
    CrossbarDecorrelation,
    Decorrelation,
    DigitalDecorrelation,
    update_multiplications,
)
from devices.interface import (
    Capability,
    CapabilityError,
    DecorrelationUpdate,
    LayerShape,
    LayerUpdate,
    Observation,
    PerSampleLoss,
    Perturbation,
)
from devices.layers import Layout
from devices.ledger import Counts, MatrixCounts
from devices.noisy_converter import NoisyConverter
from devices.shared_product import SharedProduct
from devices.states import Saved
from devices.without_trace import without_trace

AddNoise = Callable[[Tensor], Tensor]
"""Gives a signal, (reads, [positions,] lines), as a noise source or converter leaves it."""


@dataclass(frozen=True)
class ChipLayer:
    """One layer of a chip.

    Attributes:
        layout: geometry of the layer on its crossbar.
        crossbar: holds the weights.
        activation: f of x_l = f(a_l).
        bias: b_l, digital, (n_out,).
        decorrelation: R_l, None where the chip has none.
        input_noise: acts on what drives the rows; travels.
        output_noise: acts on what the columns give; travels.
        readout: acts on the pre-activation as observed; does not travel.
        input_readout: acts on the layer's input as observed; does not travel.
        mirror: holds B_l, a learner's estimate of W_l; None where the chip has none.
    """

    layout: Layout
    crossbar: Crossbar
    activation: Activation
    bias: Float[Tensor, " n_out"]
    decorrelation: Decorrelation | None = None
    input_noise: AddNoise | None = None
    output_noise: AddNoise | None = None
    readout: AddNoise | None = None
    input_readout: AddNoise | None = None
    mirror: Crossbar | None = None


class NetworkChip:
    """A network on crossbars. Learners get it sealed (`devices.seal`)."""

    def __init__(self, layers: Sequence[ChipLayer], capabilities: frozenset[Capability]) -> None:
        """Put the layers in a row."""
        self._layers = tuple(layers)
        self.capabilities = capabilities
        self._asked = [LayerRequests() for _ in layers]
        self._passes = self._readouts = self._activation_words = 0
        self._products = tuple(_shared_product(layer) for layer in layers)

    @property
    def shapes(self) -> tuple[LayerShape, ...]:
        """The layers, first to last."""
        return tuple(layer.layout.shape for layer in self._layers)

    @property
    def decorrelates(self) -> bool:
        """Whether every layer has a decorrelation matrix."""
        return all(layer.decorrelation is not None for layer in self._layers)

    @property
    def mirrors(self) -> bool:
        """Whether every layer but the first has a mirror."""
        return all(layer.mirror is not None for layer in self._layers[1:])

    def program(self, weights: Sequence[Float[Tensor, "_n_out _n_in"]]) -> None:
        """Write the initial weights into the crossbars."""
        for layer, layer_weights in zip(self._layers, weights, strict=True):
            layer.crossbar.program(layer_weights)
        self._forget_products()

    def forward(self, x: Tensor, perturb: Perturbation | None = None) -> Observation:
        """Run one pass; see `devices.interface.Chip.forward`."""
        return self.passes(x, [perturb])[0]

    @torch.no_grad()
    def passes(
        self,
        x: Tensor,
        perturbs: Sequence[Iterable[Tensor | None] | None],
        *,
        samples: Sequence[int] | None = None,
        read_inputs: Collection[int] | None = None,
        read_pre_activations: Collection[int] | None = None,
    ) -> tuple[Observation, ...]:
        """Run one pass per perturbation; see `devices.interface.Chip.passes`."""
        if any(perturb is not None for perturb in perturbs):
            self._need(Capability.INJECT)
        perturbations = [repeat(None) if each is None else iter(each) for each in perturbs]
        sizes = [len(x)] * len(perturbs) if samples is None else samples
        blocks = seen_blocks = Blocks.shared(sizes)
        apart = blocks.apart()
        signal = seen = x
        inputs = _Reading(len(perturbs), read_inputs)
        pre_activations = _Reading(len(perturbs), read_pre_activations)
        for layer, shared in zip(self._layers, self._products, strict=True):
            # one name for rows, columns and output: each is given free as soon as the next is there
            signal, seen = layer.layout.to_rows(signal), x
            product = None if shared is None else shared.for_rows(inputs.unread(signal, blocks))
            if shared is not None and product is not None:
                inputs.read_through(shared.decorrelation, signal, blocks)
                signal = functional.linear(signal, product)
            else:
                if layer.decorrelation is not None:
                    signal, blocks = _read(layer.decorrelation, signal, blocks)
                if layer.input_readout is None:
                    inputs.read(signal, blocks)
                else:
                    inputs.read(layer.input_readout(blocks.expand(signal)), apart)
                if layer.input_noise is not None:
                    signal, blocks = layer.input_noise(blocks.expand(signal)), apart
                signal, blocks = _read(layer.crossbar, signal, blocks)
            if layer.output_noise is not None:
                signal, blocks = layer.output_noise(blocks.expand(signal)), apart
            signal.add_(layer.bias)
            signal, blocks = blocks.inject(signal, [next(each) for each in perturbations])
            seen, seen_blocks = signal, blocks
            if layer.readout is not None:
                seen, seen_blocks = layer.readout(blocks.expand(signal)), apart
            pre_activations.read(seen, seen_blocks)
            signal = layer.layout.from_columns(layer.activation(signal))
        self._count_passes(sizes, inputs, pre_activations)
        return tuple(
            Observation(tuple(x_in), tuple(a_out), seen_blocks.of(seen, number))
            for number, (x_in, a_out) in enumerate(
                zip(inputs.of_pass, pre_activations.of_pass, strict=True)
            )
        )

    def backpropagate(
        self, x: Tensor, loss: PerSampleLoss
    ) -> tuple[Observation, tuple[Tensor, ...]]:
        """Give ∂L/∂a of every layer by autograd; see `devices.interface.Chip.backpropagate`."""
        self._need(Capability.GRADIENTS)
        inputs: list[Tensor] = []
        pre_activations: list[Tensor] = []
        signal = x
        with torch.enable_grad():
            for layer, shared in zip(self._layers, self._products, strict=True):
                rows = layer.layout.to_rows(signal)
                # errors that go back to the layer before need not go through R by itself
                back = rows.shape[:-1].numel() if layer is not self._layers[0] else 0
                product = None if shared is None else shared.for_rows(back)
                if product is not None:
                    a = functional.linear(rows, product) + layer.bias
                    rows = rows.detach()
                if layer.decorrelation is not None:
                    rows = layer.decorrelation.read(rows)
                if product is None:
                    a = layer.crossbar.read(rows) + layer.bias
                # the gradient is wanted down to the first pre-activation, not to the input
                a = a if a.requires_grad else a.requires_grad_()
                inputs.append(rows.detach())
                pre_activations.append(a)
                signal = layer.layout.from_columns(layer.activation(a))
            # the loss sees values alone: the graph would lead to the weights
            output = pre_activations[-1].detach().requires_grad_()
            (error,) = torch.autograd.grad(loss(output).sum(), output)
            gradients = torch.autograd.grad(pre_activations[-1], pre_activations, error)
        self._passes += len(x)
        for number, (layer, asked) in enumerate(zip(self._layers, self._asked, strict=True)):
            reads = len(x) * layer.layout.shape.positions
            for part in (asked.weights, asked.decorrelation):
                part.reads += reads
                part.transposed_reads += reads if number > 0 else 0
        observed = tuple(a.detach() for a in pre_activations)
        return Observation(tuple(inputs), observed, observed[-1]), gradients

    def read_decorrelation_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Rᵀ y; see `devices.interface.Chip.read_decorrelation_transposed`."""
        self._asked[layer].decorrelation.transposed_reads += len(y)
        return self._decorrelation(layer).read_transposed(y)

    @torch.no_grad()
    def read_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Wᵀ y; see `devices.interface.Chip.read_transposed`."""
        self._need(Capability.TRANSPOSED_READ)
        self._asked[layer].weights.transposed_reads += len(y)
        return self._layers[layer].crossbar.read_transposed(y)

    @torch.no_grad()
    def read_mirror(self, layer: int, x: Tensor) -> Tensor:
        """Give B x; see `devices.interface.Chip.read_mirror`."""
        self._asked[layer].mirror.reads += len(x)
        return self._mirror(layer).read(x)

    @torch.no_grad()
    def read_mirror_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Bᵀ y; see `devices.interface.Chip.read_mirror_transposed`."""
        self._asked[layer].mirror.transposed_reads += len(y)
        return self._mirror(layer).read_transposed(y)

    @torch.no_grad()
    def activate(self, layer: int, a: Tensor) -> Tensor:
        """Give f(a); see `devices.interface.Chip.activate`."""
        return self._layers[layer].activation(a)

    def pull_back(
        self, layer: int, a: Tensor, gradient: Tensor, slope: Tensor | None = None
    ) -> Tensor:
        """Go back through activation and layout; see `devices.interface.Chip.pull_back`."""
        here, after = self._layers[layer], self._layers[layer + 1]
        if slope is None:
            self._need(Capability.ACTIVATION_DERIVATIVE)
        with torch.enable_grad():
            a = a.detach().requires_grad_()
            signal = here.activation(a) if slope is None else a
            rows = after.layout.to_rows(here.layout.from_columns(signal))
            (back,) = torch.autograd.grad(rows, a, gradient.view(rows.shape))
        return back if slope is None else back.mul_(slope)

    @torch.no_grad()
    def apply(self, updates: Iterable[LayerUpdate]) -> None:
        """Carry out requests; see `devices.interface.Chip.apply`."""
        self._forget_products()
        for update in updates:
            layer, asked = self._layers[update.layer], self._asked[update.layer]
            if update.weight is not None:
                asked.weights.update(update.weight)
                layer.crossbar.update(update.weight)
            if update.bias is not None:
                layer.bias.add_(update.bias)
            if update.decorrelation is not None:
                _count_decorrelation(asked.decorrelation, layer, update.decorrelation)
                self._decorrelation(update.layer).update(update.decorrelation)
            if update.mirror is not None:
                asked.mirror.update(update.mirror)
                self._mirror(update.layer).update(update.mirror)

    def state(self) -> dict[str, Tensor]:
        """Give copies of everything that a run needs to go on from here."""
        return (
            {
                f"layer {number}.{part}.{name}": value
                for number, layer in enumerate(self._layers, start=1)
                for part, keeper in _keepers(layer).items()
                for name, value in keeper.state().items()
            }
            | {
                f"layer {number}.bias": layer.bias.clone()
                for number, layer in enumerate(self._layers, start=1)
            }
            | {"ledger": torch.tensor(self._ledger_numbers())}
        )

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state of a chip of the same settings."""
        self._set_ledger_numbers(state["ledger"].tolist())
        self._forget_products()
        for number, layer in enumerate(self._layers, start=1):
            layer.bias.copy_(state[f"layer {number}.bias"])
            for part, keeper in _keepers(layer).items():
                prefix = f"layer {number}.{part}."
                keeper.restore(
                    {
                        name.removeprefix(prefix): value
                        for name, value in state.items()
                        if name.startswith(prefix)
                    }
                )

    @property
    def pulse_trains(self) -> Int[Tensor, "2"] | None:
        """Of all crossbars; see `devices.crossbars.base.Pulsed`."""
        return all_pulse_trains(
            part for layer in self._layers for part in (layer.crossbar, layer.decorrelation)
        )

    def report(self) -> dict[str, float]:
        """Give what drivers report beside reads; see `devices.crossbars.base.Reports`."""
        found: dict[str, float] = {}
        for layer in self._layers:
            for part in (layer.crossbar, layer.mirror):
                if isinstance(part, Reports):
                    found |= part.report()
        return found

    @property
    def ledger(self) -> Counts:
        """What the chip did since it was made; asking for it may wait for the device."""
        return Counts(
            passes=self._passes,
            readout_conversions=self._readouts,
            activation_words=self._activation_words,
            matrices=[
                counts
                for number, (layer, asked) in enumerate(
                    zip(self._layers, self._asked, strict=True), start=1
                )
                for counts in _layer_counts(number, layer, asked)
            ],
        )

    @contextmanager
    def without_trace(self) -> Iterator[None]:
        """Let passes that happen inside change nothing for those after, and be charged to nobody.

        Inside, the ledger goes on from where it stood.
        """
        numbers = self._ledger_numbers()
        self._forget_products()
        with ExitStack() as inside:
            inside.callback(self._forget_products)  # the rounding after it is what it would be
            for layer in self._layers:
                for part in _keepers(layer).values():
                    inside.enter_context(without_trace(part))
            try:
                yield
            finally:
                self._set_ledger_numbers(numbers)

    def _count_passes(
        self, sizes: Sequence[int], inputs: _Reading, pre_activations: _Reading
    ) -> None:
        """Count what the hardware does in passes of so many samples each."""
        driven = sum(sizes)
        self._passes += driven
        for layer, asked in zip(self._layers, self._asked, strict=True):
            reads = driven * layer.layout.shape.positions
            asked.weights.reads += reads
            asked.decorrelation.reads += reads
        observed = [each for of in (inputs, pre_activations) for each in of.of_pass]
        words = sum(read.numel() for each in observed for read in each)
        self._activation_words = max(self._activation_words, -(-words // max(1, *sizes)))
        seen = sum(sizes[number] for number in pre_activations.wanted)
        for layer in self._layers:
            if isinstance(layer.readout, NoisyConverter):
                # the output is read in every pass
                samples = driven if layer is self._layers[-1] else seen
                self._readouts += samples * layer.layout.shape.nodes

    def _ledger_numbers(self) -> list[int]:
        own = [self._passes, self._readouts, self._activation_words]
        return own + [number for asked in self._asked for number in asked.numbers()]

    def _set_ledger_numbers(self, numbers: Sequence[int]) -> None:
        self._passes, self._readouts, self._activation_words, *rest = numbers
        size = len(rest) // len(self._asked)
        self._asked = [
            LayerRequests.of(rest[place : place + size]) for place in range(0, len(rest), size)
        ]

    def _forget_products(self) -> None:
        for product in self._products:
            if product is not None:
                product.forget()

    def _need(self, capability: Capability) -> None:
        if capability not in self.capabilities:
            raise CapabilityError(f"this chip lacks the capability '{capability}'")

    def _decorrelation(self, index: int) -> Decorrelation:
        decorrelation = self._layers[index].decorrelation
        if decorrelation is None:
            raise CapabilityError(f"layer {index + 1} of this chip has no decorrelation matrix")
        return decorrelation

    def _mirror(self, index: int) -> Crossbar:
        mirror = self._layers[index].mirror
        if mirror is None:
            raise CapabilityError(f"layer {index + 1} of this chip has no mirror")
        return mirror


class _Reading:
    """What is read of every layer, for the passes that it is wanted of."""

    def __init__(self, passes: int, wanted: Collection[int] | None) -> None:
        self.of_pass: list[list[Tensor]] = [[] for _ in range(passes)]
        self.wanted = range(passes) if wanted is None else tuple(wanted)

    def unread(self, stacked: Tensor, blocks: Blocks) -> int:
        """Count the rows, those of all positions, that are not wanted."""
        samples = len(stacked) - blocks.rows(self.wanted)
        return samples * stacked.shape[1:-1].numel()

    def read_through(self, matrix: Decorrelation, stacked: Tensor, blocks: Blocks) -> None:
        """Read what a noise-free matrix makes of the rows that are wanted."""
        if self.wanted:
            rows, own = blocks.only(stacked, self.wanted)
            self.read(matrix.read(rows), own)

    def read(self, stacked: Tensor, blocks: Blocks) -> None:
        # a view would hold the rows of all passes
        views = blocks.rows(self.wanted) == len(stacked)
        for number in self.wanted:
            block = blocks.of(stacked, number)
            self.of_pass[number].append(block if views else block.clone())


def _layer_counts(number: int, layer: ChipLayer, asked: LayerRequests) -> Iterator[MatrixCounts]:
    """Count a layer's matrices; the bias stands in the words of the weights."""
    shape = layer.layout.shape
    size = shape.n_out, shape.n_in
    yield matrix_counts(number, "weights", *size, asked.weights, layer.crossbar, shape.n_out)
    if isinstance(layer.decorrelation, CrossbarDecorrelation):
        own, requests = layer.decorrelation, asked.decorrelation
        requests = replace(requests, reads=requests.reads + own.reads_back)
        size = shape.n_in, shape.n_in
        yield matrix_counts(number, "decorrelation", *size, requests, own.crossbar)
    elif layer.decorrelation is not None:
        yield digital_counts(number, "decorrelation", shape.n_in, shape.n_in, asked.decorrelation)
    if layer.mirror is not None:
        size = shape.n_out, shape.n_in
        yield matrix_counts(number, "mirror", *size, asked.mirror, layer.mirror)


def _count_decorrelation(asked: Requests, layer: ChipLayer, request: DecorrelationUpdate) -> None:
    samples, n_in = request.x_star.shape
    asked.updates += 1
    if isinstance(layer.decorrelation, CrossbarDecorrelation):
        asked.transposed_reads += samples
        asked.outer_products += samples
        asked.multiplications += samples * n_in
    else:
        asked.multiplications += update_multiplications(samples, n_in)


def _shared_product(layer: ChipLayer) -> SharedProduct | None:
    """What passes may be read through at once; None where noise or a device is in between."""
    crossbar, decorrelation = layer.crossbar, layer.decorrelation
    if layer.input_noise is not None or layer.input_readout is not None:
        return None
    if not isinstance(crossbar, IdealCrossbar) or not crossbar.noise_free:
        return None
    if not isinstance(decorrelation, DigitalDecorrelation):
        return None
    return SharedProduct(crossbar, decorrelation)


def _keepers(layer: ChipLayer) -> dict[str, Saved]:
    parts: dict[str, object] = {
        "crossbar": layer.crossbar,
        "decorrelation": layer.decorrelation,
        "mirror": layer.mirror,
        "input noise": layer.input_noise,
        "output noise": layer.output_noise,
        "readout": layer.readout,
        "input readout": layer.input_readout,
    }
    return {name: part for name, part in parts.items() if isinstance(part, Saved)}


def _read(matrix: Crossbar | Decorrelation, x: Tensor, blocks: Blocks) -> tuple[Tensor, Blocks]:
    """Read a matrix for all passes; its noise tells apart those that shared a block until here."""
    apart = blocks.apart()
    if matrix.noise_free or blocks == apart:
        return matrix.read(x), blocks
    if set(blocks.starts) == {0} and set(blocks.sizes) == {len(x)}:
        return matrix.read(x, repeats=len(blocks.sizes)), apart
    return matrix.read(blocks.expand(x)), apart
