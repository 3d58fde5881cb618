"""From an estimated gradient to the request for a weight change.

    pulses:  ask for -η ⟨d_l x_{l-1}ᵀ⟩ as the factors of the outer product, carried out in place
    dense:   form ΔW_l = ⟨d_l x_{l-1}ᵀ⟩, feed it to a torch optimiser, ask for the step it takes

The learner does not hold the weights, so torch's optimiser is given zeros in their place: where it
leaves them after a step is the change to ask for. Layers take turns in one piece of memory for
these zeros and in one for ΔW_l, since a step is asked for and done with one layer at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from devices.interface import Dense, LayerShape, Outer

Write = Literal["pulses", "dense"]


class OptimiserSettings(NamedTuple):
    """Which optimiser, and how its step reaches the device."""

    name: Literal["sgd", "momentum", "adam"]
    learning_rate: float
    momentum: float
    write: Write


class _LayerSlots(NamedTuple):
    """A layer's share of the memory: its steps, and the gradient of its weights."""

    weight_step: Tensor
    bias_step: Tensor
    weight_gradient: Tensor


class Optimiser:
    """An optimiser for matrices and biases that it does not hold.

    Raises:
        ValueError: pulses are asked of an optimiser with a state of its own.
    """

    def __init__(
        self, settings: OptimiserSettings, shapes: Sequence[LayerShape], device: torch.device
    ) -> None:
        """Make the state for layers of these shapes."""
        if settings.write == "pulses" and settings.name != "sgd":
            raise ValueError(f"{settings.name} makes a dense step; only sgd can be pulsed in place")
        self._settings = settings
        dense = settings.write == "dense"
        largest = max(shape.n_out * shape.n_in for shape in shapes) if dense else 0
        steps, gradients = torch.zeros(largest, device=device), torch.zeros(largest, device=device)

        def slots(shape: LayerShape) -> _LayerSlots:
            size = (shape.n_out, shape.n_in) if dense else (shape.n_out, 0)
            used = size[0] * size[1]
            return _LayerSlots(
                steps[:used].view(size),
                torch.zeros(shape.n_out, device=device),
                gradients[:used].view(size),
            )

        self._slots = [slots(shape) for shape in shapes]
        self._torch = _torch_optimiser(
            settings,
            [step for slot in self._slots for step in (slot.weight_step, slot.bias_step)],
        )

    def requests(
        self, errors: Sequence[Tensor], inputs: Sequence[Tensor]
    ) -> Iterator[tuple[Outer | Dense, Tensor]]:
        """Give the request for every layer's weights and the change of its bias, first to last.

        Args:
            errors: estimates of ∂L/∂a_l, (batch, n_out) or (batch, positions, n_out).
            inputs: x_{l-1}, (batch, n_in) or (batch, positions, n_in).

        Yields:
            One pair a layer, made when it is asked for. Its tensors are good until the next.
        """
        dense = self._settings.write == "dense"
        for slot, d, x in zip(self._slots, errors, inputs, strict=True):
            weight_step, bias_step = slot.weight_step.zero_(), slot.bias_step.zero_()
            bias_step.grad = d.flatten(0, -2).sum(0) / len(d)
            if dense:
                weight_step.grad = mean_outer_product(d, x, slot.weight_gradient)
            # torch's optimiser passes over every layer that has no gradient
            self._torch.step()
            weight_step.grad = bias_step.grad = None
            if dense:
                yield Dense(weight_step), bias_step
            else:
                factors = x.flatten(0, -2), d.flatten(0, -2) / len(d)
                yield Outer(*factors, self._settings.learning_rate), bias_step

    def state(self) -> dict[str, Tensor]:
        """Everything that torch's optimiser keeps, as `<parameter>.<name>`."""
        return {
            f"{index}.{name}": value
            for index, kept in self._torch.state_dict()["state"].items()
            for name, value in kept.items()
            if value is not None
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state."""
        kept: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            index, name = key.split(".", 1)
            kept.setdefault(int(index), {})[name] = value
        self._torch.load_state_dict({**self._torch.state_dict(), "state": kept})


def mean_outer_product(d: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
    """Give ⟨d xᵀ⟩, (n_out, n_in): summed over positions, mean over the batch."""
    rows, columns = d.flatten(0, -2), x.flatten(0, -2)
    if out is None:
        out = d.new_empty(rows.shape[1], columns.shape[1])
    return torch.addmm(out, rows.T, columns, beta=0, alpha=1 / len(d), out=out)


def _torch_optimiser(
    settings: OptimiserSettings, parameters: list[Tensor]
) -> torch.optim.Optimizer:
    if settings.name == "adam":
        return torch.optim.Adam(parameters, lr=settings.learning_rate, fused=True)
    momentum = settings.momentum if settings.name == "momentum" else 0.0
    return torch.optim.SGD(parameters, lr=settings.learning_rate, momentum=momentum, fused=True)
