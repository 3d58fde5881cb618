"""The decorrelation matrix R of a layer, in front of its crossbar (METHOD.md, "Decorrelation").

    read:    x* = R x,  R = I at first
    update:  R ← R - rate Σ_s (x*_s x*_sᵀ - diag(x*_s²)) R

In the digital periphery the update of S samples is the cheaper one of

    R ← diag(1 + rate Σ_s x*_s²) R - rate Σ_s x*_s (Rᵀ x*_s)ᵀ      2 S n² multiplications
    R ← R - rate (C - diag C) R,  C = Σ_s x*_s x*_sᵀ                ½ S n² + n³: C is symmetric

and on a crossbar of its own the first, whose outer products a crossbar can carry out in place.
There R = diag(g) M, where the crossbar holds M, and g is a digital gain of every row:

    read:    x* = g ⊙ (M x)
    update:  g ← (1 + rate Σ_s x*_s²) ⊙ g,   M ← M - rate Σ_s (x*_s / g) (Rᵀ x*_s)ᵀ

A device's window may be narrower than 1. So the identity is programmed at half of what the device
was seen to hold when it was asked for 1, to leave room on both sides, and g makes up for it. As
training goes on g grows and M shrinks towards its own noise; when a row's g has doubled, M is read
back through its own noise, and programmed anew with the gain in it. Whether one has is found every
16 updates and acted upon 16 updates later, when the host need not wait to know it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from devices.array_noise import ArrayNoise
from devices.crossbars.base import Crossbar, all_pulse_trains, draws_by_row
from devices.flag import Flag
from devices.interface import DecorrelationUpdate, Outer
from devices.states import below, prefixed, restore_to, state_of
from devices.without_trace import without_trace

_GRAM_BLOCK = 128
"""Columns of a block: narrower ones save more products, and lose more by being narrow."""
_READS = 16
_UPDATES_BETWEEN_CHECKS = 16


@runtime_checkable
class Decorrelation(Protocol):
    """A matrix R of n_in × n_in in front of a crossbar."""

    @property
    def noise_free(self) -> bool:
        """Whether two reads of the same input are always the same, bit for bit."""
        ...

    def read(self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1) -> Tensor:
        """Give R x; every repeat draws noise afresh, stacked along the batch."""
        ...

    def read_transposed(self, y: Float[Tensor, "samples n_in"]) -> Float[Tensor, "samples n_in"]:
        """Give Rᵀ y."""
        ...

    def update(self, request: DecorrelationUpdate) -> None:
        """Carry out a request for a change as well as the hardware can."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Give copies of everything that a run needs to go on from here."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state."""
        ...


class DigitalDecorrelation:
    """R computed exactly in the digital periphery."""

    noise_free = True

    def __init__(self, n_in: int, device: torch.device) -> None:
        """Start as the identity of n_in × n_in."""
        self.matrix: Float[Tensor, "n_in n_in"] = torch.eye(n_in, device=device)

    def read(self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1) -> Tensor:
        """Give R x."""
        y = functional.linear(x, self.matrix)
        return y if repeats == 1 else y.repeat(repeats, *[1] * (y.ndim - 1))

    def read_transposed(self, y: Float[Tensor, "samples n_in"]) -> Float[Tensor, "samples n_in"]:
        """Give Rᵀ y."""
        return y @ self.matrix

    def update(self, request: DecorrelationUpdate) -> None:
        """Carry the request out exactly."""
        x_star = request.x_star
        if _by_covariance(*x_star.shape):
            covariance = gram(x_star).fill_diagonal_(0)
            self.matrix.sub_(covariance @ self.matrix, alpha=request.rate)
        else:
            back = self.read_transposed(x_star)
            self.matrix.mul_(_gain(request)[:, None])
            self.matrix.addmm_(x_star.T, back, alpha=-request.rate)

    def state(self) -> dict[str, Tensor]:
        """Give a copy of R."""
        return {"matrix": self.matrix.clone()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to the R of a state."""
        self.matrix.copy_(state["matrix"])


def _by_covariance(samples: int, n_in: int) -> bool:
    return 2 * n_in < 3 * samples


def update_multiplications(samples: int, n_in: int) -> int:
    """Count what a digital R multiplies in an update; of a symmetric product one half alone."""
    if _by_covariance(samples, n_in):
        return samples * n_in * (n_in + 1) // 2 + n_in**3 + n_in**2
    return 2 * samples * n_in**2 + samples * n_in + n_in**2


