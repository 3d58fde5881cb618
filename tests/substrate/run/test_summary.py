"""What a run comes to, told from what its seeds came to."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import patch

import pytest

from substrate.record.metrics import Epoch
from substrate.record.summary import FailedSeed
from substrate.run.arm_summary import ArmOutcome
from substrate.run.estimate import Estimate
from substrate.run.summary import _decide, _more_seeds, _shared, _unfinished
from substrate.run.unit_figures import Done
from substrate.run.verdict import Gap, compare, feasible_at_once, with_correction
from substrate.scenario.schema import Scenario


def epochs(seed: int, accuracies: list[float]) -> list[Epoch]:
    return [
        Epoch(
            arm="arm",
            seed=seed,
            epoch=number,
            train_loss=1.0,
            train_accuracy=each,
            test_loss=1.0,
            test_accuracy=each,
            seconds=1.0,
        )
        for number, each in enumerate(accuracies, start=1)
    ]


def test_a_seed_that_was_given_up_is_in_no_mean():
    outcome = ArmOutcome()
    outcome.take(0, Done(epochs(0, [0.8, 0.9]), None, None))
    outcome.take(1, Done(epochs(1, [0.5, 0.6]), None, None))
    assert outcome.values("test_accuracy", [0, 1]) == [0.9, 0.6]  # it goes on
    outcome.failed[1] = FailedSeed(seed=1, what="killed", log="failed-arm-1.log")
    assert outcome.values("test_accuracy", [0, 1]) == [0.9, None]
    assert outcome.values("test_accuracy", [0, 1], epoch=1) == [0.8, None]


def test_seeds_that_have_come_less_far_are_in_no_mean():
    outcome = ArmOutcome()
    outcome.take(0, Done(epochs(0, [0.8, 0.9]), None, None))
    outcome.take(1, Done(epochs(1, [0.5]), None, None))
    assert outcome.furthest([0, 1]) == 2
    assert outcome.values("test_accuracy", [0, 1]) == [0.9, None]
    outcome.failed[0] = FailedSeed(seed=0, what="killed", log="failed-arm-0.log")
    assert outcome.furthest([0, 1]) == 1
    assert outcome.values("test_accuracy", [0, 1]) == [None, 0.5]


def test_seeds_that_failed_are_not_said_to_be_compared():
    device, baseline = ArmOutcome(), ArmOutcome()
    for seed in (0, 1):
        baseline.take(seed, Done(epochs(seed, [0.8, 0.9]), None, None))
        device.take(seed, Done(epochs(seed, [0.8, 0.9]), None, None))
    device.failed[0] = FailedSeed(seed=0, what="full", log="failed-device-0.log")
    told = _unfinished("failed", *_shared([device, baseline], [0, 1]))
    assert told.endswith("compared after epoch 2, the last that all arms share, in seed 1")
    device.failed[1] = FailedSeed(seed=1, what="full", log="failed-device-1.log")
    told = _unfinished("failed", *_shared([device, baseline], [0, 1]))
    assert told == "some seeds failed, and in no other do all arms have an epoch in common"


def test_the_arm_that_would_be_feasible_speaks_for_what_the_correction_leaves_undecided():
    """Not the other, which is on a lower rung and not feasible."""
    arms = {"low": SimpleNamespace(rung="observe"), "high": SimpleNamespace(rung="mirror")}
    gaps = {"low": [0.2, 0.2, 0.2], "high": [0.03, 0.034, 0.038]}
    found = [Gap(name, "clean", Estimate(each, 10**9, 1e-9)) for name, each in gaps.items()]
    comparisons = compare(found, 0.045, 0.95)
    assert [each.verdict for each in comparisons] == ["not feasible", "feasible"]
    feasible = feasible_at_once(found, comparisons, 0.045, 0.95)
    assert feasible == set()
    with patch("substrate.run.summary.rung_of", lambda arm: arm.rung):
        scenario = Scenario.model_construct(arms=arms)
        verdict, decisive = _decide(scenario, with_correction(comparisons, feasible), feasible)
    assert (verdict, decisive.arm, decisive.not_at_once) == ("undecided", "high", 2)


@pytest.mark.parametrize(
    ("gaps", "test_variance", "more"),
    [
        ([0.05, 0.05, 0.05], 1.0, None),  # the test samples alone leave something to tell
        ([0.02, 0.05, 0.08], 1e-9, [0, 1, 2, 3]),
        ([0.05], 1.0, [0, 1]),  # of one seed nothing is known about others
    ],
)
def test_more_seeds_are_asked_for_where_they_narrow_the_interval(gaps, test_variance, more):
    gap = Gap("device", "clean", Estimate(gaps, 100, test_variance))
    (found,) = compare([gap], 0.05, 0.95)
    assert found.verdict == "undecided"
    seeds = _more_seeds(list(range(len(gaps))), found)
    assert (seeds if seeds is None else seeds[: len(gaps) + 1]) == more
