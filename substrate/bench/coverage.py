"""How often the interval of a gap (`substrate.run.estimate`) misses the gap, on made-up runs.

The device is behind by exactly the tolerance on average; what a seed adds is normal, and the two
arms decide 4 % of test samples differently. Which ones is the samples' affair, the same for all
seeds, or chance, anew in every seed, or half of it each:

    u_si  uniform on 0…1;  a share of samples has one u_i for all seeds
    d_si = 1   where u_si < (0.04 + gap_s) / 2        gap_s ~ N(tolerance, 0.006²)
    d_si = -1  where u_si > 1 - (0.04 - gap_s) / 2

Student's interval over seeds alone stands beside it: what it says of new seeds is right, and the
same test data make all seeds wrong together.

The second count is of verdicts that are asked again with more seeds until they stand
(`substrate run --until decided`), at the confidence that falls to every look, and beside it at the
same confidence each time. The gap is the tolerance, so that whatever is decided is wrong, or as
nearly right as makes no difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from rich.table import Table

from substrate.randomness import stream_seed
from substrate.run.estimate import Estimate, Outcomes, sample_variance
from substrate.run.verdict import confidence_at, seeds_at_next_look
from substrate.terminal import Console, tell

SEEDS = (2, 3, 5)
SAMPLES = (360, 2000, 10_000)
SHARED = (1.0, 0.5, 0.0)
TOLERANCE = 0.02
SEED_SPREAD = 0.006
DECIDED_DIFFERENTLY = 0.04
CONFIDENCE = 0.95
AT_MOST_SEEDS = 30


@dataclass(frozen=True)
class Coverage:
    """What came of many runs of one kind; all but the counts are fractions.

    Attributes:
        shared: of the samples decided differently, those that are so for every seed.
        covered: runs whose interval holds the gap.
        covered_over_seeds: likewise Student's over seeds alone.
        wrongly_feasible: runs whose interval lies within the tolerance, which the gap is.
        mean_width, smallest_width: of the interval, in accuracy.
    """

    shared: float
    seeds: int
    samples: int
    runs: int
    covered: float
    covered_over_seeds: float
    wrongly_feasible: float
    mean_width: float
    smallest_width: float


def draw(generator: np.random.Generator, seeds: int, samples: int, shared: float) -> Outcomes:
    """Draw how far the arm is behind on every sample with every seed, (seeds, samples)."""
    own = generator.random((seeds, samples))
    alike = generator.random(samples) < shared
    place = np.where(alike, generator.random(samples), own)
    gap = generator.normal(TOLERANCE, SEED_SPREAD, (seeds, 1))
    decided = np.maximum(DECIDED_DIFFERENTLY, np.abs(gap))
    behind, ahead = place < (decided + gap) / 2, place > 1 - (decided - gap) / 2
    return behind.astype(float) - ahead


def measure(seeds: int, samples: int, shared: float, runs: int) -> Coverage:
    """Count the misses of one kind of run, the same ones every time."""
    purpose = f"coverage {seeds} {samples} {shared}"
    generator = np.random.default_rng(stream_seed(0, purpose))
    covered = over_seeds = feasible = 0
    widths = []
    for _ in range(runs):
        differences = draw(generator, seeds, samples, shared)
        variance = sample_variance(differences, 1.0)
        estimate = Estimate(differences.mean(1).tolist(), samples, variance)
        interval = estimate.interval(CONFIDENCE)
        covered += interval.low <= TOLERANCE <= interval.high
        over_seeds += abs(interval.centre - TOLERANCE) <= (interval.over_seeds or 0.0)
        feasible += interval.high <= TOLERANCE
        widths.append(2 * interval.half_width)
    return Coverage(
        shared,
        seeds,
        samples,
        runs,
        covered / runs,
        over_seeds / runs,
        feasible / runs,
        float(np.mean(widths)),
        min(widths),
    )


@dataclass(frozen=True)
class UntilDecided:
    """What came of many verdicts of one kind that were asked until they stood.

    Attributes:
        first, at_most: seeds at the first look, and at the last one that is allowed.
        wrongly_feasible, wrongly_not_feasible: fractions of the runs.
        uncorrected: the greater of the two if every look had the scenario's confidence.
        looks: mean number of them.
    """

    shared: float
    first: int
    at_most: int
    samples: int
    runs: int
    wrongly_feasible: float
    wrongly_not_feasible: float
    uncorrected: float
    looks: float


def measure_until_decided(first: int, samples: int, shared: float, runs: int) -> UntilDecided:
    """Count wrong decisions of one kind of run, the same ones every time."""
    generator = np.random.default_rng(stream_seed(0, f"until decided {first} {samples} {shared}"))
    decided = {corrected: {"feasible": 0, "not feasible": 0} for corrected in (True, False)}
    looks = 0
    for _ in range(runs):
        differences = draw(generator, AT_MOST_SEEDS, samples, shared)
        waiting, look, seeds = {True, False}, 1, first
        while waiting and seeds <= AT_MOST_SEEDS:
            seen = differences[:seeds]
            estimate = Estimate(seen.mean(1).tolist(), samples, sample_variance(seen, 1.0))
            looks += True in waiting
            for corrected in tuple(waiting):
                level = confidence_at(look, CONFIDENCE) if corrected else CONFIDENCE
                interval = estimate.interval(level)
                if interval.high <= TOLERANCE or interval.low > TOLERANCE:
                    within = interval.high <= TOLERANCE
                    decided[corrected]["feasible" if within else "not feasible"] += 1
                    waiting.discard(corrected)
            look, seeds = look + 1, seeds_at_next_look(seeds)
    return UntilDecided(
        shared,
        first,
        AT_MOST_SEEDS,
        samples,
        runs,
        decided[True]["feasible"] / runs,
        decided[True]["not feasible"] / runs,
        max(decided[False].values()) / runs,
        looks / runs,
    )


def bench_until_decided(runs: int) -> Iterator[UntilDecided]:
    """Count wrong decisions for the fewest seeds to begin with."""
    for shared in SHARED:
        for first in SEEDS[:2]:
            for samples in SAMPLES[:2]:
                yield measure_until_decided(first, samples, shared, runs)


def bench_coverage(runs: int) -> Iterator[Coverage]:
    """Count the misses for every number of seeds and test samples."""
    for shared in SHARED:
        for seeds in SEEDS:
            for samples in SAMPLES:
                yield measure(seeds, samples, shared, runs)


def show_coverage(found: list[Coverage], until: list[UntilDecided], as_json: bool) -> None:
    """Print the counts, as tables or as JSON."""
    if as_json:
        told = {
            "coverage": [asdict(each) for each in found],
            "until decided": [asdict(each) for each in until],
        }
        tell(json.dumps(told, indent=2))
        return
    _show(
        f"Runs with a gap of {TOLERANCE:.0%}, the tolerance; interval at {CONFIDENCE:.0%}",
        {
            "Shared by\nall seeds": [f"{each.shared:.0%}" for each in found],
            "Seeds": [str(each.seeds) for each in found],
            "Test\nsamples": [f"{each.samples:,}" for each in found],
            "Gap\ncovered": [f"{each.covered:.1%}" for each in found],
            "Over seeds\nalone": [f"{each.covered_over_seeds:.1%}" for each in found],
            "Wrongly\nfeasible": [f"{each.wrongly_feasible:.1%}" for each in found],
            "Mean\nwidth": [f"{100 * each.mean_width:.2f}" for each in found],
            "Smallest\nwidth": [f"{100 * each.smallest_width:.2f}" for each in found],
        },
    )
    tell("Shared: of samples that arms decide differently; widths in points of accuracy.")
    _show(
        f"\nAsked with more seeds until it is decided, or {AT_MOST_SEEDS} are reached",
        {
            "Shared by\nall seeds": [f"{row.shared:.0%}" for row in until],
            "Seeds\nat first": [str(row.first) for row in until],
            "Test\nsamples": [f"{row.samples:,}" for row in until],
            "Wrongly\nfeasible": [f"{row.wrongly_feasible:.1%}" for row in until],
            "Wrongly\nnot feasible": [f"{row.wrongly_not_feasible:.1%}" for row in until],
            "The worse\nuncorrected": [f"{row.uncorrected:.1%}" for row in until],
            "Looks": [f"{row.looks:.1f}" for row in until],
        },
    )


def _show(title: str, columns: dict[str, list[str]]) -> None:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in columns:
        table.add_column(heading, justify="right")
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    Console().print(table)
