import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from substrate.run.estimate import Estimate, contrast
from substrate.run.verdict import (
    Gap,
    apart,
    beyond,
    compare,
    feasible_at_once,
    with_correction,
    worst,
)

BEHIND = {"device": -1.0, "clean": 1.0}


def right(*rows):
    """Outcomes of every seed, as strings of 1 and 0."""
    return np.array([[float(each) for each in row] for row in rows])


def estimate(device, clean, **known):
    """Of accuracies, given by what became of each sample."""
    figures = {"device": device.mean(1).tolist(), "clean": clean.mean(1).tolist()}
    outcomes = known.get("outcomes", {"device": device, "clean": clean})
    return contrast(BEHIND, figures, outcomes, device.shape[1], accuracies=True)


def of_seeds(gaps, samples=10**9):
    """An estimate whose test data leave nothing to tell, so that seeds alone decide."""
    return Estimate(list(gaps), samples, 1e-9)


def verdict(gaps, tolerance=0.05, **others):
    (found,) = compare([Gap("device", "clean", of_seeds(gaps), **others)], tolerance, 0.95)
    return found


def test_the_interval_is_that_of_an_analysis_of_variance():
    """Against sums of squares as the textbook has them, cell by cell."""
    rng = np.random.default_rng(0)
    clean = (rng.random((3, 40)) < 0.9) * 1.0
    device = clean * (rng.random((3, 40)) < 0.8)
    interval = estimate(device, clean).interval(0.9)
    difference = clean - device
    seeds, samples = difference.shape
    grand = difference.mean()
    of_seed = samples * sum((row.mean() - grand) ** 2 for row in difference) / (seeds - 1)
    of_sample = seeds * sum((row.mean() - grand) ** 2 for row in difference.T) / (samples - 1)
    whole = ((difference - grand) ** 2).sum()
    rest = whole - of_seed * (seeds - 1) - of_sample * (samples - 1)
    rest /= (seeds - 1) * (samples - 1)
    by_seed = stats.t.ppf(0.95, seeds - 1) ** 2 * of_seed / (seeds * samples)
    sample_variance = (of_sample - rest) / seeds + 2 / samples
    by_sample = stats.t.ppf(0.95, samples - 1) ** 2 * sample_variance / samples
    assert of_sample > rest
    assert interval.centre == pytest.approx(grand)
    assert interval.half_width == pytest.approx((by_seed + by_sample) ** 0.5)


def test_with_endless_test_data_it_is_students_paired_interval():
    arm, baseline = [0.90, 0.93, 0.91, 0.92], [0.97, 0.96, 0.98, 0.97]
    gaps = [clean - device for device, clean in zip(arm, baseline, strict=True)]
    found = verdict(gaps)
    truth = stats.ttest_rel(baseline, arm).confidence_interval(0.95)
    assert found.gap == pytest.approx(np.mean(gaps))
    assert (found.ci_low, found.ci_high) == pytest.approx((truth.low, truth.high))


def test_accuracies_that_tie_on_their_grid_have_an_interval():
    """Both seeds err once more than their baseline, and both baselines never."""
    clean = right("11111111", "11111111")
    for device in (right("01111111", "01111111"), right("01111111", "10111111"), clean):
        interval = estimate(device, clean).interval(0.95)
        assert interval.over_seeds == 0
        assert interval.half_width > 0.2


@given(st.integers(2, 4), st.integers(2, 12), st.data())
def test_no_interval_is_without_width(seeds, samples, data):
    row = st.lists(st.integers(0, 1), min_size=samples, max_size=samples)
    rows = st.lists(row, min_size=seeds, max_size=seeds)
    device, clean = (np.array(data.draw(rows), float) for _ in range(2))
    for known in ({}, {"outcomes": {}}):
        interval = estimate(device, clean, **known).interval(0.95)
        assert interval.whole
        assert interval.half_width > 1.96 / samples
        assert interval.low < interval.centre < interval.high


