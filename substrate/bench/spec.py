"""How often the interval of a limit misses it (`substrate.spec.search`), on made-up devices.

Margins in points of accuracy against the place x in the field's range, with the limit at c, which
every trial draws anew between 0.15 and 0.85:

    straight      m = 8 (c - x)
    exponential   m = 1 - e^(6 (x - c))                   as a resolution costs, bit by bit
    quadratic     m = 2 (1 - (x / c)²)                    as a variance does
    cliff         m = 1.5 tanh((c - x) / 0.2) - 60 [σ((x - c - 0.1) / 0.02) - σ(-5)]
    plateau       m = 1 - max(0, x - c + 0.1) / 0.1       flat, then falling
    bits          m = 1 - e^(-(b - b*)), at whole b of 2…12 only
    stalls        m = 0.75 (1 - x / c), the mean of runs at 0.75 and of some that stall at -5

Noise of a run is normal, σ everywhere, or grows with what is lost: σ √(1 + (m - best)² / 4).
A grid of the same resolution has its points as far apart as the search's interval is wide (whole
numbers 1), each with the runs that tell it from its neighbour, and at least the three that make a
spread:

    n = (1 / width + 1) · max(3, (1.96 σ / Δm)²)        Δm: from the limit to a point, on the side
                                                        where that is less; σ: at the limit
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from rich.table import Table

from substrate.randomness import stream_seed
from substrate.report.wording import NOTHING
from substrate.spec.axis import Axis
from substrate.spec.claim import check
from substrate.spec.search import Found, Measured, search_limit, whole
from substrate.spec.truths import Point
from substrate.terminal import Console, tell

NOISES = (0.2, 0.5)
SCALE = 1.0

_UNIT = Axis(0.0, 1.0)
_BITS = Axis(2, 12, whole=True)


@dataclass(frozen=True)
class Shape:
    """A made-up device.

    Attributes:
        name: of it.
        axis: of its field.
        margin: at a value of the field, with the limit at another; in points.
        grows: whether noise grows with what is lost.
        stalls: so far beyond the tolerance are runs that stall, and the others as good as the best;
            0 where all runs are alike.
    """

    name: str
    axis: Axis
    margin: Callable[[float, float], float]
    grows: bool = False
    stalls: float = 0.0


def _logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


SHAPES = (
    Shape("straight", _UNIT, lambda x, c: 8 * (c - x)),
    Shape("exponential", _UNIT, lambda x, c: 1 - float(np.exp(6 * (x - c))), grows=True),
    Shape("quadratic", _UNIT, lambda x, c: 2 * (1 - (x / c) ** 2)),
    Shape(
        "cliff",
        _UNIT,
        lambda x, c: (
            1.5 * float(np.tanh((c - x) / 0.2))
            - 60 * (_logistic((x - c - 0.1) / 0.02) - _logistic(-5.0))
        ),
        grows=True,
    ),
    Shape("plateau", _UNIT, lambda x, c: 1 - max(0.0, x - c + 0.1) / 0.1),
    Shape("bits", _BITS, lambda b, c: 1 - float(np.exp(c - b)), grows=True),
    Shape("stalls", _UNIT, lambda x, c: 0.75 * (1 - x / c), stalls=5.0),
)


@dataclass(frozen=True)
class Trials:
    """What came of many searches of one kind.

    Attributes:
        shape: of the device.
        noise: σ of a run, in points.
        trials: how many.
        named: trials that name a limit (`substrate.spec.claim`), as a fraction.
        missed: trials that name one whose 95 % interval does not hold the limit, likewise.
        runs: mean number of runs.
        width: mean width of the interval, as a fraction of the range.
        grid_runs: mean runs of a grid of the same resolution; None where some runs stall, which no
            number of runs at a point is sure to see.
    """

    shape: str
    noise: float
    trials: int
    named: float
    missed: float
    runs: float
    width: float
    grid_runs: float | None


def bench_spec(trials: int) -> Iterator[Trials]:
    """Search the limits of every made-up device at every noise."""
    for shape in SHAPES:
        for noise in NOISES:
            yield measure(shape, noise, trials)


def measure(shape: Shape, noise: float, trials: int) -> Trials:
    """Search limits of one kind, the same ones every time."""
    generator = np.random.default_rng(stream_seed(0, f"spec {shape.name} {noise}"))
    named, missed, runs = 0, 0, []
    widths: list[float] = []
    grid_runs: list[float] = []
    for _ in range(trials):
        limit = shape.axis.value(generator.uniform(0.15, 0.85))
        best = max(shape.margin(end, limit) for end in (shape.axis.low, shape.axis.high))

        def run(points: Sequence[Point], limit: float = limit, best: float = best) -> Measured:
            true = np.array([shape.margin(point[0], limit) for point in points])
            if shape.stalls:
                stalled = generator.random(len(true)) < (best - true) / (best + shape.stalls)
                true = np.where(stalled, -shape.stalls, best)
            spread = noise * np.sqrt(1 + shape.grows * (true - best) ** 2 / 4)
            return Measured((true + spread * generator.standard_normal(len(true))).tolist())

        found = search_limit([shape.axis], run, SCALE)
        stands = check(found, SCALE).stands
        named += stands
        missed += stands and not _covers(found, limit)
        runs.append(len(found.points))
        widths.append(_width(found))
        at_limit = noise * float(np.sqrt(1 + shape.grows * best**2 / 4))
        grid_runs.append(_grid_runs(shape, limit, at_limit, widths[-1]))
    return Trials(
        shape.name,
        noise,
        trials,
        named / trials,
        missed / trials,
        float(np.mean(runs)),
        float(np.mean(widths)),
        None if shape.stalls else float(np.mean(grid_runs)),
    )


def _covers(found: Found, limit: float) -> bool:
    low, high = found.limits[0].low, found.limits[0].high
    if found.axes[0].whole:  # between two whole numbers there is nothing to be right about
        low, limit, high = (whole(each, found.rising) for each in (low, limit, high))
    return bool(low <= limit <= high)


def _grid_runs(shape: Shape, limit: float, noise: float, width: float) -> float:
    axis = shape.axis
    step = axis.place(axis.low + 1) if axis.whole else max(width, 1e-3)
    ends = [axis.value(axis.place(limit) + side) for side in (-step, step)]
    told = min(abs(shape.margin(end, limit)) for end in ends)
    return float((1 / step + 1) * max(3, np.ceil((1.96 * noise / told) ** 2)))


def _width(found: Found) -> float:
    axis, limit = found.axes[0], found.limits[0]
    return axis.place(limit.high) - axis.place(limit.low)


def show_spec(found: list[Trials], as_json: bool) -> None:
    """Print the counts, as a table or as JSON."""
    if as_json:
        tell(json.dumps([asdict(each) for each in found], indent=2))
        return
    table = Table(
        title="Limits of made-up devices; interval at 95 %",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    headings = (
        "Shape",
        "Noise of a\nrun, points",
        "Limit\nnamed",
        "Named but\nmissed",
        "Runs",
        "Width,\nof the range",
        "Runs of\na grid",
    )
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "Shape" else "right")
    for each in found:
        table.add_row(
            each.shape,
            f"{each.noise:g}",
            f"{each.named:.0%}",
            f"{each.missed:.0%}",
            f"{each.runs:.1f}",
            f"{each.width:.3f}",
            NOTHING if each.grid_runs is None else f"{each.grid_runs:.0f}",
        )
    Console().print(table)
    alike = [each for each in found if each.grid_runs is not None]
    trials = sum(each.trials for each in alike)
    missed = sum(each.trials * each.missed for each in alike) / trials
    most = max(each.runs / (each.grid_runs or 1) for each in alike)
    tell(
        f"But for stalls, {missed:.1%} of {trials:,} searches name an interval that does not hold"
        f" the limit; they took at most {most:.0%} of the runs of a grid of the same resolution."
    )
