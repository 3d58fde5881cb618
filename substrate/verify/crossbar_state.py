"""What a crossbar must do so that runs on it repeat, and go on where they were stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unittest import SkipTest

import torch
from torch import Tensor

from devices.crossbars.base import Crossbar, all_pulse_trains
from substrate.verify.crossbar_under_test import (
    ARRAYS,
    MOST_ARRAYS,
    N_IN,
    N_OUT,
    READS,
    CrossbarUnderTest,
)
from substrate.verify.statistics import TooVague, assert_near


class StateChecks(CrossbarUnderTest):
    """Checks of seeds and of saved states."""

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
            _assert_same_state(state, back, self.redrawn)
        if not self.bitwise:
            self._assert_restores_on_average()

    def _assert_restores_on_average(self) -> None:
        """Compare reads of many arrays before and after, where each array may have lost its own."""
        pairs: list[tuple[Tensor, Tensor]] = []
        while True:
            more = range(len(pairs), max(2 * len(pairs), ARRAYS))
            pairs += [self._reads_around_a_restore(self.seed + array) for array in more]
            restored, saved = (torch.stack(each) for each in zip(*pairs, strict=True))
            try:
                assert_near(
                    restored,
                    saved,
                    "reads after a restore",
                    most=self.programming_error / 2,
                    false_alarm=self.false_alarm,
                )
            except TooVague:
                if len(pairs) >= MOST_ARRAYS:
                    raise
            else:
                break
        self.measured = "compared on average over arrays, reads alone; not bitwise"

    def _reads_around_a_restore(self, seed: int) -> tuple[Tensor, Tensor]:
        """Give the weights as an array reads them that went back to a state, and as it did then."""
        one: Any = self._programmed(seed=seed)
        one.update(self._outer(self._inputs()))
        other: Any = self.make(N_OUT, N_IN, seed=seed)
        other.program(self._weights().flip(1))
        other.restore(one.state())
        return self._read_weights(other, 100), self._read_weights(one, 100)

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


def _assert_same_state(
    saved: Mapping[str, Tensor], back: Mapping[str, Tensor], redrawn: frozenset[str]
) -> None:
    names = sorted((saved.keys() | back.keys()) - redrawn)
    differing = [
        name
        for name in names
        if name not in saved or name not in back or not torch.equal(saved[name], back[name])
    ]
    assert not differing, f"its state is another after a restore: {differing[0]!r}"


def _pulse_trains(crossbar: Crossbar) -> list[int] | None:
    counted = all_pulse_trains([crossbar])
    return None if counted is None else counted.tolist()