def test_the_same_samples_lost_by_every_seed_are_no_proof():
    """Seeds that agree to the last sample leave the test data's error, which they share."""
    clean = np.ones((5, 100))
    device = clean.copy()
    device[:, :4] = 0
    interval = estimate(device, clean).interval(0.95)
    assert interval.half_width == pytest.approx(
        stats.t.ppf(0.975, 99) * (0.04 * 0.96 * 100 / 99 + 2 / 100) ** 0.5 / 10
    )
    assert interval.narrowed_by == "more test samples"


def test_errors_of_each_seed_alone_are_not_counted_again_over_samples():
    rng = np.random.default_rng(1)
    clean = np.ones((5, 2000))
    device = (rng.random((5, 2000)) < 0.9) * 1.0
    interval = estimate(device, clean).interval(0.95)
    assert interval.over_samples < 0.5 * 1.96 * (0.09 / 5 / 2000) ** 0.5
    assert interval.narrowed_by == "more seeds"


def test_without_outcomes_arms_count_as_independent():
    clean, device = right("1110", "1111"), right("1100", "0111")
    known = estimate(device, clean, outcomes={})
    assert not known.paired
    assert known.sample_variance == pytest.approx(7 / 8 / 8 + 5 / 8 * 3 / 8 + 2 / 4)
    (found,) = compare([Gap("device", "clean", known)], 0.05, 0.95)
    assert "what became of each test sample is unknown" in found.reason


def test_of_losses_nothing_is_decided_without_outcomes():
    figures = {"device": [1.0, 1.01], "clean": [1.0, 1.0]}
    weights = {"device": 1.0, "clean": -1.0}
    unknown = contrast(weights, figures, {}, 100, accuracies=False)
    (found,) = compare([Gap("device", "clean", unknown)], 10.0, 0.95)
    assert (found.verdict, found.ci_low) == ("undecided", None)
    assert "unknown" in found.reason
    rng = np.random.default_rng(0)
    outcomes = {arm: np.array(each)[:, None] * rng.random(100) for arm, each in figures.items()}
    (found,) = compare(
        [Gap("device", "clean", contrast(weights, figures, outcomes, 100, accuracies=False))],
        10.0,
        0.95,
    )
    assert found.verdict == "feasible"


def test_losses_that_never_differ_have_no_interval():
    figures = {"device": [1.0, 1.0], "clean": [1.0, 1.0]}
    outcomes = {arm: np.ones((2, 10)) for arm in figures}
    same = contrast({"device": 1.0, "clean": -1.0}, figures, outcomes, 10, accuracies=False)
    (found,) = compare([Gap("device", "clean", same)], 10.0, 0.95)
    assert (found.verdict, found.ci_low) == ("undecided", None)
    assert found.reason == "all losses are the same, and give no interval"


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
    assert verdict(gaps).verdict == expected


def test_without_an_interval_the_reason_says_what_is_lacking():
    assert verdict([0.01]).reason == "one seed has no confidence interval; run more seeds"
    (found,) = compare([Gap("device", "clean", None)], 0.05, 0.95)
    assert found.reason == "no seed has a figure of both; run more seeds"


def test_a_diverged_device_is_not_feasible_and_a_diverged_baseline_decides_nothing():
    assert verdict([0.0, 0.001], diverged=1).verdict == "not feasible"
    assert verdict([0.0, 0.001], baseline_diverged=1).verdict == "undecided"
    (lost,) = compare([Gap("device", "clean", None, diverged=2)], 0.05, 0.95)
    assert (lost.gap, lost.verdict) == (None, "not feasible")


def test_the_reason_says_what_would_narrow_the_interval():
    assert verdict([0.0, 0.05, 0.1]).reason.endswith("more seeds would narrow it")
    few_samples = Estimate([0.04, 0.05, 0.06], 100, 0.5)
    (found,) = compare([Gap("device", "clean", few_samples)], 0.05, 0.95)
    assert found.reason.endswith("more test samples would narrow it")
    assert found.over_samples > found.over_seeds > 0


