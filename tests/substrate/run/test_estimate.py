"""Intervals of what test samples leave open, by all outcomes that there can be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from substrate.run.estimate import contrast


@pytest.mark.parametrize(
    ("samples", "accuracy"), [(360, 0.97), (360, 0.99), (360, 0.995), (1000, 0.998), (100, 0.5)]
)
def test_the_interval_of_an_accuracy_holds_it_as_often_as_it_says(samples, accuracy):
    held = 0.0
    for right in range(samples + 1):
        chance = stats.binom.pmf(right, samples, accuracy)
        if chance < 1e-9:
            continue
        seen = (np.arange(samples) < right).astype(float)[None]
        interval = contrast(
            {"arm": 1.0}, {"arm": [seen.mean()]}, {"arm": seen}, samples, accuracies=True
        ).interval(0.95)
        held += chance * (interval.low <= accuracy <= interval.high)
    assert held > 0.94


def test_all_samples_right_leave_open_what_they_must():
    seen = np.ones((1, 360))
    found = contrast({"arm": 1.0}, {"arm": [1.0]}, {"arm": seen}, 360, accuracies=True)
    exact = stats.binomtest(360, 360).proportion_ci(0.95).low
    assert found.interval(0.95).low == pytest.approx(exact, abs=0.003)


@pytest.mark.parametrize("lost", [2.8, 4.5, 6.0, 7.2, 10.0, 20.0])
def test_a_device_that_only_loses_samples_is_wrongly_feasible_in_seven_percent_at_most(lost):
    """The worst for a tolerance of a few samples: the same are lost with every seed."""
    samples = 360
    tolerance = lost / samples
    wrong = 0.0
    for wrongly in range(120):
        differences = (np.arange(samples) < wrongly).astype(float)[None]
        interval = contrast(
            {"clean": 1.0, "device": -1.0},
            {"clean": [1.0], "device": [1 - differences.mean()]},
            {"clean": np.ones((1, samples)), "device": 1 - differences},
            samples,
            accuracies=True,
        ).interval(0.95)
        wrong += stats.binom.pmf(wrongly, samples, tolerance) * (interval.high <= tolerance)
    assert wrong < 0.07