def gram(x: Float[Tensor, "samples n"]) -> Float[Tensor, "n n"]:
    """Give xᵀx; of blocks that are each other's transpose one alone is computed."""
    n = x.shape[1]
    product = x.new_empty(n, n)
    for start in range(0, n, _GRAM_BLOCK):
        end = min(start + _GRAM_BLOCK, n)
        torch.mm(x[:, start:].T, x[:, start:end], out=product[start:, start:end])
        product[start:end, end:] = product[end:, start:end].T
    return product


def _gain(request: DecorrelationUpdate) -> Float[Tensor, " n_in"]:
    """Give 1 + rate Σ_s x*_s²."""
    return request.x_star.square().sum(0).mul_(request.rate).add_(1)


class CrossbarDecorrelation:
    """R on a crossbar, read and updated as the device can, with a digital gain of every row.

    Attributes:
        crossbar: holds M.
        noise: acts around it.
        reads_back: vectors that M was driven with to read it back, so far.

    Raises:
        ValueError: the crossbar does not hold the identity at any scale.
    """

    def __init__(
        self,
        crossbar: Crossbar,
        n_in: int,
        device: torch.device,
        noise: ArrayNoise | None = None,
    ) -> None:
        """Program the identity into a crossbar of n_in × n_in."""
        self.crossbar = crossbar
        self.noise = noise or ArrayNoise()
        self._identity = torch.eye(n_in, device=device)
        crossbar.program(self._identity)
        held = float(self._read_back().diagonal().median()) / 2
        if not held > 0:
            raise ValueError("a crossbar for R gives nothing back of the identity written to it")
        crossbar.program(held * self._identity)
        self._start_gain = 1 / held
        self._gain = torch.full((n_in,), self._start_gain, device=device)
        self._updates = 0
        self._doubled = Flag(torch.tensor(False))
        self.reads_back = _READS * n_in

    @property
    def noise_free(self) -> bool:
        """Whether the crossbar is, and what is around it."""
        return self.crossbar.noise_free and self.noise.forward.silent

    @property
    def draws_by_row(self) -> bool:
        """See `devices.crossbars.base.DrawsByRow`."""
        return draws_by_row(self.crossbar)

    def read(self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1) -> Tensor:
        """Give R x through the crossbar's noise."""
        return self.noise.read(self.crossbar, x, repeats).mul(self._gain)

    def read_transposed(self, y: Float[Tensor, "samples n_in"]) -> Float[Tensor, "samples n_in"]:
        """Give Rᵀ y through the noise of the crossbar's backward read."""
        return self.noise.read_transposed(self.crossbar, y * self._gain)

    def update(self, request: DecorrelationUpdate) -> None:
        """Take the gain into the digital periphery, and ask the crossbar for the outer products."""
        back = self.read_transposed(request.x_star)
        self._gain.mul_(_gain(request))
        self.crossbar.update(Outer(back, request.x_star / self._gain, request.rate))
        self._updates += 1
        if self._updates % _UPDATES_BETWEEN_CHECKS == 0:
            self._rescale()

    def state(self) -> dict[str, Tensor]:
        """Give copies of the gain, and of the states of the crossbar and the noise around it."""
        return {
            "gain": self._gain.clone(),
            "updates": torch.tensor(self._updates),
            "doubled": torch.tensor(bool(self._doubled)),
            "reads_back": torch.tensor(self.reads_back),
            **prefixed("crossbar", state_of(self.crossbar)),
            **prefixed("noise", self.noise.state()),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state."""
        self._gain.copy_(state["gain"])
        self._updates = int(state["updates"])
        self.reads_back = int(state["reads_back"])
        self._doubled = Flag(state["doubled"].cpu())
        restore_to(self.crossbar, below("crossbar", state))
        self.noise.restore(below("noise", state))

    @property
    def rescalings(self) -> int:
        """How often M was read back, multiplied by its gain and programmed anew."""
        return self.reads_back // (_READS * len(self._gain)) - 1

    @property
    def pulse_trains(self) -> Int[Tensor, "2"] | None:
        """Of the crossbar."""
        return all_pulse_trains([self.crossbar])

    @contextmanager
    def without_trace(self) -> Iterator[None]:
        """See `devices.without_trace`."""
        with without_trace(self.crossbar), without_trace(self.noise):
            yield

    def _rescale(self) -> None:
        grown = self._gain / self._start_gain
        if self._doubled:
            self.crossbar.program(self._read_back() * grown[:, None])
            self.reads_back += _READS * len(self._gain)
            self._gain.fill_(self._start_gain)
        self._doubled = Flag((self._gain > 2 * self._start_gain).any())

    def _read_back(self) -> Tensor:
        """Read M column by column, averaged over repeated reads."""
        reads = self.noise.read(self.crossbar, self._identity, _READS)
        return reads.view(_READS, *self._identity.shape).mean(0).T.contiguous()
