"""How the cost of a learning step grows with width, depth, batch and K, fitted to measured times.

    seconds ≈ c · size^p        log-log regression over the upper half of each sweep

The exponents that the products call for (`substrate.bench.floor`), where those dominate:

    sweep      DANP                              expected p
    width      every layer is w × w              2
    depth      layers of one width               1
    batch      q = 1                             up to 1, from below: W R is formed once
    K          perturbed passes                  up to 1, from below: the update is made once

At small sizes a step's fixed costs (calls, generators, the optimiser's state) are a large part of
it, so the lower half of each sweep is plotted but not fitted. The same fit to the floor's count of
operations says what p the measured range should give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from substrate.bench.floor import step_operations
from substrate.bench.step import best_seconds
from substrate.bench.workload import make_step, random_batch

_RULE = "danp"
_REPEATS = 5


class Setting(NamedTuple):
    """One network and batch of a sweep."""

    width: int = 512
    depth: int = 3
    batch: int = 256
    resamples: int = 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """As many layers of one width as the depth says, and an output layer."""
        return (*[self.width] * (self.depth + 1), 10)


SWEEPS: dict[str, tuple[Setting, ...]] = {
    "width": tuple(Setting(width=width) for width in (64, 128, 256, 512, 1024, 1536)),
    "depth": tuple(Setting(depth=depth) for depth in (1, 2, 4, 8, 16)),
    "batch": tuple(Setting(batch=batch) for batch in (32, 64, 128, 256, 512, 1024, 2048)),
    "resamples": tuple(Setting(resamples=resamples) for resamples in (1, 2, 4, 8, 16)),
}
"""What is swept; everything else stays at `Setting`'s defaults."""


class Sweep(NamedTuple):
    """One sweep's times and fitted exponents.

    Attributes:
        over: what was swept.
        values: its values, ascending.
        seconds: best time of a step at each.
        fitted_from: smallest value in the fit.
        exponent: p of the measured times.
        operations_exponent: p of the floor's operations over the same range.
    """

    over: str
    values: tuple[int, ...]
    seconds: tuple[float, ...]
    fitted_from: int
    exponent: float
    operations_exponent: float


def bench_scaling(
    sweeps: dict[str, tuple[Setting, ...]] = SWEEPS,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Sweep, ...]:
    """Measure all sweeps; `progress` hears the name of each as it begins."""
    results = []
    for over, settings in sweeps.items():
        progress(over)
        seconds = best_seconds([_step(setting) for setting in settings], _REPEATS)
        values = [getattr(setting, over) for setting in settings]
        operations = [
            step_operations(
                setting.sizes,
                setting.batch,
                "anp",
                decorrelated=True,
                resamples=setting.resamples,
            )
            for setting in settings
        ]
        upper = slice(len(settings) // 2, None)
        results.append(
            Sweep(
                over,
                tuple(values),
                tuple(seconds),
                values[upper][0],
                fit_exponent(values[upper], seconds[upper]),
                fit_exponent(values[upper], operations[upper]),
            )
        )
    return tuple(results)


def fit_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Fit p of cost = c · size^p by least squares on logarithms."""
    slope, _ = np.polyfit(np.log(sizes), np.log(costs), 1)
    return float(slope)


def _step(setting: Setting) -> Callable[[], object]:
    x, y = random_batch(setting.sizes, setting.batch)
    learning = {"rule": _RULE, "perturbation": {"resamples": setting.resamples}}
    return make_step(setting.sizes, x, y, learning)
