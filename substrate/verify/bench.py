"""What a lab's bench must do, one check a method; a pytest class as it stands.

A bench is one chip and takes its time, so everything is measured on the smallest array, from few
reads, and held to loose bounds: the kit finds a driver that mixes up lines, signs or scales, and
says in figures what it saw of the device. Means over R reads are compared within bounds plus the
part that read noise leaves, σ / √R.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar
from unittest import SkipTest

import torch
from pydantic import ValidationError
from torch import Tensor

from devices.bench import ArraySize, Bench, ReadsTransposed, SavesArrays
from devices.crossbars.bench import BenchCrossbar, crossbar_on
from devices.crossbars.open_bench import OpenBench
from devices.interface import Dense, Outer
from substrate.randomness import stream
from substrate.verify.described import assert_described
from substrate.verify.updates import drawn

_MOST = 12
"""Rows and columns that are looked at, so that reads stay few."""


_TELLING = 0.5
"""Beyond an error of this, as a fraction of what was asked, a right driver and a wrong one look
alike."""
_SMALL = 40
"""Requests, each for an eighth of a step."""


class BenchConformance:
    """Derive from it, and set `model` and `settings`.

    Attributes:
        model: the class under test.
        settings: for its `Settings`; those left out have their defaults.
        seed: of inputs and weights.
        reads: averaged wherever something is compared.
        programming_error: most that weights may be off, as a fraction of what was asked; root mean
            square over cells.
        product_error: most that columns driven together may be off from the sum of their cells
            driven one by one, as a fraction of it.
        update_size: least and largest change made, as a fraction of the one asked for.
        update_cosine: least cosine between the two.
    """

    model: ClassVar[type[Bench]]
    settings: ClassVar[Mapping[str, Any]] = {}
    seed: ClassVar[int] = 0
    reads: ClassVar[int] = 25
    programming_error: ClassVar[float] = 0.25
    product_error: ClassVar[float] = 0.1
    update_size: ClassVar[tuple[float, float]] = (0.5, 2.0)
    update_cosine: ClassVar[float] = 0.7
    measured: str = ""

    def test_describes_itself(self) -> None:
        """Names itself, its arrays and its ranges, and describes every setting, unconnected."""
        made = self._make()
        assert made.title, "`title` is empty"
        assert made.arrays, "`arrays` names none"
        for number, size in enumerate(made.arrays):
            assert isinstance(size, ArraySize), f"array {number} is no ArraySize"
            assert min(size) >= 1, f"array {number} has {size.rows} rows, {size.columns} columns"
        for name in ("largest_input", "largest_weight"):
            assert getattr(made, name) > 0, f"`{name}` is not above 0"
        assert_described(self.model.Settings)
        for name in made.connection:
            assert name in self.model.Settings.model_fields, f"`connection` names no setting {name}"
        self.measured = ", ".join(f"{size.rows} × {size.columns}" for size in made.arrays)

    def test_opens_again(self) -> None:
        """Opens, closes, and opens again."""
        for _ in range(2):
            with self._crossbar() as crossbar:
                crossbar.read(torch.zeros(1, self._size[1]))

    def test_shapes(self) -> None:
        """Gives finite numbers in the right shapes, and leaves alone what it is given."""
        n_out, n_in = self._size
        with self._crossbar() as crossbar:
            weights, x, change = self._weights(), self._inputs(), self._weights() / 20
            kept = [each.clone() for each in (weights, x, change)]
            crossbar.program(weights)
            for wanted, given in {
                (len(x), n_out): crossbar.read(x),
                (3 * len(x), n_out): crossbar.read(x, repeats=3),
                (2, 2, n_out): crossbar.read(x[:4].view(2, 2, n_in)),
            }.items():
                assert tuple(given.shape) == wanted, f"gave {tuple(given.shape)}, not {wanted}"
            crossbar.update(Dense(change))
            for before, after in zip(kept, (weights, x, change), strict=True):
                assert torch.equal(before, after), "changed what it was given"

    def test_programming(self) -> None:
        """Holds the weights that it is given last."""
        wanted = self._weights()
        with self._crossbar() as crossbar:
            crossbar.program(wanted.flip(0))
            crossbar.program(wanted)
            held, noise = self._held(crossbar)
        error = _relative(held - wanted, wanted)
        allowed = self.programming_error + noise / _rms(wanted)
        self.measured = f"cells are off by {error:.1%} of the weights (root mean square)"
        self._hold(error, allowed)

    def test_product(self) -> None:
        """Multiplies: columns driven together give the sum of their cells."""
        x = self._inputs()
        with self._crossbar() as crossbar:
            crossbar.program(self._weights())
            held, noise_held = self._held(crossbar)
            together = crossbar.read(x, repeats=self.reads).view(self.reads, len(x), -1)
        wanted = x @ held.T
        error = _relative(together.mean(0) - wanted, wanted)
        noise = float(together.std(0).mean()) / self.reads**0.5
        left = noise + noise_held * float(x.norm(dim=1).mean())
        allowed = self.product_error + left / _rms(wanted)
        self.measured = f"off by {error:.1%} of the product (root mean square)"
        self._hold(error, allowed)

    def test_noise(self) -> None:
        """Draws afresh at every read; from a device without noise nothing can be learnt by DANP."""
        x = self._inputs()[:1]
        with self._crossbar() as crossbar:
            crossbar.program(self._weights())
            given = crossbar.read(x, repeats=self.reads)
        spread, signal = float(given.std(0).mean()), float(given.mean(0).std())
        if spread == 0:
            raise SkipTest("reads are all the same: rules that learn from noise need it injected")
        self.measured = f"{spread:.3g}, {spread / max(signal, 1e-30):.1%} of the signal"

    def test_large_inputs(self) -> None:
        """Is driven within its range, whatever comes."""
        x = self._inputs()
        factor = 10 * self._make().largest_input
        with self._crossbar() as crossbar:
            crossbar.program(self._weights())
            small = crossbar.read(x, repeats=self.reads).view(self.reads, len(x), -1)
            large = crossbar.read(factor * x, repeats=self.reads).view(self.reads, len(x), -1)
        noise = float(small.std(0).mean() + large.std(0).mean() / factor) / self.reads**0.5
        off = _relative(large.mean(0) / factor - small.mean(0), small.mean(0))
        allowed = self.product_error + 2 * noise / _rms(small.mean(0))
        assert off <= allowed, f"inputs {factor:g} times as large give {off:.0%} else"

    def test_updates(self) -> None:
        """Changes its weights in the direction and by the amount asked for."""
        x, d = drawn(*self._size, stream(self.seed, "updates of a check"))
        x = x * self._make().largest_input
        rate = 0.2 * self._make().largest_weight / float((d.T @ x).abs().max())
        wanted, found = -rate * d.T @ x, []
        for title, request in (
            ("Outer", Outer(x, d, rate)),
            ("Dense", Dense(-rate * d.T @ x)),
        ):
            with self._crossbar() as crossbar:
                crossbar.program(0.5 * self._weights())
                before, noise = self._held(crossbar)
                crossbar.update(request)
                made = self._held(crossbar)[0] - before
            norm = float(wanted.square().sum())
            size = float((made * wanted).sum()) / norm
            # what noise adds to the norm is taken off
            power = max(float(made.square().sum()) - 2 * made.numel() * noise**2, 1e-30)
            cosine = min(1.0, size * norm**0.5 / power**0.5)
            low, high = self.update_size
            found.append(f"{title} {size:.2f} (cosine {cosine:.2f})")
            assert low <= size <= high, (
                f"{title}: the change made is {size:.2f} of the one asked for, which must lie "
                f"between {low:g} and {high:g}"
            )
            assert cosine >= self.update_cosine, (
                f"{title}: the change made has cosine {cosine:.2f} with the one asked for, and at "
                f"least {self.update_cosine:g} is wanted"
            )
        self.measured = f"change made, of the one asked for: {', '.join(found)}"

    def test_small_updates(self) -> None:
        """Carries out changes that are smaller than a step of its devices, on average."""
        n_out, n_in = self._size
        made = self._make()
        part = (made.step or made.largest_weight / 50) / 8
        wanted = part * _SMALL * torch.ones(n_out, n_in)
        with self._crossbar() as crossbar:
            crossbar.program(torch.zeros(n_out, n_in))
            before, noise = self._held(crossbar)
            for _ in range(_SMALL):
                crossbar.update(Dense(torch.full((n_out, n_in), part)))
            found = float((self._held(crossbar)[0] - before).mean() / wanted.mean())
        low, high = self.update_size
        slack = 6 * noise / (n_out * n_in) ** 0.5 / float(wanted.mean())
        self.measured = f"{found:.2f} of {_SMALL} changes of an eighth of a step"
        assert low - slack <= found <= high + slack, (
            f"of {_SMALL} changes of an eighth of a step {found:.2f} was made; round to whole "
            "pulses by chance, or small learning rates teach nothing"
        )

    def test_arrays_apart(self) -> None:
        """Writes one array and leaves the others alone."""
        sizes = self._make().arrays
        if len(sizes) < 2:
            raise SkipTest("has one array")
        with self._open() as opened:
            shapes = [(min(size.columns, _MOST), min(size.rows, _MOST)) for size in sizes[:2]]
            one, other = (crossbar_on(opened, *shape, _CPU) for shape in shapes)
            other.program(torch.full(shapes[1], 0.5 * opened.bench.largest_weight))
            before, noise = self._held(other)
            one.program(torch.full(shapes[0], -0.5 * opened.bench.largest_weight))
            moved = _rms(self._held(other)[0] - before)
        allowed = 0.05 * self._make().largest_weight + 2 * noise
        assert moved <= allowed, f"writing one array moved another by {moved:.3g}"

    def test_transposed(self) -> None:
        """Reads backwards what it holds, where it can."""
        if not issubclass(self.model, ReadsTransposed):
            raise SkipTest("has no read_transposed: rules that go back through weights need it")
        n_out, _ = self._size
        with self._crossbar() as crossbar:
            crossbar.program(self._weights())
            held, noise = self._held(crossbar)
            y = torch.eye(n_out).repeat(self.reads, 1)
            back = crossbar.read_transposed(y).view(self.reads, n_out, -1)
        error = _relative(back.mean(0) - held, held)
        left = noise + float(back.std(0).mean()) / self.reads**0.5
        allowed = self.product_error + left / _rms(held)
        self.measured = f"off by {error:.1%} from forward reads"
        self._hold(error, allowed)

    def test_metrics(self) -> None:
        """Reports finite numbers by name, if anything."""
        with self._open() as opened:
            told = opened.metrics()
        if not told:
            raise SkipTest("reports nothing beside its reads")
        self.measured = ", ".join(f"{name} {value:.4g}" for name, value in told.items())

    def test_saves_and_restores(self) -> None:
        """Goes back to a saved state, where it can be saved."""
        if not issubclass(self.model, SavesArrays):
            raise SkipTest(
                "offers no state() and restore(), as real chips do not: a training that is stopped "
                "half-way begins anew"
            )
        with self._crossbar() as crossbar:
            crossbar.program(self._weights())
            held, noise = self._held(crossbar)
            saved: dict[str, Tensor] = crossbar.state()  # type: ignore[attr-defined]
            crossbar.program(-self._weights())
            crossbar.restore(saved)  # type: ignore[attr-defined]
            back, _ = self._held(crossbar)
        error = _relative(back - held, held)
        allowed = self.programming_error + 2 * noise / _rms(held)
        assert error <= allowed, f"off by {error:.0%} after a restore; {allowed:.0%} is allowed"

    def test_refuses_settings(self) -> None:
        """Refuses settings that it does not know."""
        try:
            self.model.Settings.model_validate({**self.settings, "no_such_setting": 1})
        except ValidationError:
            return
        raise AssertionError('takes unknown settings; derive from BaseModel with extra="forbid"')

    def test_speed(self) -> None:
        """Says how long reads and updates take; a slow bench is no fault."""
        x = self._inputs().repeat(10, 1)
        with self._crossbar() as crossbar:
            crossbar.program(self._weights())
            start = time.perf_counter()
            crossbar.read(x)
            read = (time.perf_counter() - start) / len(x)
            start = time.perf_counter()
            crossbar.update(Dense(self._weights() / 100))
            update = time.perf_counter() - start
        self.measured = f"{read * 1e3:.3g} ms a drive, {update * 1e3:.3g} ms an update"

    def _make(self) -> Bench:
        return self.model(self.model.Settings.model_validate(self.settings))

    @property
    def _size(self) -> tuple[int, int]:
        size = min(self._make().arrays, key=lambda each: each.rows * each.columns)
        return min(size.columns, _MOST), min(size.rows, _MOST)

    @contextmanager
    def _open(self) -> Iterator[OpenBench]:
        opened = OpenBench(self._make())
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def _crossbar(self) -> Iterator[BenchCrossbar]:
        with self._open() as opened:
            yield crossbar_on(opened, *self._size, _CPU)

    def _hold(self, error: float, allowed: float) -> None:
        assert error <= allowed, f"{self.measured}; {allowed:.1%} is allowed"
        assert allowed <= _TELLING, (
            f"{self.measured}, and read noise leaves {allowed:.0%} open, which tells too little; "
            f"average more than {self.reads} reads (`reads` of the test)"
        )

    def _weights(self) -> Tensor:
        n_out, n_in = self._size
        bound = 0.5 * self._make().largest_weight
        span = torch.linspace(-bound, bound, n_out * n_in)
        order = torch.randperm(len(span), generator=stream(self.seed, "weights of a check"))
        return span[order].view(n_out, n_in)

    def _inputs(self) -> Tensor:
        numbers = torch.rand(8, self._size[1], generator=stream(self.seed, "inputs of a check"))
        return (numbers * 2 - 1) * self._make().largest_input

    def _held(self, crossbar: BenchCrossbar) -> tuple[Tensor, float]:
        """Read cell by cell; gives the weights, (n_out, n_in), and what noise leaves on each."""
        drive = self._make().largest_input
        lines = drive * torch.eye(crossbar.shape[1])
        given = crossbar.read(lines, repeats=self.reads).view(self.reads, crossbar.shape[1], -1)
        noise = float(given.std(0).square().mean().sqrt()) / drive / self.reads**0.5
        return given.mean(0).T / drive, noise


_CPU = torch.device("cpu")


def _rms(values: Tensor) -> float:
    return max(float(values.double().square().mean().sqrt()), 1e-30)


def _relative(off: Tensor, wanted: Tensor) -> float:
    return _rms(off) / _rms(wanted)
