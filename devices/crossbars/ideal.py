"""The ideal crossbar: the matrix product in float32, no noise, exact updates.

read:    a = W x
update:  W ← W + ΔW
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from devices.interface import Dense, Outer


class IdealCrossbar:
    """A noise-free matrix: the clean baseline."""

    noise_free = True

    def __init__(self, n_out: int, n_in: int, device: torch.device) -> None:
        """Hold an n_out × n_in matrix of zeros on `device`."""
        self.weights: Float[Tensor, "n_out n_in"] = torch.zeros(n_out, n_in, device=device)

    def program(self, weights: Float[Tensor, "n_out n_in"]) -> None:
        """Copy the weights."""
        self.weights.copy_(weights)

    def read(
        self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1
    ) -> Float[Tensor, "repeats_times_batch *positions n_out"]:
        """Give W x."""
        a = functional.linear(x, self.weights)
        return a if repeats == 1 else a.repeat(repeats, *[1] * (a.ndim - 1))

    def read_transposed(self, y: Float[Tensor, "samples n_out"]) -> Float[Tensor, "samples n_in"]:
        """Give Wᵀ y."""
        return y @ self.weights

    def update(self, request: Outer | Dense) -> None:
        """Add ΔW exactly."""
        if isinstance(request, Dense):
            self.weights.add_(request.delta)
        else:
            self.weights.addmm_(request.d.T, request.x, alpha=-request.rate)

    def state(self) -> dict[str, Tensor]:
        """Give a copy of the weights."""
        return {"weights": self.weights.clone()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to the weights of a state."""
        self.weights.copy_(state["weights"])
