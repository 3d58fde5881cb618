"""What every crossbar must do, one check a method; a pytest class as it stands."""

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
from substrate.verify.noise import fastest
from substrate.verify.seal import assert_crossbar_sealed
from substrate.verify.statistics import compare

N_OUT, N_IN = 6, 9
READS = 400
ARRAYS = 8


class CrossbarConformance:
    """Derive from it and set `model`; for crossbars that are built otherwise, override `make`.

    Attributes:
        model: the class under test.
        parameters: for its `Parameters`; those left out have their defaults.
        seed: of all draws.
        false_alarm: chance that a right crossbar fails the statistical check.
        bitwise: whether it repeats bitwise under a seed, as all but aihwkit's C++ tiles should.
        largest_weight: of the weights that it is given to hold.
        programming_error: most that reads may be off on average, as a fraction of what is asked.
        update_cosine: least cosine between the change asked for and the change made.
        max_cost: most that a read may take, in products of the same size.
        runs_on_meta: whether all of it is torch, as it is not in aihwkit's tiles.
    """

    model: ClassVar[type[CustomCrossbar]]
    parameters: ClassVar[Mapping[str, Any]] = {}
    seed: ClassVar[int] = 0
    false_alarm: ClassVar[float] = 1e-4
    bitwise: ClassVar[bool] = True
    largest_weight: ClassVar[float] = 0.3
    programming_error: ClassVar[float] = 0.25
    update_cosine: ClassVar[float] = 0.5
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

    def _weights(self) -> Tensor:
        span = torch.linspace(-self.largest_weight, self.largest_weight, N_OUT * N_IN)
        order = torch.randperm(len(span), generator=stream(self.seed, "weights of a check"))
        return span[order].view(N_OUT, N_IN)

    def _programmed(self, seed: int | None = None) -> Crossbar:
        crossbar = self.make(N_OUT, N_IN, seed=seed)
        crossbar.program(self._weights())
        return crossbar

    def _read_weights(self, crossbar: Crossbar, reads: int = READS) -> Tensor:
        """Drive one row at a time, and average over reads: (n_out, n_in)."""
        lines = torch.eye(N_IN)
        return crossbar.read(lines, repeats=reads).view(reads, N_IN, N_OUT).mean(0).T

    def _inputs(self) -> Tensor:
        return torch.rand(5, N_IN, generator=stream(self.seed, "inputs of a check")) * 2 - 1

    def test_describes_itself(self) -> None:
        """Names itself, cites its source, and describes every parameter with its unit."""
        if type(self).make is not CrossbarConformance.make:
            raise SkipTest("built otherwise than from a class with Parameters")
        for attribute in ("title", "citation"):
            assert getattr(self.model, attribute, ""), f"`{attribute}` is empty"
        for parameter, field in self.model.Parameters.model_fields.items():
            assert field.description, f"parameter `{parameter}` has no description with its unit"

    def test_shapes_and_dtypes(self) -> None:
        """Reads batches and positions, repeats them, and reads backwards, in the right shapes."""
        crossbar = self._programmed()
        cases = {
            (4, N_OUT): crossbar.read(torch.rand(4, N_IN)),
            (12, N_OUT): crossbar.read(torch.rand(4, N_IN), repeats=3),
            (4, 7, N_OUT): crossbar.read(torch.rand(4, 7, N_IN)),
            (8, 7, N_OUT): crossbar.read(torch.rand(4, 7, N_IN), repeats=2),
            (4, N_IN): crossbar.read_transposed(torch.rand(4, N_OUT)),
        }
        for wanted, given in cases.items():
            assert tuple(given.shape) == wanted, f"gave {tuple(given.shape)} instead of {wanted}"
            assert given.dtype == torch.float32, f"gave {given.dtype} for float32"
            assert given.isfinite().all(), "gave infinite or undefined values"

    def test_programming(self) -> None:
        """Holds the weights that it is given, and multiplies by them both ways."""
        crossbar, wanted = self._programmed(), self._weights()
        held = self._read_weights(crossbar)
        error = float((held - wanted).norm() / wanted.norm())
        assert error <= self.programming_error, f"reads are off by {error:.0%} on average"
        lines = torch.eye(N_OUT)
        backwards = torch.stack([crossbar.read_transposed(lines) for _ in range(READS)]).mean(0)
        off = float((backwards - wanted).norm() / wanted.norm())
        assert off <= self.programming_error, f"backward reads are off by {off:.0%} on average"
        self.measured = f"reads are off by {error:.1%} on average"

    def test_fresh_noise(self) -> None:
        """Draws afresh at every pass, unless it says that it is free of noise."""
        crossbar, x = self._programmed(), self._inputs()
        once, again = crossbar.read(x), crossbar.read(x)
        repeats = crossbar.read(x, repeats=2).view(2, len(x), N_OUT)
        if crossbar.noise_free:
            assert torch.equal(once, again), "says noise_free, and two reads differ"
            assert torch.equal(repeats[0], repeats[1]), "says noise_free, and repeats differ"
        else:
            assert not torch.equal(once, again), "two reads are the same; is it noise_free?"
            assert not torch.equal(repeats[0], repeats[1]), "two repeats are the same"

    def test_repeats_under_a_seed(self) -> None:
        """Repeats bitwise under a seed, updates included, whatever the number of threads."""
        if not self.bitwise:
            raise SkipTest("says that it repeats in its statistics alone")
        threads, runs = torch.get_num_threads(), []
        try:
            for number in (threads, 1, 2):
                torch.set_num_threads(number)
                crossbar, x = self._programmed(), self._inputs()
                crossbar.update(Outer(x, torch.ones(len(x), N_OUT), 0.01))
                runs.append(crossbar.read(x, repeats=3))
        finally:
            torch.set_num_threads(threads)
        for run in runs[1:]:
            assert torch.equal(runs[0], run), "another run with the same seed differs"

    def test_saves_and_restores(self) -> None:
        """Goes on bitwise from a saved state."""
        crossbar, x = self._programmed(), self._inputs()
        if not hasattr(crossbar, "state"):
            raise SkipTest("offers no state(), so a run on it cannot be resumed")
        crossbar.update(Outer(x, torch.ones(len(x), N_OUT), 0.01))
        crossbar.read(x)
        state = {name: value.clone() for name, value in crossbar.state().items()}
        wanted = [crossbar.read(x) for _ in range(2)]
        other: Any = self._programmed(seed=self.seed + 1)
        other.restore(state)
        for each in wanted:
            again = other.read(x)
            same = torch.equal(again, each) if self.bitwise else again.shape == each.shape
            assert same, "does not go on as it did; put the generators into the state too"

    def test_batch_independence(self) -> None:
        """Gives a sample the same result on average, whatever else is in its batch."""
        crossbar, x = self._programmed(), self._inputs()
        others = torch.cat([x[:1], 2 * x[1:].flip(0)])
        alone = crossbar.read(x[:1], repeats=READS)
        together = crossbar.read(others, repeats=READS).view(READS, len(x), N_OUT)[:, 0]
        labels = [f"output {number}" for number in range(N_OUT)]
        difference = (together - alone).double()
        if difference.abs().amax() <= 1e-5 * alone.abs().amax():
            return  # a product of another size may round otherwise, and no more
        compare(difference, torch.zeros(N_OUT).double(), labels, self.false_alarm, power=False)

    def test_updates(self) -> None:
        """Changes its weights in the direction asked for, on average over some arrays."""
        x, d = self._inputs(), torch.linspace(-1, 1, 5 * N_OUT).view(5, N_OUT)
        found = []
        requests = (
            (Outer(x, d, 0.05), -0.05 * d.T @ x),
            (Dense(-0.05 * d.T @ x), -0.05 * d.T @ x),
        )
        for request, wanted in requests:
            change = torch.zeros(N_OUT, N_IN)
            for array in range(ARRAYS):
                crossbar = self._programmed(seed=self.seed + array)
                before = self._read_weights(crossbar)
                kept = x.clone(), d.clone()
                crossbar.update(request)
                assert torch.equal(kept[0], x), "an update changed the request's x"
                assert torch.equal(kept[1], d), "an update changed the request's d"
                change += self._read_weights(crossbar) - before
            cosine = float((change * wanted).sum() / (change.norm() * wanted.norm()))
            kind = type(request).__name__
            assert cosine >= self.update_cosine, (
                f"{kind}: the change made has cosine {cosine:.2f} with the one asked for"
            )
            found.append(f"{kind} {cosine:.2f}")
        self.measured = f"cosine of change made and asked for: {', '.join(found)}"

    def test_meta_device(self) -> None:
        """Makes every tensor on the device that it is given (torch's meta device)."""
        if not self.runs_on_meta:
            raise SkipTest("not all of it is torch")
        try:
            crossbar = self.make(N_OUT, N_IN, device="meta")
            crossbar.program(self._weights().to("meta"))
            x = self._inputs().to("meta")
            a = crossbar.read(x, repeats=2)
            crossbar.update(Outer(x, torch.ones(len(x), N_OUT, device="meta"), 0.01))
            crossbar.read_transposed(torch.ones(3, N_OUT, device="meta"))
        except (RuntimeError, NotImplementedError) as problem:
            reason = str(problem).splitlines()[0]
            raise AssertionError(
                f"makes a tensor elsewhere, or waits for a value: {reason}"
            ) from problem
        assert a.device.type == "meta", f"reads on {a.device}"

    def test_cuda_device(self) -> None:
        """Runs on a CUDA device."""
        if not torch.cuda.is_available():
            raise SkipTest("torch finds no CUDA device here")
        crossbar = self.make(N_OUT, N_IN, device="cuda")
        crossbar.program(self._weights().cuda())
        assert crossbar.read(self._inputs().cuda()).is_cuda, "reads on another device"

    def test_sealed(self) -> None:
        """Does not leak through the seal of a chip."""
        assert_crossbar_sealed(self.make)

    def test_speed(self) -> None:
        """Reads in no more than many times the bare matrix product."""
        n, x = 512, torch.rand(500, 512)
        crossbar, weights = self.make(n, n), torch.rand(n, n) * self.largest_weight
        crossbar.program(weights)
        crossbar.read(x)
        read, product = fastest(lambda: crossbar.read(x), lambda: x @ weights.T)
        self.measured = f"{read * 1e3:.1f} ms, {read / product:.2f} of the product 500×512×512"
        assert read / product <= self.max_cost, (
            f"{self.measured}; at most {self.max_cost:g} is allowed"
        )
