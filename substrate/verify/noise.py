"""What every noise model must do, one check a method; a pytest class as it stands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from unittest import SkipTest

import torch
from torch import Tensor

from devices.converters import Conversion, Converter
from devices.noise.base import Memory
from substrate.verify.described import assert_described, assert_named, on_meta_device
from substrate.verify.noise_statistics import StatisticsChecks
from substrate.verify.seal import assert_sealed
from substrate.verify.speed import fastest


class NoiseConformance(StatisticsChecks):
    """Derive from it, set `model`, and pytest does the rest.

    `NoiseUnderTest` says what else can be set.
    """

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
