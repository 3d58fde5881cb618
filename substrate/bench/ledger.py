"""How much of a learning step on native crossbars goes into the ledger.

The same step is made with counting and without, in turn; the ratio of every pair is free of what
else the machine does for longer than a step, and the median of the ratios of the rest.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import NamedTuple
from unittest.mock import patch

from devices.chip_ledger import ChipLedger
from devices.crossbars.native.crossbar import NativeCrossbar
from substrate.bench.workload import make_step, random_batch
from substrate.terminal import Console, tell

SIZES = {(64, 128, 128, 10): 50, (1024, 1024, 1024, 10): 1000}
"""Layers, and the batch."""
_LEARNING = {
    "rule": "danp",
    "perturbation": {"source": "intrinsic", "baseline": "noisy"},
    "decorrelation": {"rate": 0.001},
    "optimiser": {"name": "sgd", "learning_rate": 0.1, "write": "pulses"},
}
_CHIP = {"crossbar": "native"}


class Overhead(NamedTuple):
    """What counting adds to a step.

    Attributes:
        layers: of the network.
        batch: samples.
        seconds: of the best step with counting.
        added: median over pairs of steps, a fraction.
        low: lower quartile.
        high: upper quartile.
    """

    layers: str
    batch: int
    seconds: float
    added: float
    low: float
    high: float


def bench_ledger(pairs: int) -> list[Overhead]:
    """Time so many pairs of steps of every size."""
    found = []
    for sizes, batch in SIZES.items():
        x, y = random_batch(sizes, batch)
        step = make_step(sizes, x, y, _LEARNING, _CHIP)
        step()  # compiles, and finds the perturbations' places
        ratios, best = [], float("inf")
        for number in range(pairs):
            counted, uncounted = _pair(step, counted_first=number % 2 == 0)
            ratios.append(counted / uncounted - 1)
            best = min(best, counted)
        low, _, high = quantiles(ratios, n=4)
        layers = "-".join(map(str, sizes))
        found.append(Overhead(layers, batch, best, median(ratios), low, high))
    return found


def show_ledger(overheads: list[Overhead], as_json: bool) -> None:
    """Print them, as text or as JSON."""
    if as_json:
        tell(json.dumps([each._asdict() for each in overheads], indent=2))
        return
    console = Console()
    for each in overheads:
        console.print(
            f"{each.layers}, batch {each.batch}: counting adds {each.added:+.1%} to a step of "
            f"{each.seconds * 1e3:.3g} ms (quartiles {each.low:+.1%} to {each.high:+.1%})"
        )


def _pair(step: Callable[[], object], *, counted_first: bool) -> tuple[float, float]:
    if counted_first:
        return _seconds(step), _without(step)
    uncounted = _without(step)
    return _seconds(step), uncounted


def _without(step: Callable[[], object]) -> float:
    with _uncounted():
        return _seconds(step)


def _seconds(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


@contextmanager
def _uncounted() -> Iterator[None]:
    """Leave everything out that writes into the ledger during a step."""
    with (
        patch.object(NativeCrossbar, "_count", _nothing),
        patch.object(ChipLedger, "passes", _nothing),
        patch.object(ChipLedger, "update", _nothing),
    ):
        yield


def _nothing(*_: object) -> None:
    pass
