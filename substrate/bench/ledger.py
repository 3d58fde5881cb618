"""How much of a learning step on native crossbars goes into the ledger.

The same step is made with counting and without, in turn, and its processor time is taken: the ratio
of every pair is free of what else the machine does. Of the ratios the median is told, and its
interval from their order alone (the sign test turned round), whatever their distribution.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from scipy import stats

from devices.chip_ledger import ChipLedger
from devices.crossbars.native.in_place import InPlace
from devices.crossbars.native.pulse_count import PulseCount
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


_LEAST_PAIRS = 8


class Overhead(NamedTuple):
    """What counting adds to a step.

    Attributes:
        layers: of the network.
        batch: samples.
        pairs: of steps that were timed.
        seconds: of the best step with counting.
        added: median over pairs of steps, a fraction.
        low: lower end of the median's 95 % interval.
        high: upper end.
    """

    layers: str
    batch: int
    pairs: int
    seconds: float
    added: float
    low: float
    high: float


def bench_ledger(seconds: float) -> list[Overhead]:
    """Time pairs of steps of every size, for about so much processor time each."""
    return [_overhead(sizes, batch, seconds) for sizes, batch in SIZES.items()]


def _overhead(sizes: tuple[int, ...], batch: int, seconds: float) -> Overhead:
    step = make_step(sizes, *random_batch(sizes, batch), _LEARNING, _CHIP)
    step()  # compiles, and finds the perturbations' places
    added: list[float] = []
    best = float("inf")
    until = time.process_time() + seconds
    while len(added) < _LEAST_PAIRS or time.process_time() < until:
        counted, uncounted = _pair(step, counted_first=len(added) % 2 == 0)
        added.append(counted / uncounted - 1)
        best = min(best, counted)
    low, high = stats.quantile_test(added, q=0, p=0.5).confidence_interval(0.95)
    layers = "-".join(map(str, sizes))
    return Overhead(layers, batch, len(added), best, median(added), float(low), float(high))


def show_ledger(overheads: list[Overhead], as_json: bool) -> None:
    """Print them, as text or as JSON."""
    if as_json:
        tell(json.dumps([each._asdict() for each in overheads], indent=2))
        return
    console = Console()
    for each in overheads:
        console.print(
            f"{each.layers}, batch {each.batch}: counting adds {each.added:+.1%} to a step of "
            f"{each.seconds * 1e3:.3g} ms of processor time (95 % interval {each.low:+.1%} to "
            f"{each.high:+.1%}, {each.pairs} pairs)"
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
    started = time.process_time()
    step()
    return time.process_time() - started


@contextmanager
def _uncounted() -> Iterator[None]:
    """Leave everything out that writes into the ledger during a step."""
    with (
        patch.object(InPlace, "_receivers", _no_receivers),
        patch.object(PulseCount, "add", _nothing),
        patch.object(ChipLedger, "passes", _nothing),
        patch.object(ChipLedger, "update", _nothing),
    ):
        yield


def _nothing(*_: object) -> None:
    pass


def _no_receivers(*_: object) -> tuple[object, object]:
    return np.zeros((0, 0), np.float32), np.zeros(3, np.int64)
