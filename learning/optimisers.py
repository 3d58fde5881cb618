"""From an estimated gradient to the request for a weight change.

    pulses:  ask for -η ⟨d_l x_{l-1}ᵀ⟩ as the factors of the outer product, carried out in place
    dense:   form ΔW_l = ⟨d_l x_{l-1}ᵀ⟩, feed it to torch's optimiser, ask for the step it takes

The learner does not hold the weights, so torch's optimiser is given zeros in their place: where it
leaves them after a step is the change to ask for. Zeros and ΔW_l are there for one layer at a time.
torch's functions are called and their state is kept here, for the reason in `learning.adam`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.optim.sgd import sgd

from devices.interface import Dense, LayerShape, Outer
from learning.adam import adam_step

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
        self._kept: list[dict[str, Tensor]] = [{} for _ in range(2 * len(shapes))]

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
        steps, gradients = [bias_step.zero_()], [d.flatten(0, -2).sum(0) / len(d)]
        kept = self._kept[2 * layer + 1 : 2 * layer + 2]
        if self._dense:
            weight_step.data = weight_step.new_zeros(d.shape[-1], x.shape[-1])
            steps.append(weight_step)
            gradients.append(mean_outer_product(d, x))
            kept.append(self._kept[2 * layer])
        _step(self._settings, steps, gradients, kept)
        if self._dense:
            return Dense(weight_step), bias_step
        factors = x.flatten(0, -2), d.flatten(0, -2) / len(d)
        return Outer(*factors, self._settings.learning_rate), bias_step

    def release(self, layer: int) -> None:
        """Give the memory of a layer's request free, once it has been carried out."""
        weight_step, _ = self._steps[layer]
        weight_step.data = weight_step.new_empty(0)

    def state(self) -> dict[str, Tensor]:
        """Give copies of all that is kept, as `<2 × layer, and 1 for its bias>.<torch's name>`."""
        return {
            f"{index}.{name}": value.clone()
            for index, kept in enumerate(self._kept)
            for name, value in kept.items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state."""
        self._kept = [{} for _ in self._kept]
        for key, value in state.items():
            index, name = key.split(".", 1)
            self._kept[int(index)][name] = value.clone()


def mean_outer_product(d: Tensor, x: Tensor) -> Tensor:
    """Give ⟨d xᵀ⟩, (n_out, n_in): summed over positions, mean over the batch."""
    rows, columns = d.flatten(0, -2), x.flatten(0, -2)
    return torch.addmm(d.new_zeros(()), rows.T, columns, beta=0, alpha=1 / len(d))


def _step(
    settings: OptimiserSettings,
    steps: list[Tensor],
    gradients: list[Tensor],
    kept: list[dict[str, Tensor]],
) -> None:
    """Take one step from where `steps` are, with torch's own defaults, and keep its state."""
    if settings.name == "adam":
        for step, each in zip(steps, kept, strict=True):
            if not each:
                each["step"] = torch.zeros((), device=step.device)
                each["exp_avg"] = torch.zeros_like(step)
                each["exp_avg_sq"] = torch.zeros_like(step)
        adam_step(
            steps,
            gradients,
            [each["exp_avg"] for each in kept],
            [each["exp_avg_sq"] for each in kept],
            [each["step"] for each in kept],
            settings.learning_rate,
        )
        return
    buffers = [each.get("momentum_buffer") for each in kept]
    sgd(
        steps,
        gradients,
        buffers,
        fused=True,
        weight_decay=0.0,
        momentum=settings.momentum if settings.name == "momentum" else 0.0,
        lr=settings.learning_rate,
        dampening=0.0,
        nesterov=False,
        maximize=False,
    )
    for each, buffer in zip(kept, buffers, strict=True):
        if buffer is not None:
            each["momentum_buffer"] = buffer