def test_the_worst_comparison_is_the_arms_verdict():
    good, bad, open_ = (verdict(gaps) for gaps in ([0.0, 0.001], [0.4, 0.401], [0.0, 0.2]))
    assert worst([good, bad, open_]) == "not feasible"
    assert worst([good, open_]) == "undecided"
    assert worst([good, good]) == "feasible"


def at_once(gaps_of_arm, tolerance=0.05):
    gaps = [
        Gap(arm, f"b{n}", of_seeds(each))
        for arm, gaps in gaps_of_arm.items()
        for n, each in enumerate(gaps)
    ]
    return feasible_at_once(gaps, compare(gaps, tolerance, 0.95), tolerance, 0.95)


def test_feasible_of_one_arm_needs_every_baseline_and_no_correction():
    near = [0.0, 0.015, 0.03]
    assert at_once({"one": [near]}, 0.055) == {"one"}
    assert at_once({"one": [near, near]}, 0.055) == {"one"}
    assert at_once({"one": [near, [0.04, 0.05, 0.07]]}, 0.055) == set()


def test_to_pick_a_feasible_arm_among_several_is_corrected():
    """Against p values: the k-th smallest at α / (m - k + 1)."""
    arms = {"sure": [-0.3, -0.31, -0.32], "weak": [0.0, 0.01, 0.02], "far": [0.04, 0.05, 0.07]}
    p = {name: p_value(each, 0.05) for name, each in arms.items()}
    assert p["sure"] < 0.025 / 3
    assert 0.025 / 3 < p["weak"] < 0.025
    assert at_once({"weak": [arms["weak"]]}) == {"weak"}
    of_all = at_once({name: [each] for name, each in arms.items()})
    assert of_all == {"sure"} | ({"weak"} if p["weak"] < 0.025 / 2 else set())


def test_of_many_arms_at_the_tolerance_one_is_rarely_called_feasible():
    rng = np.random.default_rng(3)
    runs, arms, seeds = 200, 8, 4
    gaps = rng.normal(0.05, 0.01, (runs, arms, seeds))
    wrong = sum(bool(at_once({str(n): [each] for n, each in enumerate(run)})) for run in gaps)
    assert wrong <= 0.025 * runs + 3 * (0.025 * 0.975 * runs) ** 0.5


def p_value(gaps, bound):
    return stats.ttest_1samp(gaps, bound).pvalue / 2


def test_not_feasible_is_corrected_for_the_number_of_comparisons():
    """Against Holm's step-down of p values, written out: the k-th smallest at α / (m - k + 1)."""
    # one-sided p at the bound of 0.05: beyond it alone at 0.025, and not among three
    gaps = {"clear": [0.30, 0.31, 0.32], "weak": [0.06, 0.07, 0.08], "near": [0.04, 0.05, 0.07]}
    p = {name: p_value(each, 0.05) for name, each in gaps.items()}
    assert p["clear"] < 0.025 / 3
    assert 0.025 / 3 < p["weak"] < 0.05
    estimates = {name: of_seeds(each) for name, each in gaps.items()}
    for names in itertools.chain(*(itertools.combinations(gaps, n) for n in (1, 2, 3))):
        expected = set()
        for step, name in enumerate(sorted(names, key=p.get)):
            if p[name] > 0.025 / (len(names) - step):
                break
            expected.add(name)
        found = beyond([estimates[name] for name in names], 0.05, 0.95)
        assert {names[place] for place in found} == expected


