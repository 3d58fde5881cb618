"""How a crossbar under test is built, driven and asked: what its checks have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from unittest import SkipTest

import torch
from torch import Tensor

from devices.crossbars.base import Crossbar
from devices.crossbars.custom import CustomCrossbar
from devices.interface import Dense, Outer
from substrate.randomness import stream
from substrate.verify.described import assert_described, assert_named
from substrate.verify.updates import ORDINARY, SAMPLES, Amount

N_OUT, N_IN = SHAPE = 6, 9
SQUARE = 7, 7
"""Where rows and columns are as many, one may be taken for the other, and shapes stay right."""
READS = 400
ARRAYS = 24
MOST_ARRAYS = 8 * ARRAYS
"""As many as are drawn of noisy ones, until what they make of a request is known."""


class CrossbarUnderTest:
    """A small crossbar under test, and independent ones of its kind.

    Attributes:
        model: the class under test.
        parameters: for its `Parameters`; those left out have their defaults.
        seed: of all draws.
        false_alarm: chance that a right crossbar fails any one of the statistical checks, where its
            reads do not remember for longer than some fifty reads.
        bitwise: whether it repeats bitwise under a seed, as all but aihwkit's C++ tiles should.
        redrawn: entries of its state that come back from a restore with other noise on them.
        largest_weight: of the weights that it is given to hold.
        programming_error: most that reads may be off on average, as a fraction of what is asked.
        update_cosine: least cosine between the change asked for and the change made.
        update_size: least and largest change made, as a fraction of the one asked for.
        update_error: most that a change may be off, where there is a reference, as a fraction.
        amount: how much is asked for until something can be expected.
        warm_up: reads until it has calibrated itself.
        max_cost: most that a read may take, in products of the same size.
        runs_on_meta: whether all of it is torch, as it is not in aihwkit's tiles.
    """

    model: ClassVar[type[CustomCrossbar]]
    parameters: ClassVar[Mapping[str, Any]] = {}
    seed: ClassVar[int] = 0
    false_alarm: ClassVar[float] = 1e-4
    bitwise: ClassVar[bool] = True
    redrawn: ClassVar[frozenset[str]] = frozenset()
    largest_weight: ClassVar[float] = 0.3
    programming_error: ClassVar[float] = 0.25
    update_cosine: ClassVar[float] = 0.7
    update_size: ClassVar[tuple[float, float]] = (0.67, 1.5)
    update_error: ClassVar[float] = 0.1
    amount: ClassVar[Amount] = ORDINARY
    warm_up: ClassVar[int] = 0
    max_cost: ClassVar[float] = 20.0
    runs_on_meta: ClassVar[bool] = True
    measured: str = ""

    def make(self, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None) -> Crossbar:
        """Build a crossbar whose random streams follow from the seed."""
        number = self.seed if seed is None else seed
        return self.model(
            n_out,
            n_in,
            self.model.Parameters.model_validate(self.parameters),
            lambda purpose: stream(number, "crossbar", purpose, device=device),
            torch.device(device),
        )

    def make_reference(self, n_out: int, n_in: int, seed: int) -> Crossbar | None:
        """Build what its updates are to be like; None where that is what they ask for."""
        return None

    def _weights(self, shape: tuple[int, int] = SHAPE) -> Tensor:
        span = torch.linspace(-self.largest_weight, self.largest_weight, shape[0] * shape[1])
        order = torch.randperm(len(span), generator=stream(self.seed, "weights of a check"))
        return span[order].view(shape)

    def _programmed(self, seed: int | None = None, shape: tuple[int, int] = SHAPE) -> Crossbar:
        crossbar = self.make(*shape, seed=seed)
        crossbar.program(self._weights(shape))
        for _ in range(self.warm_up):
            crossbar.read(self._inputs(shape[1]))
        return crossbar

    def _read_weights(
        self, crossbar: Crossbar, reads: int = READS, shape: tuple[int, int] = SHAPE
    ) -> Tensor:
        """Drive one row at a time, and average over reads: (n_out, n_in)."""
        n_out, n_in = shape
        return crossbar.read(torch.eye(n_in), repeats=reads).view(reads, n_in, n_out).mean(0).T

    def _read_backwards(
        self, crossbar: Crossbar, reads: int = READS, shape: tuple[int, int] = SHAPE
    ) -> Tensor:
        """Drive one column at a time, and average over reads: (n_out, n_in)."""
        lines = torch.eye(shape[0]).repeat(20, 1)
        passes = [crossbar.read_transposed(lines) for _ in range(reads // 20)]
        return torch.stack(passes).view(-1, *shape).mean(0)

    def _outer(self, x: Tensor) -> Outer:
        return Outer(x, torch.ones(len(x), N_OUT), 0.01)

    def _dense(self) -> Dense:
        return Dense(self._weights().flip(0) / 30)

    def _inputs(self, n_in: int = N_IN) -> Tensor:
        return torch.rand(SAMPLES, n_in, generator=stream(self.seed, "inputs of a check")) * 2 - 1

    def test_describes_itself(self) -> None:
        """Names itself, cites its source, and describes every parameter with its unit."""
        if type(self).make is not CrossbarUnderTest.make:
            raise SkipTest("built otherwise than from a class with Parameters")
        assert_named(self.model, "title", "citation")
        assert_described(self.model.Parameters)
