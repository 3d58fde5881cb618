"""What points of a study say together."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from substrate.record.summary import Summary
from substrate.run.estimate import Outcomes, contrast
from substrate.run.verdict import Gap, compare
from substrate.study.together import feasible_together, shared_error

TOLERANCE = 0.02
CONFIDENCE = 0.95


def summary_of(device: Outcomes, baseline: Outcomes) -> Summary:
    """As far as it is looked at, of a point whose outcomes are (seeds, samples)."""
    outcomes = {"device": device, "clean": baseline}
    figures = {name: each.mean(1).tolist() for name, each in outcomes.items()}
    samples = device.shape[1]
    weights = {"device": -1.0, "clean": 1.0}
    estimate = contrast(weights, figures, outcomes, samples, accuracies=True)
    arms = {
        name: SimpleNamespace(
            diverged=[], measure=lambda _, values=values: SimpleNamespace(values=values)
        )
        for name, values in figures.items()
    }
    return SimpleNamespace(  # type: ignore[return-value]
        metric="test_accuracy",
        confidence=CONFIDENCE,
        seeds=list(range(len(device))),
        data=SimpleNamespace(test=samples),
        arms=arms,
        comparisons=compare([Gap("device", "clean", estimate)], TOLERANCE, CONFIDENCE),
    )


def study(
    generator: np.random.Generator, points: int, gap: float, seed_error: float = 0.003
) -> list[Summary]:
    """A study whose points are all as far behind, on samples of their own."""
    samples = 360
    clean = np.repeat((generator.random(samples) > 0.03)[None], 3, axis=0).astype(float)
    found = []
    for _ in range(points):
        lost = generator.random(samples) < generator.normal(gap, seed_error, (3, 1)) / 0.97
        found.append(summary_of(clean * ~lost, clean))
    return found


def test_the_error_of_a_single_point_is_that_of_its_interval() -> None:
    (summary,) = study(np.random.default_rng(0), 1, 0.02)
    (own,) = summary.comparisons
    assert own.ci_high is not None
    assert own.gap is not None
    found = shared_error("device", "clean", [summary])
    assert found == pytest.approx((own.ci_high - own.gap) / 1.96)


def test_what_one_point_has_of_its_own_averages_out_and_what_all_share_does_not() -> None:
    """A baseline whose seeds differ is the same at every point."""
    generator = np.random.default_rng(0)

    def points(shared: float, own: float) -> list[Summary]:
        drawn = generator.random(10_000)
        clean = drawn < 0.9 + generator.normal(0, shared, (3, 1))
        return [
            summary_of(
                np.asarray(drawn < 0.9 + generator.normal(0, own, (3, 1)), float),
                np.asarray(clean, float),
            )
            for _ in range(40)
        ]

    theirs = np.mean([shared_error("device", "clean", points(0, 0.02)) for _ in range(20)])
    shared = np.mean([shared_error("device", "clean", points(0.02, 0)) for _ in range(20)])
    # of three seeds the error is multiplied by Student's 4.3 / 1.96, and has a mean of 0.89 of it
    assert shared == pytest.approx(0.02 / 3**0.5 * 4.30 / 1.96 * 0.89, rel=0.35)
    assert theirs < shared / 3


def test_one_seed_tells_no_error() -> None:
    outcomes = np.ones((1, 100))
    assert np.isnan(shared_error("device", "clean", [summary_of(outcomes, outcomes)]))


def test_of_many_points_beyond_the_tolerance_hardly_any_study_picks_one() -> None:
    generator = np.random.default_rng(0)
    alone = at_once = 0
    for _ in range(40):
        summaries = study(generator, 40, 1.05 * TOLERANCE)
        alone += any(each.comparisons[0].verdict == "feasible" for each in summaries)
        at_once += bool(feasible_together("device", summaries))
    assert alone >= 10
    assert at_once <= 3  # 1 on average, at most


def test_points_far_within_the_tolerance_are_feasible_at_once() -> None:
    generator = np.random.default_rng(0)
    near = study(generator, 3, 0.0, 0.0)
    assert feasible_together("device", [*near, *study(generator, 1, 0.5)]) == {0, 1, 2}
