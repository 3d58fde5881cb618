"""How long a learning step takes, next to the time that its matrix products alone must take.

    floor = operations that the rule cannot do without / rate of a large matrix product

The rate is measured in the same rounds as the steps, since other work on the machine slows both.
A straightforward public implementation of DANP takes 1.11 s a step where a large product runs at
190 GFLOP/s; `seconds_at_190_gflops` puts a step on that scale.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from substrate.bench.floor import step_operations
from substrate.bench.memory import PeakMemory, measure_peaks
from substrate.bench.workload import PAPER_BATCH, PAPER_SIZES, make_step, random_batch
from substrate.scenario.schema import is_decorrelated
from substrate.scenario.schema.learning import base_rule

_LARGE = 4096
_STRAIGHTFORWARD_SECONDS = 1.11
_STRAIGHTFORWARD_RATE = 190e9


class Variant(NamedTuple):
    """A rule as it is measured; the fraction is that of the batch that R's update takes."""

    rule: str
    sample_fraction: float = 1.0

    @property
    def title(self) -> str:
        """The rule in capitals, with the fraction where it is not all."""
        part = f", {self.sample_fraction:g} of the batch" if self.sample_fraction < 1 else ""
        return self.rule.upper() + part


VARIANTS = (
    Variant("danp"),
    Variant("danp", 0.1),
    Variant("dinp"),
    Variant("dnp"),
    Variant("bp"),
)


class StepTime(NamedTuple):
    """One variant's best step.

    Attributes:
        variant: its title.
        seconds: of the best step.
        floor_seconds: operations over the rate of a large product.
        times_floor: their ratio.
        seconds_at_190_gflops: seconds, scaled to a machine whose product runs at 190 GFLOP/s.
    """

    variant: str
    seconds: float
    floor_seconds: float
    times_floor: float
    seconds_at_190_gflops: float


class StepBench(NamedTuple):
    """The result of `substrate bench step`.

    Attributes:
        product_gflops: rate of a float32 product of 4096×4096 matrices, 10⁹ operations a second.
        steps: of every variant.
        times_straightforward: how many times as fast as the straightforward DANP step.
        memory: peaks of training, next to BP through autograd.
    """

    product_gflops: float
    threads: int
    steps: tuple[StepTime, ...]
    times_straightforward: float
    memory: tuple[PeakMemory, ...]


def bench_step(repeats: int) -> StepBench:
    """Measure all variants in turn, `repeats` times, and take each one's best."""
    x, y = random_batch(PAPER_SIZES, PAPER_BATCH)
    steps = [
        make_step(PAPER_SIZES, x, y, variant.rule, sample_fraction=variant.sample_fraction)
        for variant in VARIANTS
    ]
    a, b = torch.randn(_LARGE, _LARGE), torch.randn(_LARGE, _LARGE)
    out = torch.empty(_LARGE, _LARGE)
    product_seconds, *step_seconds = best_seconds(
        [lambda: torch.mm(a, b, out=out), *steps], repeats
    )
    rate = 2 * _LARGE**3 / product_seconds
    times = [
        _step_time(variant, seconds, rate)
        for variant, seconds in zip(VARIANTS, step_seconds, strict=True)
    ]
    return StepBench(
        rate / 1e9,
        torch.get_num_threads(),
        tuple(times),
        _STRAIGHTFORWARD_SECONDS / times[0].seconds_at_190_gflops,
        measure_peaks(PAPER_SIZES, PAPER_BATCH),
    )


def best_seconds(candidates: list[Callable[[], object]], repeats: int) -> list[float]:
    """Time candidates in turn, after one round to warm up; the best of each."""
    best = [float("inf")] * len(candidates)
    for round_ in range(repeats + 1):
        for index, candidate in enumerate(candidates):
            started = time.perf_counter()
            candidate()
            if round_ > 0:
                best[index] = min(best[index], time.perf_counter() - started)
    return best


def _step_time(variant: Variant, seconds: float, rate: float) -> StepTime:
    operations = step_operations(
        PAPER_SIZES,
        PAPER_BATCH,
        base_rule(variant.rule),
        decorrelated=is_decorrelated(variant.rule),
        sample_fraction=variant.sample_fraction,
    )
    floor = operations / rate
    return StepTime(
        variant.title, seconds, floor, seconds / floor, seconds * rate / _STRAIGHTFORWARD_RATE
    )
