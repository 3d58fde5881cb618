"""The decorrelation matrix R of a layer, in front of its crossbar (METHOD.md, "Decorrelation").

read:    x* = R x,  R = I at first
update:  R ← diag(gain) R - rate Σ_s d_s x_sᵀ
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from devices.interface import DecorrelationUpdate


class DigitalDecorrelation:
    """R computed exactly in the digital periphery."""

    noise_free = True

    def __init__(self, n_in: int, device: torch.device) -> None:
        """Start as the identity of n_in × n_in."""
        self.matrix: Float[Tensor, "n_in n_in"] = torch.eye(n_in, device=device)

    def read(self, x: Float[Tensor, "batch *positions n_in"]) -> Tensor:
        """Give R x."""
        return functional.linear(x, self.matrix)

    def read_transposed(self, y: Float[Tensor, "samples n_in"]) -> Float[Tensor, "samples n_in"]:
        """Give Rᵀ y."""
        return y @ self.matrix

    def update(self, request: DecorrelationUpdate) -> None:
        """Scale the rows and subtract the outer products, in place."""
        outer = request.outer
        self.matrix.mul_(request.gain[:, None])
        self.matrix.addmm_(outer.d.T, outer.x, alpha=-outer.rate)
