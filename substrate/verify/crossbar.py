"""What every crossbar must do, one check a method; a pytest class as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from unittest import SkipTest

import torch
from torch import Tensor

from devices.crossbars.base import Crossbar, all_pulse_trains
from devices.crossbars.custom import CustomCrossbar
from devices.interface import Dense, Outer
from substrate.randomness import stream
from substrate.verify.noise import fastest
from substrate.verify.seal import assert_crossbar_sealed
from substrate.verify.statistics import assert_near, compare
from substrate.verify.updates import (
    ORDINARY,
    SAMPLES,
    Amount,
    Requests,
    all_requests,
    assert_carried_out,
)

N_OUT, N_IN = 6, 9
READS = 400
ARRAYS = 24
SLICES = 40
"""Successive reads are averaged in so many slices, so that a short memory does no harm."""


class CrossbarConformance:
    """Derive from it and set `model`; for crossbars that are built otherwise, override `make`.

    Attributes:
        model: the class under test.
        parameters: for its `Parameters`; those left out have their defaults.
        seed: of all draws.
        false_alarm: chance that a right crossbar fails any one of the statistical checks, where its
            reads do not remember for longer than some fifty reads.
        bitwise: whether it repeats bitwise under a seed, as all but aihwkit's C++ tiles should.
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
    largest_weight: ClassVar[float] = 0.3
    programming_error: ClassVar[float] = 0.25
    update_cosine: ClassVar[float] = 0.7
    update_size: ClassVar[tuple[float, float]] = (0.67, 1.5)
    update_error: ClassVar[float] = 0.25
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

    def _weights(self) -> Tensor:
        span = torch.linspace(-self.largest_weight, self.largest_weight, N_OUT * N_IN)
        order = torch.randperm(len(span), generator=stream(self.seed, "weights of a check"))
        return span[order].view(N_OUT, N_IN)

    def _programmed(self, seed: int | None = None) -> Crossbar:
        crossbar = self.make(N_OUT, N_IN, seed=seed)
        crossbar.program(self._weights())
        for _ in range(self.warm_up):
            crossbar.read(self._inputs())
        return crossbar

    def _read_weights(self, crossbar: Crossbar, reads: int = READS) -> Tensor:
        """Drive one row at a time, and average over reads: (n_out, n_in)."""
        lines = torch.eye(N_IN)
        return crossbar.read(lines, repeats=reads).view(reads, N_IN, N_OUT).mean(0).T

    def _read_backwards(self, crossbar: Crossbar, reads: int = READS) -> Tensor:
        """Drive one column at a time, and average over reads: (n_out, n_in)."""
        lines = torch.eye(N_OUT).repeat(20, 1)
        passes = [crossbar.read_transposed(lines) for _ in range(reads // 20)]
        return torch.stack(passes).view(-1, N_OUT, N_IN).mean(0)

    def _outer(self, x: Tensor) -> Outer:
        return Outer(x, torch.ones(len(x), N_OUT), 0.01)

    def _dense(self) -> Dense:
        return Dense(self._weights().flip(0) / 30)

    def _inputs(self) -> Tensor:
        return torch.rand(SAMPLES, N_IN, generator=stream(self.seed, "inputs of a check")) * 2 - 1

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
        """Holds the weights that it is given last, and multiplies by them both ways."""
        wanted, x, reads = self._weights(), self._inputs(), READS // 4
        ways: dict[str, tuple[list[Tensor], Tensor]] = {
            "reads": ([], wanted),
            "reads at positions": ([], wanted),
            "reads of many rows": ([], x @ wanted.T),
            "backward reads": ([], wanted),
        }
        for array in range(ARRAYS):
            crossbar = self._programmed(seed=self.seed + array)
            crossbar.program(wanted.flip(0))
            crossbar.program(wanted)
            places = crossbar.read(torch.eye(N_IN).view(3, 3, N_IN), repeats=reads)
            given = {
                "reads": self._read_weights(crossbar, reads),
                "reads at positions": places.view(reads, N_IN, N_OUT).mean(0).T,
                "reads of many rows": crossbar.read(x, repeats=reads)
                .view(reads, -1, N_OUT)
                .mean(0),
                "backward reads": self._read_backwards(crossbar, reads),
            }
            for way, (arrays, _) in ways.items():
                arrays.append(given[way])
        held = torch.stack(ways["reads"][0])
        for way, (arrays, asked) in ways.items():
            error = assert_near(
                torch.stack(arrays),
                asked.expand(ARRAYS, *asked.shape),
                way,
                most=self.programming_error,
                false_alarm=self.false_alarm / len(ways),
            )
            if way == "reads":
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

    def test_repeats_under_a_seed(self) -> None:
        """Repeats bitwise under a seed, updates included, whatever the number of threads."""
        if not self.bitwise:
            raise SkipTest("says that it repeats in its statistics alone")
        threads, runs = torch.get_num_threads(), []
        try:
            for number in (threads, 1, 2):
                torch.set_num_threads(number)
                runs.append(self._go_on(self._programmed()))
        finally:
            torch.set_num_threads(threads)
        for run in runs[1:]:
            for (after, one), (_, two) in zip(runs[0], run, strict=True):
                assert torch.equal(one, two), f"another run with the same seed differs ({after})"

    def test_saves_and_restores(self) -> None:
        """Goes on bitwise from a saved state, reads and updates alike."""
        crossbar, x = self._programmed(), self._inputs()
        if not hasattr(crossbar, "state"):
            raise SkipTest(
                "offers no state(), so a run on it cannot be resumed; not checked is that it goes "
                "on from a saved state, all else is"
            )
        crossbar.update(self._outer(x))
        crossbar.read(x)
        saved = crossbar.state()
        state = {name: value.clone() for name, value in saved.items()}
        counted = _pulse_trains(crossbar)
        wanted = self._go_on(crossbar)
        for name, value in saved.items():
            assert torch.equal(value, state[name]), (
                f"the saved {name!r} changed as the crossbar went on; give copies"
            )
        # What repeats bitwise has all of itself in its state; a run is resumed under its own seed.
        other: Any = self.make(N_OUT, N_IN, seed=self.seed + 1 if self.bitwise else self.seed)
        other.program(self._weights().flip(1))
        for attempt in ("does not go on as it did", "does not go back to the same state again"):
            other.restore(saved)
            back = other.state()
            again = _pulse_trains(other)
            assert again == counted, (
                f"counts pulse trains otherwise after a restore: {again} instead of {counted}"
            )
            for (after, one), (_, two) in zip(wanted, self._go_on(other), strict=True):
                assert not self.bitwise or torch.equal(one, two), (
                    f"{attempt} ({after}); put all that it depends on into the state, "
                    "generators too"
                )
            if self.bitwise:
                _assert_same_state(state, back)
        if not self.bitwise:
            self._assert_restores_on_average()

    def _assert_restores_on_average(self) -> None:
        """Compare reads of many arrays before and after, where each array may have lost its own."""
        pairs = []
        for array in range(ARRAYS):
            seed = self.seed + array
            one: Any = self._programmed(seed=seed)
            one.update(self._outer(self._inputs()))
            other: Any = self.make(N_OUT, N_IN, seed=seed)
            other.program(self._weights().flip(1))
            other.restore(one.state())
            pairs.append((self._read_weights(other, 100), self._read_weights(one, 100)))
        restored, saved = (torch.stack(each) for each in zip(*pairs, strict=True))
        assert_near(
            restored,
            saved,
            "reads after a restore",
            most=self.programming_error / 2,
            false_alarm=self.false_alarm,
        )
        self.measured = "compared on average over arrays, reads alone; not bitwise"

    def _go_on(self, crossbar: Crossbar) -> list[tuple[str, Tensor]]:
        """Read and update in turns, and give what is read, (READS, samples, n_out) each."""
        x = self._inputs()

        def read() -> Tensor:
            return crossbar.read(x, repeats=READS).view(READS, len(x), N_OUT)

        reads = [("a read", read()), ("another read", read())]
        for number in range(2):
            crossbar.update(self._outer(x))
            reads.append((f"a read after Outer request {number + 1}", read()))
            crossbar.update(self._dense())
            reads.append((f"a read after Dense request {number + 1}", read()))
        y = torch.ones(READS, N_OUT)
        backwards = crossbar.read_transposed(y).view(READS, 1, N_IN)
        crossbar.program(self._weights())
        return [
            *reads,
            ("a backward read after them", backwards),
            ("a read after programming", read()),
        ]

    def test_batch_independence(self) -> None:
        """Gives a sample the same result and noise, wherever and with whatever it is in a batch."""
        crossbar, x = self._programmed(), self._inputs()
        reads = 5 * READS
        others = 2 * x[1:].flip(0).repeat(8, 1)
        batch = torch.cat([x[:1], others, x[:1]])
        alone = crossbar.read(x[:1], repeats=reads).double()
        together = crossbar.read(batch, repeats=reads).view(reads, len(batch), N_OUT).double()
        alone_again = crossbar.read(x[:1], repeats=reads).double()
        close = 1e-5 * alone.abs().amax()
        for place, sample in (("first", together[:, 0]), ("last", together[:, -1])):
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
            labels = [f"output {n} of a sample {place} in its batch, less alone" for n in range(6)]
            labels.append(f"variance of a sample {place} in its batch, as a part more than alone")
            # torch rounds: what is equal on average is so to the last digits of float32
            exact = slices.abs().amax(0) <= torch.cat([close.expand(N_OUT), torch.zeros(1)])
            slices[:, exact] = 0
            compare(
                slices, torch.zeros(N_OUT + 1).double(), labels, self.false_alarm / 2, power=False
            )

    def test_updates(self) -> None:
        """Changes its weights in the direction and by the amount asked for, over some arrays."""
        x = self._inputs()
        d = torch.linspace(-1, 1, SAMPLES * N_OUT).view(SAMPLES, N_OUT)
        found = []
        for requests in all_requests(x, d, self.amount):
            references = [
                self.make_reference(N_OUT, N_IN, self.seed + ARRAYS + array)
                for array in range(ARRAYS)
            ]
            told = [self._changes(each, requests) for each in references if each is not None]
            ways = (requests.title, f"{requests.title}, read backwards")
            changes = [
                self._changes(self._programmed(seed=self.seed + array), requests)
                for array in range(ARRAYS)
            ]
            for number, title in enumerate(ways):
                changed = torch.stack([change[number] for change in changes])
                if told:
                    error = assert_near(
                        changed,
                        torch.stack([change[number] for change in told]),
                        f"{title}: the changes made",
                        most=self.update_error,
                        false_alarm=self.false_alarm / 8,
                    )
                    measured = f"{requests.title} {error:.0%}"
                else:
                    measured = assert_carried_out(
                        changed,
                        requests.wanted,
                        title,
                        size=self.update_size,
                        cosine=self.update_cosine,
                        false_alarm=self.false_alarm / 8,
                    )
                if number == 0:
                    found.append(measured)
        what = "off from aihwkit's own" if told else "of the one asked for"
        self.measured = f"change made, {what}: {', '.join(found)}"

    def _changes(self, crossbar: Crossbar, requests: Requests) -> tuple[Tensor, Tensor]:
        """Carry requests out from the weights on, and read the change forwards and backwards."""
        crossbar.program(self._weights())
        before = self._read_weights(crossbar, 100), self._read_backwards(crossbar, 100)
        for request in requests.sequence:
            crossbar.update(request)
        after = self._read_weights(crossbar, 100), self._read_backwards(crossbar, 100)
        return after[0] - before[0], after[1] - before[1]

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


def _assert_same_state(saved: Mapping[str, Tensor], back: Mapping[str, Tensor]) -> None:
    names = sorted(saved.keys() | back.keys())
    differing = [
        name
        for name in names
        if name not in saved or name not in back or not torch.equal(saved[name], back[name])
    ]
    assert not differing, f"its state is another after a restore: {differing[0]!r}"


def _spread(a: Tensor) -> Tensor:
    """Squared deviations from the mean over reads, whose mean is the variance."""
    return (a - a.mean(0)).square()


def _pulse_trains(crossbar: Crossbar) -> list[int] | None:
    counted = all_pulse_trains([crossbar])
    return None if counted is None else counted.tolist()
