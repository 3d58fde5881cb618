"""How long a learning step takes, next to the time that its matrix products alone must take.

    floor = operations that the rule cannot do without / rate of a large matrix product

The rate is measured in the same rounds as the steps, since other work on the machine slows both.
The yardstick is the published code of the paper: the products that a step of DANP takes there, at
the same rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from learning.rules.weight_mirror import WeightMirror
from substrate.bench.floor import published_operations, step_operations
from substrate.bench.memory import PeakMemory, measure_peaks
from substrate.bench.workload import PAPER_BATCH, PAPER_SIZES, make_step, random_batch
from substrate.library import find_rule

_LARGE = 4096


class Variant(NamedTuple):
    """A rule as it is measured.

    Attributes:
        rule: as scenarios name it.
        decorrelation: part of the batch that R's update takes; None without R.
        mirror: part of the batch that the mirror is found from, of `weight_mirror` alone.
        output_error: likewise.
        critic: part of the batch that a critic is shown.
    """

    rule: str
    decorrelation: float | None = 1.0
    mirror: float = 1.0
    output_error: str = "derivative"
    critic: float = 0.25

    @property
    def title(self) -> str:
        """The rule in capitals, with what is not its default."""
        words = [self.rule.upper().replace("_", " ")]
        if self.output_error != "derivative":
            part = " shown all of the batch" if self.critic == 1 else ""
            words.append(f"{self.output_error}{part}")
        if self.mirror < 1:
            words.append(f"B from {self.mirror:g} of the batch")
        if self.decorrelation is not None and self.decorrelation < 1:
            words.append(f"R from {self.decorrelation:g} of the batch")
        return ", ".join(words)

    @property
    def learning(self) -> dict[str, Any]:
        """The learning settings of a scenario, without its optimiser."""
        learning: dict[str, Any] = {"rule": self.rule}
        if self.decorrelation is not None:
            learning["decorrelation"] = {"sample_fraction": self.decorrelation}
        if self.rule == "weight_mirror":
            learning["settings"] = {
                "sample_fraction": self.mirror,
                "output_error": self.output_error,
                "critic_fraction": self.critic,
            }
        return learning


VARIANTS = (
    Variant("danp"),
    Variant("weight_mirror", mirror=0.25),
    Variant("weight_mirror", mirror=0.25, output_error="critic"),
    Variant("weight_mirror", mirror=0.25, output_error="critic", critic=1.0),
    Variant("danp", 0.1),
    Variant("weight_mirror", 0.1, mirror=0.25),
    Variant("weight_mirror", 0.1, mirror=0.1),
    Variant("weight_mirror", 0.1, mirror=0.1, output_error="critic"),
    Variant("weight_mirror", 0.1, mirror=0.1, output_error="critic", critic=1.0),
    Variant("dbp", 0.1),
    Variant("dinp"),
    Variant("dnp"),
    Variant("bp", None),
)


class StepTime(NamedTuple):
    """One variant's best step.

    Attributes:
        variant: its title.
        seconds: of the best step.
        floor_seconds: operations over the rate of a large product.
        times_floor: their ratio.
        times_danp: seconds over those of DANP whose R is learned from as much of the batch; None
            without R.
    """

    variant: str
    seconds: float
    floor_seconds: float
    times_floor: float
    times_danp: float | None


class StepBench(NamedTuple):
    """The result of `substrate bench step`.

    Attributes:
        product_gflops: rate of a float32 product of 4096×4096 matrices, 10⁹ operations a second.
        steps: of every variant.
        published_seconds: that the products of DANP's step take as the published code makes them.
        times_published: how many times as fast as these our whole step is.
        memory: peaks of training, next to BP through autograd.
    """

    product_gflops: float
    threads: int
    steps: tuple[StepTime, ...]
    published_seconds: float
    times_published: float
    memory: tuple[PeakMemory, ...]


def bench_step(repeats: int) -> StepBench:
    """Measure all variants in turn, `repeats` times, and take each one's best."""
    x, y = random_batch(PAPER_SIZES, PAPER_BATCH)
    steps = [make_step(PAPER_SIZES, x, y, variant.learning) for variant in VARIANTS]
    a, b = torch.randn(_LARGE, _LARGE), torch.randn(_LARGE, _LARGE)
    out = torch.empty(_LARGE, _LARGE)
    product_seconds, *step_seconds = best_seconds(
        [lambda: torch.mm(a, b, out=out), *steps], repeats
    )
    rate = 2 * _LARGE**3 / product_seconds
    danp = {
        variant.decorrelation: seconds
        for variant, seconds in zip(VARIANTS, step_seconds, strict=True)
        if variant.rule == "danp"
    }
    times = [
        _step_time(variant, seconds, rate, danp.get(variant.decorrelation))
        for variant, seconds in zip(VARIANTS, step_seconds, strict=True)
    ]
    published = published_operations(PAPER_SIZES, PAPER_BATCH) / rate
    return StepBench(
        rate / 1e9,
        torch.get_num_threads(),
        tuple(times),
        published,
        published / times[0].seconds,
        measure_peaks(PAPER_SIZES, PAPER_BATCH),
    )


def best_seconds(candidates: list[Callable[[], object]], repeats: int) -> list[float]:
    """Time candidates in turn, after one round to warm up; the best of each.

    Where all is done on one thread, it is processor time, free of what else the machine does.
    """
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    best = [float("inf")] * len(candidates)
    for round_ in range(repeats + 1):
        for index, candidate in enumerate(candidates):
            started = clock()
            candidate()
            if round_ > 0:
                best[index] = min(best[index], clock() - started)
    return best


def _step_time(variant: Variant, seconds: float, rate: float, danp: float | None) -> StepTime:
    rule = find_rule(variant.rule, Path()).rule
    settings = rule.model_validate(variant.learning.get("settings", {}))
    operations = step_operations(
        PAPER_SIZES,
        PAPER_BATCH,
        rule.name,
        decorrelated=variant.decorrelation is not None,
        sample_fraction=variant.decorrelation or 1.0,
        mirror_fraction=variant.mirror,
        perturbed_fraction=settings.perturbed_fraction,
        inverse_every=settings.inverse_every if isinstance(settings, WeightMirror) else 1,
    )
    floor = operations / rate
    return StepTime(
        variant.title,
        seconds,
        floor,
        seconds / floor,
        None if danp is None else seconds / danp,
    )
