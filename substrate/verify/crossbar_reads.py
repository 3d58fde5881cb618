"""What reads of a crossbar must do, forwards and backwards."""

from __future__ import annotations

from unittest import SkipTest

import torch
from torch import Tensor

from devices.crossbars.base import draws_by_row
from devices.interface import Outer
from substrate.verify.crossbar_under_test import (
    ARRAYS,
    N_IN,
    N_OUT,
    READS,
    SHAPE,
    SQUARE,
    CrossbarUnderTest,
)
from substrate.verify.statistics import assert_near, compare
from substrate.verify.updates import SAMPLES

SLICES = 40
"""Successive reads are averaged in so many slices, so that a short memory does no harm."""

MANY_ROWS = 2000
"""As many as a pass of a training may hold, samples times positions."""


class ReadChecks(CrossbarUnderTest):
    """Checks of weights, shapes and noise."""

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
        """Holds the weights that it is given last, and multiplies by them both ways."""
        self._hold_programmed(SHAPE)
        self._hold_programmed(SQUARE)

    def _hold_programmed(self, shape: tuple[int, int]) -> None:
        n_out, n_in = shape
        wanted, x, reads = self._weights(shape), self._inputs(n_in), READS // 4
        ways: dict[str, tuple[list[Tensor], Tensor]] = {
            "reads": ([], wanted),
            "reads at positions": ([], wanted),
            "reads of many rows": ([], x @ wanted.T),
            f"reads of a batch of {MANY_ROWS}": ([], x @ wanted.T),
            "backward reads": ([], wanted),
        }
        first = 3 if n_in % 3 == 0 else 1
        for array in range(ARRAYS):
            crossbar = self._programmed(self.seed + array, shape)
            crossbar.program(wanted.flip(0))
            crossbar.program(wanted)
            places = crossbar.read(torch.eye(n_in).view(first, -1, n_in), repeats=reads)
            given = {
                "reads": self._read_weights(crossbar, reads, shape),
                "reads at positions": places.view(reads, n_in, n_out).mean(0).T,
                "reads of many rows": crossbar.read(x, repeats=reads)
                .view(reads, -1, n_out)
                .mean(0),
                f"reads of a batch of {MANY_ROWS}": crossbar.read(x.repeat(MANY_ROWS // len(x), 1))
                .view(-1, len(x), n_out)
                .mean(0),
                "backward reads": self._read_backwards(crossbar, reads, shape),
            }
            for way, (arrays, _) in ways.items():
                arrays.append(given[way])
        held = torch.stack(ways["reads"][0])
        for way, (arrays, asked) in ways.items():
            error = assert_near(
                torch.stack(arrays),
                asked.expand(ARRAYS, *asked.shape),
                way if shape == SHAPE else f"{way}, {n_out} × {n_in}",
                most=self.programming_error,
                # of two shapes
                false_alarm=self.false_alarm / (2 * len(ways)),
            )
            if way == "reads" and shape == SHAPE:
                of_one = float(((held - wanted).flatten(1).norm(dim=1) / wanted.norm()).mean())
                self.measured = f"one array is off by {of_one:.1%}, their average by {error:.1%}"

    def test_leaves_alone(self) -> None:
        """Leaves what it is given as it was, and does not follow it afterwards."""
        crossbar, weights, x = self._programmed(), self._weights(), self._inputs()
        y = torch.linspace(-1, 1, SAMPLES * N_OUT).view(SAMPLES, N_OUT)
        outer, dense = Outer(x.clone(), y.clone(), 0.01), self._dense()
        kept = {"weights": weights.clone(), "x": x.clone(), "y": y.clone()}
        kept["delta"] = dense.delta.clone()
        crossbar.program(weights)
        crossbar.read(x, repeats=2)
        crossbar.read_transposed(y)
        crossbar.update(outer)
        crossbar.update(dense)
        for what, given, before in (
            ("programming or an update changed the weights that it was given", weights, "weights"),
            ("a read changed its x", x, "x"),
            ("a backward read changed its y", y, "y"),
            ("an update changed the request's x", outer.x, "x"),
            ("an update changed the request's d", outer.d, "y"),
            ("an update changed the request's delta", dense.delta, "delta"),
        ):
            assert torch.equal(given, kept[before]), what
        before_change = self._read_weights(crossbar)
        weights.add_(10)
        dense.delta.add_(10)
        off = (self._read_weights(crossbar) - before_change).abs().max()
        assert off <= 1, "its weights follow a tensor that it was given; keep a copy"

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
            arrays = [self._programmed(seed=self.seed + array) for array in range(2)]
            first, second = (array.read(x, repeats=20) for array in arrays)
            assert not torch.equal(first, second), (
                "two arrays of different seeds have the same noise; draw from `generators` alone"
            )

    def test_rows_draw_their_own_noise(self) -> None:
        """Has other noise in every row of a read, if it says that it draws row by row."""
        crossbar, x = self._programmed(), self._inputs()
        if crossbar.noise_free or not draws_by_row(crossbar):
            raise SkipTest("does not say that its noise is drawn row by row")
        a = crossbar.read(x[:1].expand(2, -1).contiguous(), repeats=READS).double()
        first, second = (a - a.mean(0)).view(READS, 2, N_OUT).unbind(1)
        shared = float((first * second).mean() / a.var(0).mean().clamp(min=1e-300))
        assert shared < 0.5, f"says draws_by_row, and rows share {shared:.0%} of their noise"

    def test_batch_independence(self) -> None:
        """Gives a sample the same result and noise, wherever and with whatever it is in a batch."""
        crossbar, x = self._programmed(), self._inputs()
        reads = 5 * READS
        others = 2 * x[1:].flip(0).repeat(4, 1)
        batch = torch.cat([x[:1], others, x[:1], others, x[:1]])
        places = {"first in": 0, "last in": len(batch) - 1, "amid": len(others) + 1}
        alone = crossbar.read(x[:1], repeats=reads).double()
        together = crossbar.read(batch, repeats=reads).view(reads, len(batch), N_OUT).double()
        alone_again = crossbar.read(x[:1], repeats=reads).double()
        close = 1e-5 * alone.abs().amax()
        for place, index in places.items():
            sample = together[:, index]
            if (sample - alone).abs().amax() <= close:
                continue  # a product of another size may round otherwise, and no more
            # What changes with time alone, as drift does, is the same before and after.
            level = (alone + alone_again) / 2
            noise = (_spread(alone) + _spread(alone_again)) / 2
            scale = noise.mean().clamp(min=1e-300)
            columns = torch.cat(
                [sample - level, ((_spread(sample) - noise) / scale).mean(1, keepdim=True)], dim=1
            )
            slices = columns.view(SLICES, -1, N_OUT + 1).mean(1)
            labels = [f"output {n} of a sample {place} its batch, less alone" for n in range(6)]
            labels.append(f"variance of a sample {place} its batch, as a part more than alone")
            # torch rounds: what is equal on average is so to the last digits of float32
            exact = slices.abs().amax(0) <= torch.cat([close.expand(N_OUT), torch.zeros(1)])
            slices[:, exact] = 0
            compare(
                slices,
                torch.zeros(N_OUT + 1).double(),
                labels,
                self.false_alarm / len(places),
                power=False,
            )


def _spread(a: Tensor) -> Tensor:
    """Squared deviations from the mean over reads, whose mean is the variance."""
    return (a - a.mean(0)).square()
