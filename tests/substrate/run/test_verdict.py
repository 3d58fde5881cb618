import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from substrate.run.verdict import compare, overall


def verdict(arm, baseline, tolerance=0.05):
    return compare("device", "clean", arm, baseline, tolerance, 0.95)


def test_the_interval_is_scipys_paired_one():
    arm, baseline = [0.90, 0.93, 0.91, 0.92], [0.97, 0.96, 0.98, 0.97]
    result = verdict(arm, baseline)
    truth = stats.ttest_rel(baseline, arm).confidence_interval(0.95)
    assert result.gap == pytest.approx(np.mean(baseline) - np.mean(arm))
    assert (result.ci_low, result.ci_high) == pytest.approx((truth.low, truth.high))


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([0.010, 0.011, 0.012], "feasible"),
        ([0.200, 0.201, 0.202], "not feasible"),
        ([0.000, 0.050, 0.100], "undecided"),
        ([-0.10, -0.11, -0.12], "feasible"),
        ([0.01], "undecided"),
    ],
)
def test_the_verdict_follows_from_interval_and_tolerance(gaps, expected):
    assert verdict([0.9 - gap for gap in gaps], [0.9] * len(gaps)).verdict == expected


def test_a_diverged_device_is_not_feasible_and_a_diverged_baseline_decides_nothing():
    assert verdict([0.9, None, 0.9], [0.9, 0.9, 0.9]).verdict == "not feasible"
    assert verdict([0.9, 0.9, 0.9], [None, 0.9, 0.9]).verdict == "undecided"
    assert verdict([None, None], [0.9, 0.9]).gap is None


def test_the_worst_comparison_is_the_scenarios_verdict():
    good, bad = verdict([0.9, 0.9], [0.9, 0.9]), verdict([0.5, 0.5], [0.9, 0.9])
    open_ = verdict([0.9], [0.9])
    assert overall([good, bad, open_]) == "not feasible"
    assert overall([good, open_]) == "undecided"
    assert overall([good, good]) == "feasible"


accuracy = st.floats(0, 1)


@given(st.lists(st.tuples(accuracy, accuracy), min_size=2, max_size=6), st.floats(0, 1))
def test_a_decided_verdict_has_its_interval_on_one_side(pairs, tolerance):
    result = verdict([arm for arm, _ in pairs], [clean for _, clean in pairs], tolerance)
    assert result.ci_low <= result.gap + 1e-12
    assert result.gap <= result.ci_high + 1e-12
    if result.verdict == "feasible":
        assert result.ci_high <= tolerance
    elif result.verdict == "not feasible":
        assert result.ci_low > tolerance
