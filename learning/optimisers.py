"""From an estimated gradient to the request for a weight change.

    pulses:  ask for -η ⟨d_l x_{l-1}ᵀ⟩ as the factors of the outer product, carried out in place
    dense:   form ΔW_l = ⟨d_l x_{l-1}ᵀ⟩, feed it to a torch optimiser, ask for the step it takes

The learner does not hold the weights, so torch's optimiser is given zeros in their place: where it
leaves them after a step is the change to ask for. Zeros and ΔW_l are there for one layer at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        self._dense = settings.write == "dense"
        self._steps = [
            (torch.zeros(0, device=device), torch.zeros(shape.n_out, device=device))
            for shape in shapes
        ]
        self._torch = _torch_optimiser(settings, [step for pair in self._steps for step in pair])

    def request(self, layer: int, d: Tensor, x: Tensor) -> tuple[Outer | Dense, Tensor]:
        """Give the request for a layer's weights and the change of its bias.

        Args:
            layer: counted from 0.
            d: estimate of ∂L/∂a_l, (batch, n_out) or (batch, positions, n_out).
            x: x_{l-1}, (batch, n_in) or (batch, positions, n_in).

        Returns:
            The request and the change. Their tensors are good until `release`.
        """
        weight_step, bias_step = self._steps[layer]
        bias_step.zero_().grad = d.flatten(0, -2).sum(0) / len(d)
        if self._dense:
            weight_step.data = weight_step.new_zeros(d.shape[-1], x.shape[-1])
            weight_step.grad = mean_outer_product(d, x)
        # torch's optimiser passes over every layer that has no gradient
        self._torch.step()
        weight_step.grad = bias_step.grad = None
        if self._dense:
            return Dense(weight_step), bias_step
        factors = x.flatten(0, -2), d.flatten(0, -2) / len(d)
        return Outer(*factors, self._settings.learning_rate), bias_step

    def release(self, layer: int) -> None:
        """Give the memory of a layer's request free, once it has been carried out."""
        weight_step, _ = self._steps[layer]
        weight_step.data = weight_step.new_empty(0)

    def state(self) -> dict[str, Tensor]:
        """Give copies of everything that torch's optimiser keeps, as `<parameter>.<name>`."""
        return {
            f"{index}.{name}": value.clone()
            for index, kept in self._torch.state_dict()["state"].items()
            for name, value in kept.items()
            if value is not None
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state."""
        kept: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            index, name = key.split(".", 1)
            kept.setdefault(int(index), {})[name] = value.clone()
        self._torch.load_state_dict({**self._torch.state_dict(), "state": kept})


def mean_outer_product(d: Tensor, x: Tensor) -> Tensor:
    """Give ⟨d xᵀ⟩, (n_out, n_in): summed over positions, mean over the batch."""
    rows, columns = d.flatten(0, -2), x.flatten(0, -2)
    return torch.addmm(d.new_zeros(()), rows.T, columns, beta=0, alpha=1 / len(d))


def _torch_optimiser(
    settings: OptimiserSettings, parameters: list[Tensor]
) -> torch.optim.Optimizer:
    if settings.name == "adam":
        return torch.optim.Adam(parameters, lr=settings.learning_rate, fused=True)
    momentum = settings.momentum if settings.name == "momentum" else 0.0
    return torch.optim.SGD(parameters, lr=settings.learning_rate, momentum=momentum, fused=True)
