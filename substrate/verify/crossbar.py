"""What every crossbar must do, one check a method; a pytest class as it stands."""

from __future__ import annotations

from dataclasses import replace
from unittest import SkipTest

import torch
from torch import Tensor

from devices.crossbars.base import Crossbar
from devices.interface import Outer
from substrate.randomness import stream
from substrate.verify.crossbar_reads import ReadChecks
from substrate.verify.crossbar_state import StateChecks
from substrate.verify.crossbar_under_test import ARRAYS, MOST_ARRAYS, N_IN, N_OUT, SHAPE, SQUARE
from substrate.verify.described import on_meta_device
from substrate.verify.seal import assert_crossbar_sealed
from substrate.verify.speed import fastest
from substrate.verify.statistics import TooVague, assert_lines_near, assert_near
from substrate.verify.updates import (
    KNOWN,
    LINE_COSINE,
    LINE_KNOWN,
    OF_LINES,
    Requests,
    all_requests,
    by_line,
    carried_out,
    drawn,
)


class CrossbarConformance(StateChecks, ReadChecks):
    """Derive from it and set `model`; for crossbars that are built otherwise, override `make`.

    `CrossbarUnderTest` says what else can be set.
    """

    def test_updates(self) -> None:
        """Changes its weights in the direction and by the amount asked for, over some arrays."""
        compared = self.make_reference(N_OUT, N_IN, self.seed) is not None
        held = self._held_to_reference if compared else self._held_to_request
        found = [held(requests) for requests in self._asked(SHAPE)]
        if not compared:  # aihwkit's compounds take minutes
            outer, *_, dense = self._asked(SQUARE)
            for requests in (outer, dense):
                self._held_to_request(replace(requests, title=f"{requests.title}, 7 × 7"))
        what = "off from aihwkit's own" if compared else "of the one asked for"
        self.measured = f"change made, {what}: {', '.join(found)}"

    def _asked(self, shape: tuple[int, int]) -> tuple[Requests, ...]:
        x, d = drawn(*shape, stream(self.seed, "updates of a check"))
        return all_requests(x, d, self.amount)

    @property
    def _rate(self) -> float:
        """Of six requests, read in two ways, looked at four times at most, whole and by line."""
        return self.false_alarm / 96

    def _held_to_request(self, requests: Requests) -> str:
        """Draw more arrays until sizes are known, whatever they are, or there are enough."""
        made: list[tuple[Tensor, Tensor]] = []
        while True:
            made += [
                self._changes(self._programmed(self.seed + array, requests.shape), requests)
                for array in range(len(made), max(2 * len(made), ARRAYS))
            ]
            whole, lines = [], []
            for title, each in zip(_ways(requests), zip(*made, strict=True), strict=True):
                changes = torch.stack(each)
                whole.append(carried_out(changes, requests.wanted, title, false_alarm=self._rate))
                lines += by_line(changes, requests.wanted, title, false_alarm=self._rate)
            known = all(each.chance <= KNOWN for each in whole)
            if len(made) >= MOST_ARRAYS or (
                known and all(each.chance <= LINE_KNOWN for each in lines)
            ):
                low, high = self.update_size
                for found in whole:
                    found.hold_to(size=(low, high), cosine=self.update_cosine)
                of_lines = (low / OF_LINES, high * OF_LINES)
                for found in lines:
                    found.hold_to(size=of_lines, cosine=min(self.update_cosine, LINE_COSINE))
                return f"{requests.title} {whole[0].size:.2f}"

    def _held_to_reference(self, requests: Requests) -> str:
        """Draw more arrays as long as they are too noisy to tell, whatever else they are."""
        made: list[tuple[Tensor, Tensor]] = []
        told: list[tuple[Tensor, Tensor]] = []
        while True:
            for array in range(len(made), max(2 * len(made), ARRAYS)):
                reference = self.make_reference(N_OUT, N_IN, self.seed + MOST_ARRAYS + array)
                assert reference is not None
                told.append(self._changes(reference, requests))
                made.append(self._changes(self._programmed(seed=self.seed + array), requests))
            try:
                forwards = []
                for title, changes, wanted in zip(
                    _ways(requests), zip(*made, strict=True), zip(*told, strict=True), strict=True
                ):
                    found, reference_found = torch.stack(changes), torch.stack(wanted)
                    title = f"{title}: the changes made"
                    forwards.append(
                        assert_near(
                            found,
                            reference_found,
                            title,
                            most=self.update_error,
                            false_alarm=self._rate,
                        )
                    )
                    assert_lines_near(
                        found, reference_found, title, most=OF_LINES, false_alarm=self._rate
                    )
            except TooVague:
                if len(made) >= MOST_ARRAYS:
                    raise
            else:
                return f"{requests.title} {forwards[0]:.0%}"

    def _changes(self, crossbar: Crossbar, requests: Requests) -> tuple[Tensor, Tensor]:
        """Carry requests out from the weights on, and read the change forwards and backwards."""
        shape = requests.shape

        def both() -> tuple[Tensor, Tensor]:
            return (
                self._read_weights(crossbar, 100, shape),
                self._read_backwards(crossbar, 100, shape),
            )

        crossbar.program(self._weights(shape))
        before = both()
        for request in requests.sequence:
            crossbar.update(request)
        after = both()
        return after[0] - before[0], after[1] - before[1]

    def test_meta_device(self) -> None:
        """Makes every tensor on the device that it is given (torch's meta device)."""
        if not self.runs_on_meta:
            raise SkipTest("not all of it is torch")
        with on_meta_device():
            crossbar = self.make(N_OUT, N_IN, device="meta")
            crossbar.program(self._weights().to("meta"))
            x = self._inputs().to("meta")
            a = crossbar.read(x, repeats=2)
            crossbar.update(Outer(x, torch.ones(len(x), N_OUT, device="meta"), 0.01))
            crossbar.read_transposed(torch.ones(3, N_OUT, device="meta"))
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


def _ways(requests: Requests) -> tuple[str, str]:
    """Titles of the two ways in which a change is read."""
    return requests.title, f"{requests.title}, read backwards"