def test_to_differ_is_corrected_on_both_sides():
    """As above with two-sided p values, whichever side an estimate lies on."""
    gaps = {"clear": [-0.30, -0.31, -0.32], "weak": [0.06, 0.07, 0.08], "near": [0.0, 0.01, 0.03]}
    p = {name: 2 * min(p_value(each, 0), 1 - p_value(each, 0)) for name, each in gaps.items()}
    assert p["clear"] < 0.05 / 3 < p["near"]
    for names in itertools.chain(*(itertools.combinations(gaps, n) for n in (1, 2, 3))):
        expected = set()
        for step, name in enumerate(sorted(names, key=p.get)):
            if p[name] > 0.05 / (len(names) - step):
                break
            expected.add(name)
        found = apart([of_seeds(gaps[name]) for name in names], 0.95)
        assert {names[place] for place in found} == expected


def test_what_is_beyond_only_by_itself_says_so():
    weak = [0.063, 0.07, 0.077]
    assert verdict(weak).verdict == "not feasible"
    gaps = [Gap("device", name, of_seeds(each)) for name, each in (("a", weak), ("b", [0.0, 0.1]))]
    first, _ = compare(gaps, 0.05, 0.95)
    assert first.ci_low > 0.05
    assert first.verdict == "undecided"
    assert "Holm's correction for 2 comparisons" in first.reason


def test_in_the_long_run_many_equal_arms_are_rarely_called_not_feasible():
    """Ten gaps at the tolerance, two hundred runs: without the correction, a fifth of runs errs."""
    rng = np.random.default_rng(0)
    runs, arms, seeds = 200, 10, 4
    gaps = rng.normal(0.05, 0.01, (runs, arms, seeds))
    wrong = sum(bool(beyond([of_seeds(each) for each in run], 0.05, 0.95)) for run in gaps)
    alone = sum(any(of_seeds(each).interval(0.95).low > 0.05 for each in run) for run in gaps)
    assert alone > 0.12 * runs
    assert wrong <= 0.025 * runs + 3 * (0.025 * 0.975 * runs) ** 0.5


gap = st.floats(-1, 1)


@given(st.lists(gap, min_size=2, max_size=6), st.floats(0, 1))
def test_a_decided_verdict_has_its_interval_on_one_side(gaps, tolerance):
    found = verdict(gaps, tolerance)
    assert found.ci_low <= found.gap <= found.ci_high
    if found.verdict == "feasible":
        assert found.ci_high <= tolerance
    elif found.verdict == "not feasible":
        assert found.ci_low > tolerance


def test_who_is_undecided_by_the_correction_alone_says_so():
    gaps = [0.06, 0.064, 0.068]  # beyond by itself; not one of two
    one, other = of_seeds(gaps), of_seeds([-0.2, 0.0, 0.2])
    (alone,) = compare([Gap("a", "clean", one)], 0.05, 0.95)
    assert (alone.verdict, alone.not_at_once) == ("not feasible", None)
    both = compare([Gap("a", "clean", one), Gap("b", "clean", other)], 0.05, 0.95)
    assert [(each.verdict, each.not_at_once) for each in both] == [
        ("undecided", 2),
        ("undecided", None),
    ]


def test_arms_that_are_feasible_by_themselves_alone_say_so():
    estimates = {"a": of_seeds([0.03, 0.034, 0.038]), "b": of_seeds([-0.2, 0.0, 0.2])}
    gaps = [Gap(name, "clean", each) for name, each in estimates.items()]
    found = compare(gaps, 0.045, 0.95)
    feasible = feasible_at_once(gaps, found, 0.045, 0.95)
    assert (found[0].verdict, feasible) == ("feasible", set())
    said = with_correction(found, feasible)
    assert [each.not_at_once for each in said] == [2, None]
    assert said[0].reason.endswith("but not with Holm's correction for 2 device arms")
    assert said[1] == found[1]
    assert with_correction(found, {"a"}) == found


@pytest.mark.parametrize(("gap", "doubted"), [(-0.06, True), (-0.04, False), (0.06, False)])
def test_a_baseline_behind_by_more_than_the_tolerance_is_doubted(gap, doubted):
    assert verdict([gap - 0.001, gap, gap + 0.001]).baseline_doubted == doubted
