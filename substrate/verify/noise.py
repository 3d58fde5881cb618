"""What every noise model must do, one check a method; a pytest class as it stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import ClassVar
from unittest import SkipTest

import torch
from torch import Tensor

from devices.converters import Conversion, Converter
from devices.noise.base import Memory, NoiseModel
from substrate.verify.described import assert_described, assert_named, on_meta_device
from substrate.verify.seal import assert_sealed
from substrate.verify.statistics import compare

SIGNAL = 0.7
"""The constant signal at which mean and spectrum are taken."""

SIGNALS = (SIGNAL, 0.0, -0.4, 2.5)
"""Constant signals at which the variance is taken, one a line, for as many as there are lines."""

CHUNKS = (1, 60, 195)
"""Reads per call while statistics are taken: a model must go on where its last call ended."""

BANDS = 6


class NoiseConformance:
    """Derive from it, set `model`, and pytest does the rest.

    Attributes:
        model: the model under test, with its parameters.
        lines: axes of a signal behind time; two of them for noise that acts on weights alone.
        seed: of all draws.
        false_alarm: chance that a right model fails any one of the three statistical checks.
        replicas: independent repetitions behind every statistic.
        max_cost: most that drawing noise for 1000×1024 may take, in products 1000×1024×1024.
    """

    model: ClassVar[NoiseModel]
    lines: ClassVar[tuple[int, ...]] = (4,)
    seed: ClassVar[int] = 0
    false_alarm: ClassVar[float] = 1e-4
    replicas: ClassVar[int] = 200
    max_cost: ClassVar[float] = 15.0
    measured: str = ""
    _drawn: ClassVar[dict[tuple[object, ...], Tensor]] = {}

    def _memory(self, replica: int = 0, device: str = "cpu") -> Memory:
        return Memory(torch.Generator(device).manual_seed(1000 * self.seed + replica))

    def _signal(self, reads: int) -> Tensor:
        values = torch.linspace(-1, 1, reads * torch.Size(self.lines).numel())
        return values.view(reads, *self.lines)

    def test_describes_itself(self) -> None:
        """Names itself, cites its source, and describes every parameter with its unit."""
        assert_named(type(self.model), "name", "title", "citation")
        assert_described(type(self.model))

    def test_shape_dtype_device(self) -> None:
        """Gives noise in the shape, dtype and device of the signal, all finite."""
        for dtype in (torch.float32, torch.float64):
            memory = self._memory()
            for reads in (1, 3, 64, 65):
                signal = self._signal(reads).to(dtype)
                noise = self.model.sample(signal, memory)
                given = (tuple(noise.shape), noise.dtype, noise.device)
                wanted = (tuple(signal.shape), dtype, signal.device)
                assert given == wanted, f"gave {given} for a signal of {wanted}"
                assert noise.isfinite().all(), f"gave infinite or undefined values ({reads} reads)"

    def test_leaves_signal_and_memory_alone(self) -> None:
        """Leaves the signal as it was, and gives a tensor that it does not keep."""
        signal, memory = self._signal(5), self._memory()
        before = signal.clone()
        noise = self.model.sample(signal, memory)
        assert torch.equal(signal, before), "the signal was changed; make a new tensor"
        kept = {value.untyped_storage().data_ptr() for value in memory.past.values()}
        kept |= {value.untyped_storage().data_ptr() for value in memory.tables.values()}
        mine = noise.untyped_storage().data_ptr()
        assert mine != signal.untyped_storage().data_ptr(), "the noise shares the signal's memory"
        assert mine not in kept, "the noise shares memory with what the model keeps; give a clone"

    def test_fresh_at_every_pass(self) -> None:
        """Draws afresh at every pass."""
        signal, memory = self._signal(64), self._memory()
        passes = [self.model.sample(signal, memory) for _ in range(3)]
        if not any(noise.any() for noise in passes):
            raise SkipTest("with these parameters there is no noise")
        assert not torch.equal(passes[0], passes[1]), "two passes of the same signal are the same"
        assert not torch.equal(passes[1], passes[2]), "two passes of the same signal are the same"

    def test_repeats_under_a_seed(self) -> None:
        """Repeats bitwise under a seed, whatever the number of threads."""
        signal = self._signal(200)
        threads = torch.get_num_threads()
        try:
            runs = []
            for number in (threads, 1, 2):
                torch.set_num_threads(number)
                memory = self._memory()
                runs.append([self.model.sample(signal, memory) for _ in range(2)])
        finally:
            torch.set_num_threads(threads)
        for run in runs[1:]:
            for first, again in zip(runs[0], run, strict=True):
                assert torch.equal(first, again), (
                    "another run with the same seed differs; draw from memory.generator alone"
                )

    def test_saves_and_restores(self) -> None:
        """Goes on bitwise from a saved state."""
        signal, memory = self._signal(70), self._memory()
        self.model.sample(signal, memory)
        state = memory.state()
        after = [self.model.sample(signal, memory) for _ in range(2)]
        other = self._memory(replica=1)
        other.restore(state)
        for wanted in after:
            assert torch.equal(self.model.sample(signal, other), wanted), (
                "does not go on as it did; keep all of the past in memory.past"
            )

    def test_batch_independence(self) -> None:
        """Gives a read the same noise, whatever the other reads' signals are."""
        signal = self._signal(9)
        alone = self.model.sample(signal, self._memory())
        for read in (0, len(signal) // 2, -1):
            others = 3 * signal.flip(0) + 1
            others[read] = signal[read]
            again = self.model.sample(others, self._memory())
            assert torch.equal(alone[read], again[read]), (
                "the noise of a read depends on the signals of others"
            )

    def _replicas(self, signals: tuple[float, ...] = (SIGNAL,)) -> Tensor:
        """Draw (replicas, reads, lines) at constant signals by line, less the stated mean."""
        # The class itself is part of the key: another may have the same name and parameters.
        model, parameters = self.model, repr(self.model.model_dump())
        of = (type(model), parameters, signals, self.lines, self.seed, self.replicas)
        if of in self._drawn:
            return self._drawn[of]
        tables: dict[str, Tensor] = {}
        number = torch.Size(self.lines).numel()
        level = torch.tensor(signals).repeat(number)[:number].view(self.lines)
        drawn = []
        for replica in range(self.replicas):
            memory = self._memory(replica)
            memory.tables = tables
            parts = [
                model.sample(level.expand(reads, *self.lines).clone(), memory) for reads in CHUNKS
            ]
            drawn.append(torch.cat(parts).flatten(1).double())
        self._drawn[of] = torch.stack(drawn) - model.mean()
        return self._drawn[of]

    def test_mean(self) -> None:
        """Has the stated mean."""
        means = self._replicas().mean((1, 2))[:, None] + self.model.mean()
        stated = torch.tensor([self.model.mean()], dtype=torch.float64)
        compare(means, stated, ["mean"], self.false_alarm, power=False)

    def test_variance(self) -> None:
        """Has the stated variance, whatever the signal."""
        signals = torch.tensor(SIGNALS, dtype=torch.float64)
        stated = self.model.variance(signals.clone())
        if stated is None:
            raise SkipTest("the model states no variance")
        squares, told = [], []
        drawn = self._replicas(SIGNALS).square().mean(1)
        for line, (signal, variance) in enumerate(zip(SIGNALS, stated.tolist(), strict=True)):
            label = f"variance at a signal of {signal:g}"
            assert variance >= 0, f"states the negative {label}, {variance:.4g}"
            if line >= drawn.shape[1]:
                break
            square = drawn[:, line :: len(SIGNALS)].mean(1)
            if variance == 0:
                assert not square.any(), f"states no {label}, and has {square.mean():.4g}"
                continue
            squares.append(square)
            told.append((variance, label))
        if told:
            compare(
                torch.stack(squares, dim=1),
                torch.tensor([variance for variance, _ in told], dtype=torch.float64),
                [label for _, label in told],
                self.false_alarm,
                power=True,
            )

    def test_spectrum(self) -> None:
        """Has the spectrum that follows from the stated autocovariance."""
        reads = sum(CHUNKS)
        lags = torch.arange(reads)
        stated = self.model.autocovariance(lags, SIGNAL)
        if stated is None:
            raise SkipTest("the model states no autocovariance")
        if not stated.any():
            raise SkipTest("with these parameters there is no noise")
        seen = torch.fft.rfft(self._replicas(), dim=1).abs().square().mean(2) / reads
        # What a periodogram of so many reads shows on average: covariances, tapered by its length.
        tapered = stated.double() * (1 - lags / reads)
        expected = 2 * torch.fft.rfft(tapered).real - tapered[0]
        edges = torch.logspace(0, 1, BANDS + 1, base=reads / 2).round().long().unique()
        edges[-1] = len(expected)
        bands = [(0, 1), *zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]
        compare(
            torch.stack([seen[:, low:high].mean(1) for low, high in bands], dim=1),
            torch.stack([expected[low:high].mean() for low, high in bands]),
            [
                f"power at {low / reads:.3f} to {high / reads:.3f} cycles a read"
                for low, high in bands
            ],
            self.false_alarm,
            power=True,
        )

    def test_adds_what_it_samples(self) -> None:
        """Adds to a signal, and converts, what it would sample: these two are what runs use."""
        conversions = {
            "exact": Conversion(Converter(), 1.0),
            "fixed range": Conversion(Converter(bits=8, range=2.0), 2.0),
            "following range": Conversion(Converter(bits=8), 1.5),
        }
        ways: dict[str, Callable[[Tensor, Memory], Tensor]] = {
            "add_to": self.model.add_to,
            "add_to(overwrite=True)": partial(self.model.add_to, overwrite=True),
        }
        for title, conversion in conversions.items():
            ways[f"add_and_convert ({title})"] = partial(
                self.model.add_and_convert, convert=conversion
            )
        for dtype in (torch.float32, torch.float64):
            for way, act in ways.items():
                # Two threads' worth of numbers, and two calls, of which the second remembers.
                plain, used = self._memory(), self._memory()
                for reads in (3, 70):
                    signal = self._signal(reads).to(dtype)
                    given, kept = signal.clone(), signal.clone()
                    wanted = signal + self.model.sample(signal.clone(), plain)
                    step = 1e-5 * (1 + wanted.abs())
                    for title, conversion in conversions.items():
                        if f"({title})" in way:
                            wanted = conversion(wanted.clone())
                            # what lies between two levels may be rounded either way
                            rounds = conversion.converter.bits != "exact"
                            step = step + (conversion.full_scale / 127 if rounds else 0)
                    found = act(given, used)
                    told = (tuple(found.shape), found.dtype)
                    assert told == (tuple(signal.shape), dtype), f"{way} gave {told}"
                    off = (found - wanted).abs()
                    assert (off <= step).all(), (
                        f"{way} gives something else than the signal and what `sample` draws: "
                        f"off by {float(off.max()):.3g}"
                    )
                    rounded = (off > 1e-4 * (1 + wanted.abs())).double().mean()
                    assert rounded <= 0.02, f"{way} rounds {float(rounded):.0%} of values otherwise"
                    if way == "add_to":
                        assert torch.equal(given, kept), (
                            "add_to changed the signal, which only overwrite=True allows"
                        )
                    assert torch.equal(plain.generator.get_state(), used.generator.get_state()), (
                        f"{way} leaves the generator elsewhere than `sample`"
                    )

    def test_meta_device(self) -> None:
        """Makes every tensor where the signal is (torch's meta device)."""
        memory = self._memory()
        for reads in (3, 70):
            with on_meta_device():
                noise = self.model.sample(self._signal(reads).to("meta"), memory)
            assert noise.device.type == "meta", f"gives noise on {noise.device}"

    def test_cuda_device(self) -> None:
        """Runs on a CUDA device."""
        if not torch.cuda.is_available():
            raise SkipTest("torch finds no CUDA device here")
        memory = self._memory(device="cuda")
        noise = self.model.sample(self._signal(70).cuda(), memory)
        assert noise.is_cuda, f"gives noise on {noise.device}"

    def test_sealed(self) -> None:
        """Does not leak through the seal of a chip."""
        if len(self.lines) > 1:
            raise SkipTest("noise of weights is inside a crossbar, and tested with it")
        assert_sealed(self.model, self.seed)

    def test_speed(self) -> None:
        """Costs no more than the matrix product it goes with, many times over."""
        shape = (1000, 1024) if len(self.lines) == 1 else (1, 1024, 1024)
        signal, weights = torch.rand(1000, 1024), torch.rand(1024, 1024)
        onto, memory = torch.rand(shape), self._memory()
        self.model.sample(onto, memory)
        noise, product = fastest(lambda: self.model.sample(onto, memory), lambda: signal @ weights)
        ratio = noise / product
        self.measured = f"{noise * 1e3:.1f} ms, {ratio:.2f} of the product 1000×1024×1024"
        assert ratio <= self.max_cost, f"{self.measured}; at most {self.max_cost:g} is allowed"


def fastest(*tasks: Callable[[], object], repeats: int = 5) -> tuple[float, ...]:
    """Shortest time of every task in seconds, taken in turns."""
    times = [[0.0] * repeats for _ in tasks]
    for repeat in range(repeats):
        for number, task in enumerate(tasks):
            begun = time.perf_counter()
            task()
            times[number][repeat] = time.perf_counter() - begun
    return tuple(min(each) for each in times)
