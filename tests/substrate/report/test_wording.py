from typing import Any

import pytest

from substrate.record.summary import Measure
from substrate.report import wording


@pytest.mark.parametrize(
    ("gap", "metric", "words"),
    [
        (0.0411, "test_accuracy", "4.1 points behind"),
        (-0.0122, "test_accuracy", "1.2 points ahead"),
        (-0.0002, "test_accuracy", "level"),
        (0.0123, "test_loss", "0.0123 behind"),
        (-2.5e-06, "test_loss", "2.5e-06 ahead"),
    ],
)
def test_gap_in_words(gap: float, metric: Any, words: str) -> None:
    assert wording.behind_or_ahead(gap, metric) == words


@pytest.mark.parametrize(
    ("gap", "number"), [(0.05, "5.0"), (-0.019, "−1.9"), (-0.0001, "0.0"), (None, "–")]
)
def test_gap_number(gap: float | None, number: str) -> None:
    assert wording.gap_number(gap, "test_accuracy") == number


@pytest.mark.parametrize(
    ("mean", "std", "written"),
    [
        (0.15733, 0.01904, "0.157 ± 0.019"),
        (0.06867, 0.00833, "0.0687 ± 0.0083"),
        (31.4, 2.0, "31.4 ± 2.0"),
        (2e9, 1e9, "2e+09 ± 1e+09"),
        (0.5, 0.0, "0.5 ± 0"),
    ],
)
def test_loss_has_the_decimals_of_its_deviation(mean: float, std: float, written: str) -> None:
    measure = Measure(mean=mean, std=std, values=[mean - std, mean + std])
    assert wording.mean_and_deviation(measure, "test_loss") == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(8.42, "8.4 s"), (81.2, "81 s"), (725.0, "12 min 5 s"), (12030.0, "3 h 20 min")],
)
def test_duration(seconds: float, written: str) -> None:
    assert wording.duration(seconds) == written


@pytest.mark.parametrize(
    ("low", "high", "metric", "signed", "said"),
    [
        (0.021, 0.067, "test_accuracy", "2.1 to 6.7", "2.1 to 6.7"),
        (-0.763, -0.265, "test_accuracy", "−76.3 to −26.5", "26.5 to 76.3 ahead"),
        # no arm is behind by more than all test samples
        (-0.128, 1.073, "test_accuracy", "−12.8 to 100.0", "12.8 ahead to 100.0 behind"),
        (-2.5, 1.5, "test_loss", "−2.5 to 1.5", "2.5 ahead to 1.5 behind"),
    ],
)
def test_ends_of_an_interval(low: float, high: float, metric: Any, signed: str, said: str) -> None:
    assert wording.ends(low, high, metric) == signed
    assert wording.sided(low, high, metric) == said


@pytest.mark.parametrize(
    ("fraction", "written"),
    [
        (0.92, "92.0 %"),
        (0.9996, "99.96 %"),  # four errors in 10,000 are some
        (0.99996, "99.996 %"),
        (1.0, "100.0 %"),
        (0.0002, "0.02 %"),
        (0.0, "0.0 %"),
        (1e-9, "0.0000 %"),
        (None, "–"),
    ],
)
def test_nearly_all_is_not_all(fraction: float | None, written: str) -> None:
    assert wording.percent(fraction) == written


def test_a_mean_below_all_is_not_written_as_all() -> None:
    measure = Measure(mean=0.9996, std=0.0001, values=[0.9995, 0.9997])
    assert wording.mean_and_deviation(measure, "test_accuracy") == "99.96 ± 0.0 %"


@pytest.mark.parametrize(
    ("high", "metric", "tolerance", "written"),
    [
        (0.0504, "test_accuracy", 0.05, "0.0 to 5.04"),  # beyond, and the verdict knows
        (0.0496, "test_accuracy", 0.05, "0.0 to 4.96"),
        (0.05, "test_accuracy", 0.05, "0.0 to 5.0"),
        (0.06, "test_accuracy", 0.05, "0.0 to 6.0"),
        (0.020004, "test_loss", 0.02, "0 to 0.020004"),
    ],
)
def test_an_end_beyond_the_tolerance_is_not_written_as_it(
    high: float, metric: Any, tolerance: float, written: str
) -> None:
    assert wording.ends(0.0, high, metric, tolerance) == written
