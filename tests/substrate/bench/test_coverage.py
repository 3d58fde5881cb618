"""The interval of a gap covers it; `substrate bench coverage` counts more runs of more kinds."""

import numpy as np
import pytest

from substrate.bench.coverage import (
    DECIDED_DIFFERENTLY,
    SEED_SPREAD,
    TOLERANCE,
    draw,
    measure,
    measure_until_decided,
)

RUNS = 300


def least(share: float) -> float:
    """Three standard errors below a share of `RUNS` runs."""
    return share - 3 * (share * (1 - share) / RUNS) ** 0.5


@pytest.mark.parametrize("shared", [1.0, 0.5, 0.0])
def test_drawn_runs_are_as_described(shared: float) -> None:
    generator = np.random.default_rng(0)
    runs = [draw(generator, 2, 5000, shared) for _ in range(200)]
    gaps = np.array([run.mean(1) for run in runs])
    assert np.mean(np.abs(runs)) == pytest.approx(DECIDED_DIFFERENTLY, rel=0.05)
    assert gaps.mean() == pytest.approx(TOLERANCE, abs=5 * 0.006 / 400**0.5)
    both = np.mean([(run[0] == run[1])[run[0] != 0].mean() for run in runs])
    # by chance, a thirtieth of the samples that one seed has, the other has too
    assert both == pytest.approx(shared, abs=0.15)
    if shared == 1.0:  # the samples' chance is the same for both seeds, and cancels
        assert (gaps[:, 0] - gaps[:, 1]).std() == pytest.approx(2**0.5 * SEED_SPREAD, rel=0.2)


@pytest.mark.parametrize(
    ("seeds", "samples", "shared"), [(2, 360, 1.0), (5, 360, 1.0), (5, 2000, 1.0), (3, 360, 0.0)]
)
def test_the_interval_covers_the_gap_and_has_a_width(
    seeds: int, samples: int, shared: float
) -> None:
    found = measure(seeds, samples, shared, RUNS)
    assert found.covered >= least(0.95)
    assert found.wrongly_feasible <= 0.05
    assert found.smallest_width > 2 * 1.96 / samples


def test_seeds_alone_do_not() -> None:
    assert measure(5, 360, 1.0, RUNS).covered_over_seeds < 0.6


def test_verdicts_asked_until_they_stand_are_wrong_as_seldom_as_others() -> None:
    """And would be more often at the same confidence for every look."""
    found = measure_until_decided(3, 360, 0.0, RUNS)
    most = 0.05 + 3 * (0.05 * 0.95 / RUNS) ** 0.5
    assert found.wrongly_feasible <= most
    assert found.wrongly_not_feasible <= most
    assert found.uncorrected > max(found.wrongly_feasible, found.wrongly_not_feasible)
    assert found.looks > 2
