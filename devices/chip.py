"""A chip: crossbars in a row, with a digital periphery between them.

    x*_{l-1} = R_l x_{l-1}                          decorrelation, if the chip has any
    a_l = noise(crossbar(noise(x*_{l-1}))) + b_l + ε_l   ε_l only where a perturbation is injected
    x_l = f(a_l)                                    intrinsic noise travels on
    observed a_l = read-out(a_l)                    read-out noise does not

Several passes of the same input are run as one batch where they differ, and once where they cannot:
passes share everything up to the first noise or perturbation that tells them apart. The shared
batch is stacked in blocks; a list says for every pass which block is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from devices.activations import Activation
from devices.crossbars.base import Crossbar
from devices.decorrelation import DigitalDecorrelation
from devices.interface import (
    Capability,
    CapabilityError,
    LayerShape,
    LayerUpdate,
    Observation,
    PerSampleLoss,
    Perturbation,
)
from devices.layers import Layout

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
    """

    layout: Layout
    crossbar: Crossbar
    activation: Activation
    bias: Float[Tensor, " n_out"]
    decorrelation: DigitalDecorrelation | None = None
    input_noise: AddNoise | None = None
    output_noise: AddNoise | None = None
    readout: AddNoise | None = None


class NetworkChip:
    """A network on crossbars. Learners get it sealed (`devices.seal`)."""

    def __init__(self, layers: Sequence[ChipLayer], capabilities: frozenset[Capability]) -> None:
        """Put the layers in a row."""
        self._layers = tuple(layers)
        self.capabilities = capabilities

    @property
    def shapes(self) -> tuple[LayerShape, ...]:
        """The layers, first to last."""
        return tuple(layer.layout.shape for layer in self._layers)

    @property
    def decorrelates(self) -> bool:
        """Whether every layer has a decorrelation matrix."""
        return all(layer.decorrelation is not None for layer in self._layers)

    def program(self, weights: Sequence[Float[Tensor, "_n_out _n_in"]]) -> None:
        """Write the initial weights into the crossbars."""
        for layer, layer_weights in zip(self._layers, weights, strict=True):
            layer.crossbar.program(layer_weights)

    def forward(self, x: Tensor, perturb: Perturbation | None = None) -> Observation:
        """Run one pass; see `devices.interface.Chip.forward`."""
        return self.passes(x, [perturb])[0]

    @torch.no_grad()
    def passes(self, x: Tensor, perturbs: Sequence[Perturbation | None]) -> tuple[Observation, ...]:
        """Run one pass per perturbation; see `devices.interface.Chip.passes`."""
        if any(perturb is not None for perturb in perturbs):
            self._need(Capability.INJECT)
        batch = len(x)
        apart = list(range(len(perturbs)))
        block_of = [0] * len(perturbs)
        signal = x
        inputs: list[list[Tensor]] = [[] for _ in perturbs]
        pre_activations: list[list[Tensor]] = [[] for _ in perturbs]
        for index, layer in enumerate(self._layers):
            rows = _rows(layer, signal)
            for p, block in enumerate(block_of):
                inputs[p].append(_block(rows, block, batch))
            if layer.input_noise is not None:
                rows, block_of = layer.input_noise(_expand(rows, block_of, batch)), apart
            if layer.crossbar.noise_free or block_of == apart:
                a = layer.crossbar.read(rows)
            elif len(set(block_of)) == 1:
                a, block_of = layer.crossbar.read(rows, repeats=len(perturbs)), apart
            else:
                a, block_of = layer.crossbar.read(_expand(rows, block_of, batch)), apart
            if layer.output_noise is not None:
                a, block_of = layer.output_noise(_expand(a, block_of, batch)), apart
            a.add_(layer.bias)
            a, block_of = _inject(
                a, block_of, [None if perturb is None else perturb[index] for perturb in perturbs]
            )
            seen, seen_block_of = a, block_of
            if layer.readout is not None:
                seen, seen_block_of = layer.readout(_expand(a, block_of, batch)), apart
            for p, block in enumerate(seen_block_of):
                pre_activations[p].append(_block(seen, block, batch))
            signal = layer.layout.from_columns(layer.activation(a))
        return tuple(
            Observation(tuple(x_in), tuple(a_out), a_out[-1])
            for x_in, a_out in zip(inputs, pre_activations, strict=True)
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
            for layer in self._layers:
                rows = _rows(layer, signal)
                a = layer.crossbar.read(rows) + layer.bias
                # the gradient is wanted down to the first pre-activation, not to the input
                a = a if a.requires_grad else a.requires_grad_()
                inputs.append(rows.detach())
                pre_activations.append(a)
                signal = layer.layout.from_columns(layer.activation(a))
            gradients = torch.autograd.grad(loss(pre_activations[-1]).sum(), pre_activations)
        observed = tuple(a.detach() for a in pre_activations)
        return Observation(tuple(inputs), observed, observed[-1]), gradients

    def read_decorrelation_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Rᵀ y; see `devices.interface.Chip.read_decorrelation_transposed`."""
        return self._decorrelation(layer).read_transposed(y)

    @torch.no_grad()
    def apply(self, updates: Iterable[LayerUpdate]) -> None:
        """Carry out requests; see `devices.interface.Chip.apply`."""
        for index, (layer, update) in enumerate(zip(self._layers, updates, strict=True)):
            if update.weight is not None:
                layer.crossbar.update(update.weight)
            if update.bias is not None:
                layer.bias.add_(update.bias)
            if update.decorrelation is not None:
                self._decorrelation(index).update(update.decorrelation)

    def _need(self, capability: Capability) -> None:
        if capability not in self.capabilities:
            raise CapabilityError(f"this chip lacks the capability '{capability}'")

    def _decorrelation(self, index: int) -> DigitalDecorrelation:
        decorrelation = self._layers[index].decorrelation
        if decorrelation is None:
            raise CapabilityError(f"layer {index + 1} of this chip has no decorrelation matrix")
        return decorrelation


def _rows(layer: ChipLayer, signal: Tensor) -> Tensor:
    rows = layer.layout.to_rows(signal)
    return rows if layer.decorrelation is None else layer.decorrelation.read(rows)


def _block(stacked: Tensor, index: int, batch: int) -> Tensor:
    return stacked[index * batch : (index + 1) * batch]


def _expand(stacked: Tensor, block_of: list[int], batch: int) -> Tensor:
    """Give every pass a block of its own."""
    if block_of == list(range(len(block_of))):
        return stacked
    return torch.cat([_block(stacked, block, batch) for block in block_of])


def _inject(
    a: Tensor, block_of: list[int], perturbs: Sequence[Tensor | None]
) -> tuple[Tensor, list[int]]:
    """Add each pass's perturbation, splitting blocks that passes shared until here."""
    if all(perturb is None for perturb in perturbs):
        return a, block_of
    batch = len(a) // (max(block_of) + 1)
    if len(set(block_of)) == len(block_of):
        for block, perturb in zip(block_of, perturbs, strict=True):
            if perturb is not None:
                _block(a, block, batch).add_(perturb)
        return a, block_of
    blocks: list[Tensor] = []
    unperturbed: dict[int, int] = {}
    split_block_of: list[int] = []
    for block, perturb in zip(block_of, perturbs, strict=True):
        if perturb is None and block in unperturbed:
            split_block_of.append(unperturbed[block])
            continue
        split_block_of.append(len(blocks))
        if perturb is None:
            unperturbed[block] = len(blocks)
            blocks.append(_block(a, block, batch))
        else:
            blocks.append(_block(a, block, batch) + perturb)
    return torch.cat(blocks), split_block_of
