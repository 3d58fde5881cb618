"""From an estimated gradient to the request for a weight change.

    pulses:  ask for -η ⟨d_l x_{l-1}ᵀ⟩ as the factors of the outer product, carried out in place
    dense:   form ΔW_l = ⟨d_l x_{l-1}ᵀ⟩, feed it to a torch optimiser, ask for the step it takes

The learner does not hold the weights, so torch's optimiser is given zeros in their place: where it
leaves them after a step is the change to ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        self._steps = [
            (
                torch.zeros(shape.n_out, shape.n_in if settings.write == "dense" else 0).to(device),
                torch.zeros(shape.n_out).to(device),
            )
            for shape in shapes
        ]
        self._torch = _torch_optimiser(settings, [step for pair in self._steps for step in pair])

    def requests(
        self, errors: Sequence[Tensor], inputs: Sequence[Tensor]
    ) -> list[tuple[Outer | Dense, Tensor]]:
        """Give the request for every layer's weights and the change of its bias.

        Args:
            errors: estimates of ∂L/∂a_l, (batch, n_out) or (batch, positions, n_out).
            inputs: x_{l-1}, (batch, n_in) or (batch, positions, n_in).

        Returns:
            One pair a layer. The tensors in it are good until the next call.
        """
        factors = [_factors(d, x) for d, x in zip(errors, inputs, strict=True)]
        for (weight_step, bias_step), (d, x, batch) in zip(self._steps, factors, strict=True):
            weight_step.zero_()
            bias_step.zero_()
            bias_step.grad = d.sum(0) / batch
            if self._settings.write == "dense":
                weight_step.grad = torch.mm(d.T, x).div_(batch)
        self._torch.step()
        return [
            (
                Dense(weight_step)
                if self._settings.write == "dense"
                else Outer(x, d / batch, self._settings.learning_rate),
                bias_step,
            )
            for (weight_step, bias_step), (d, x, batch) in zip(self._steps, factors, strict=True)
        ]


def _factors(d: Tensor, x: Tensor) -> tuple[Tensor, Tensor, int]:
    """Flatten positions into samples: an update sums over them and averages over the batch."""
    return d.reshape(-1, d.shape[-1]), x.reshape(-1, x.shape[-1]), len(d)


def _torch_optimiser(
    settings: OptimiserSettings, parameters: list[Tensor]
) -> torch.optim.Optimizer:
    if settings.name == "adam":
        return torch.optim.Adam(parameters, lr=settings.learning_rate, fused=True)
    momentum = settings.momentum if settings.name == "momentum" else 0.0
    return torch.optim.SGD(parameters, lr=settings.learning_rate, momentum=momentum, fused=True)
