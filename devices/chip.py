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

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from devices.blocks import Blocks
from devices.chip_layer import ChipLayer
from devices.chip_ledger import ChipLedger
from devices.crossbars.base import Crossbar, all_pulse_trains, merged_reports
from devices.decorrelation import CrossbarDecorrelation, Decorrelation
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
from devices.reading import Reading, read_matrix
from devices.requests import check_layer, check_update
from devices.states import below, prefixed
from devices.without_trace import without_trace


class NetworkChip:
    """A network on crossbars. Learners get it sealed (`devices.seal`)."""

    def __init__(self, layers: Sequence[ChipLayer], capabilities: frozenset[Capability]) -> None:
        """Put the layers in a row."""
        self._layers = tuple(layers)
        self.capabilities = capabilities
        self._ledger = ChipLedger(self._layers)
        self._products = tuple(layer.shared_product() for layer in layers)

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

    def forward(self, x: Tensor, perturb: Perturbation | Drawn | None = None) -> Observation:
        """Run one pass; see `devices.interface.Chip.forward`."""
        return self.passes(x, [perturb])[0]

    @torch.no_grad()
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
        if any(perturb is not None for perturb in perturbs):
            self._need(Capability.INJECT)
        sizes = [len(x)] * len(perturbs) if samples is None else samples
        blocks = seen_blocks = Blocks.shared(sizes)
        apart = blocks.apart()
        signal = seen = x
        inputs = Reading(len(perturbs), read_inputs)
        pre_activations = Reading(len(perturbs), read_pre_activations)
        for number, (layer, shared) in enumerate(zip(self._layers, self._products, strict=True)):
            # one name for rows, columns and output: each is given free as soon as the next is there
            signal, seen = layer.layout.to_rows(signal), x
            product = None if shared is None else shared.for_rows(inputs.unread(signal, blocks))
            if shared is not None and product is not None:
                inputs.read_through(shared.decorrelation, signal, blocks)
                signal = functional.linear(signal, product)
            else:
                if layer.decorrelation is not None:
                    signal, blocks = read_matrix(layer.decorrelation, signal, blocks)
                if layer.input_readout is None:
                    inputs.read(signal, blocks)
                else:
                    inputs.read(layer.input_readout(blocks.expand(signal)), apart)
                if layer.input_noise is not None:
                    signal, blocks = layer.input_noise(blocks.expand(signal)), apart
                signal, blocks = read_matrix(layer.crossbar, signal, blocks)
            if layer.output_noise is not None:
                signal, blocks = layer.output_noise(blocks.expand(signal)), apart
            signal.add_(layer.bias)
            injected = [
                _perturbation(each, number, layer.layout.shape, size, signal.device)
                for each, size in zip(perturbs, sizes, strict=True)
            ]
            signal, blocks = blocks.inject(signal, injected)
            del injected
            seen, seen_blocks = signal, blocks
            if layer.readout is not None:
                seen, seen_blocks = layer.readout(blocks.expand(signal)), apart
            pre_activations.read(seen, seen_blocks)
            signal = layer.layout.from_columns(layer.activation(signal))
        self._ledger.passes(sizes, inputs, pre_activations)
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
        self._ledger.backpropagation(len(x))
        observed = tuple(a.detach() for a in pre_activations)
        return Observation(tuple(inputs), observed, observed[-1]), gradients

    def read_decorrelation_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Rᵀ y; see `devices.interface.Chip.read_decorrelation_transposed`."""
        decorrelation = self._decorrelation(layer)
        self._ledger.asked[layer].decorrelation.transposed_reads += len(y)
        return decorrelation.read_transposed(y)

    @torch.no_grad()
    def read_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Wᵀ y; see `devices.interface.Chip.read_transposed`."""
        self._need(Capability.TRANSPOSED_READ)
        check_layer(layer, self.shapes)
        self._ledger.asked[layer].weights.transposed_reads += len(y)
        driven = self._layers[layer]
        return driven.transposed_noise.around(driven.crossbar.read_transposed, y)

    @torch.no_grad()
    def read_mirror(self, layer: int, x: Tensor) -> Tensor:
        """Give B x; see `devices.interface.Chip.read_mirror`."""
        mirror = self._mirror(layer)
        self._ledger.asked[layer].mirror.reads += len(x)
        return self._layers[layer].mirror_noise.read(mirror, x)

    @torch.no_grad()
    def read_mirror_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Bᵀ y; see `devices.interface.Chip.read_mirror_transposed`."""
        mirror = self._mirror(layer)
        self._ledger.asked[layer].mirror.transposed_reads += len(y)
        return self._layers[layer].mirror_noise.read_transposed(mirror, y)

    @torch.no_grad()
    def activate(self, layer: int, a: Tensor) -> Tensor:
        """Give f(a); see `devices.interface.Chip.activate`."""
        check_layer(layer, self.shapes)
        return self._layers[layer].activation(a)

    def pull_back(
        self, layer: int, a: Tensor, gradient: Tensor, slope: Tensor | None = None
    ) -> Tensor:
        """Go back through activation and layout; see `devices.interface.Chip.pull_back`."""
        check_layer(layer, self.shapes[:-1])
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
    def apply(self, updates: Sequence[LayerUpdate]) -> None:
        """Carry out requests; see `devices.interface.Chip.apply`."""
        for update in updates:
            check_update(update, self.shapes)
        self._forget_products()
        for update in updates:
            layer = self._layers[update.layer]
            self._ledger.update(update)
            if update.weight is not None:
                layer.crossbar.update(update.weight)
            if update.bias is not None:
                layer.bias.add_(update.bias)
            if update.decorrelation is not None:
                self._decorrelation(update.layer).update(update.decorrelation)
            if update.mirror is not None:
                self._mirror(update.layer).update(update.mirror)

    def state(self) -> dict[str, Tensor]:
        """Give copies of everything that a run needs to go on from here."""
        found = {"ledger": torch.tensor(self._ledger.numbers())}
        for number, layer in enumerate(self._layers, start=1):
            found[f"layer {number}.bias"] = layer.bias.clone()
            for part, keeper in layer.keepers().items():
                found |= prefixed(f"layer {number}.{part}", keeper.state())
        return found

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state of a chip of the same settings."""
        self._ledger.set_numbers(state["ledger"].tolist())
        self._forget_products()
        for number, layer in enumerate(self._layers, start=1):
            layer.bias.copy_(state[f"layer {number}.bias"])
            for part, keeper in layer.keepers().items():
                keeper.restore(below(f"layer {number}.{part}", state))

    @property
    def arrays(self) -> list[Crossbar]:
        """What holds the weights and R: all that an inference reads."""
        held = [layer.crossbar for layer in self._layers]
        parts = [layer.decorrelation for layer in self._layers]
        return held + [each.crossbar for each in parts if isinstance(each, CrossbarDecorrelation)]

    @property
    def pulse_trains(self) -> Int[Tensor, "2"] | None:
        """Of all crossbars; see `devices.crossbars.base.Pulsed`."""
        return all_pulse_trains(
            part
            for layer in self._layers
            for part in (layer.crossbar, layer.decorrelation, layer.mirror)
        )

    def report(self) -> dict[str, float]:
        """Give what drivers report beside reads; see `devices.crossbars.base.Reports`."""
        return merged_reports(
            part for layer in self._layers for part in (layer.crossbar, layer.mirror)
        )

    @property
    def ledger(self) -> Counts:
        """What the chip did since it was made; asking for it may wait for the device."""
        return self._ledger.counts()

    @contextmanager
    def without_trace(self) -> Iterator[None]:
        """Let passes that happen inside change nothing for those after, and be charged to nobody.

        Inside, the ledger goes on from where it stood.
        """
        numbers = self._ledger.numbers()
        self._forget_products()
        with ExitStack() as inside:
            inside.callback(self._forget_products)  # the rounding after it is what it would be
            for layer in self._layers:
                for part in layer.keepers().values():
                    inside.enter_context(without_trace(part))
            try:
                yield
            finally:
                self._ledger.set_numbers(numbers)

    def _forget_products(self) -> None:
        for product in self._products:
            if product is not None:
                product.forget()

    def _need(self, capability: Capability) -> None:
        if capability not in self.capabilities:
            raise CapabilityError(f"this chip lacks the capability '{capability}'")

    def _decorrelation(self, index: int) -> Decorrelation:
        check_layer(index, self.shapes)
        decorrelation = self._layers[index].decorrelation
        if decorrelation is None:
            raise CapabilityError(f"layer {index + 1} of this chip has no decorrelation matrix")
        return decorrelation

    def _mirror(self, index: int) -> Crossbar:
        check_layer(index, self.shapes)
        mirror = self._layers[index].mirror
        if mirror is None:
            raise CapabilityError(f"layer {index + 1} of this chip has no mirror")
        return mirror


def _perturbation(
    perturb: Perturbation | Drawn | None,
    layer: int,
    shape: LayerShape,
    samples: int,
    device: torch.device,
) -> Tensor | None:
    """Give what a pass of so many samples injects into a layer."""
    if isinstance(perturb, Drawn):
        return perturb.draw(shape, samples).to(device) if layer in perturb.layers else None
    return None if perturb is None else perturb[layer]
