"""Limits that are known are found: up and down, whole and logarithmic, with one field and two."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from substrate.spec.axis import Axis
from substrate.spec.search import Found, Limit, Measured, _next_points, search_limit, whole
from substrate.spec.sentence import border_in_words, sentence
from substrate.spec.truths import Point, Truths


def found(
    axes: Sequence[Axis],
    margin: Callable[..., float],
    noise: float = 0.1,
    shared: float = 0.0,
    **options: int,
) -> Found:
    generator = np.random.default_rng(0)

    def measure(points: Sequence[Point]) -> Measured:
        margins = [margin(*point) + noise * generator.standard_normal() for point in points]
        return Measured(margins, shared)

    return search_limit(axes, measure, 1.0, **options)


def test_a_limit_above_which_a_device_works() -> None:
    result = found([Axis(0, 10)], lambda x: x - 6.0)
    (limit,) = result.limits
    assert result.rising
    assert result.resolved
    assert limit.low < 6 < limit.high
    assert limit.high - limit.low < 10 / 16
    assert len(result.points) < 30


def test_a_limit_below_which_it_works_on_a_logarithmic_axis() -> None:
    result = found([Axis(0.001, 1, log=True)], lambda x: 2 * np.log(0.05 / x))
    (limit,) = result.limits
    assert not result.rising
    assert limit.low < 0.05 < limit.high


def test_of_whole_numbers_only_such_are_measured() -> None:
    result = found([Axis(2, 12, whole=True)], lambda bits: 1 - float(np.exp(5.6 - bits)))
    assert {point[0] for point in result.points} <= set(range(2, 13))
    assert sentence(result, "adc_bits", "bits").startswith("adc_bits: at least 6 bits (95 %: ")
    assert sentence(result, "adc_bits").endswith(f" {len(result.points)} runs")


def test_a_search_ends_where_two_neighbouring_numbers_are_left() -> None:
    result = found([Axis(2, 12, whole=True)], lambda bits: 1 - float(np.exp(5.1 - bits)), noise=0.5)
    low, high = (
        whole(each, result.rising) for each in (result.limits[0].low, result.limits[0].high)
    )
    assert result.resolved
    assert low <= 6 <= high <= low + 1
    assert len(result.points) < 40


@pytest.mark.parametrize(("margin", "said"), [(2.0, "everywhere"), (-2.0, "nowhere")])
def test_a_range_without_a_limit_says_so_after_few_runs(margin: float, said: str) -> None:
    result = found([Axis(0, 1)], lambda x: margin)
    assert f"feasible {said} between 0 and 1" in sentence(result, "x")
    assert len(result.points) < 25


@pytest.mark.parametrize("crossing", [-1.0, 2.0])
def test_where_all_seems_of_one_kind_both_ends_are_measured(crossing: float) -> None:
    """Few runs do not tell which end is the worse, and the other would never be looked at."""
    drawn = SimpleNamespace(crossings=np.full((400, 1), crossing))
    more = _next_points([Axis(0, 1)], cast(Truths, drawn), 4)
    assert sorted(more) == [(0.0,), (0.0,), (1.0,), (1.0,)]


def test_the_same_figures_lead_to_the_same_runs() -> None:
    first, second = (found([Axis(0, 10)], lambda x: x - 6.0) for _ in range(2))
    assert first.points == second.points
    assert first.limits == second.limits


def test_an_error_that_all_runs_share_widens_the_interval_by_as_much() -> None:
    alone, shared = (
        found([Axis(0, 10)], lambda x: x - 6.0, noise=0.02, shared=each, most_runs=20)
        for each in (0.0, 0.2)
    )
    widths = [each.limits[0].high - each.limits[0].low for each in (alone, shared)]
    # of slope 1: ±2.13 times 0.2, with a third of 0.05 in each tail
    assert widths[0] < 0.3
    assert 0.6 < widths[1] < 1.3


def test_along_whole_numbers_each_is_a_column_once() -> None:
    axes = [Axis(3, 9, whole=True), Axis(0, 1)]
    result = found(axes, lambda bits, y: 5 * (y - 0.1 * bits), most_runs=24)
    assert [each.first for each in result.limits] == pytest.approx([3, 4, 5, 6, 7, 8, 9])


def test_the_border_between_two_fields_is_traced() -> None:
    axes = [Axis(0, 1), Axis(0, 1)]
    result = found(axes, lambda x, y: 5 * (y - 0.2 - 0.5 * x), most_runs=60)
    inside = [limit.low < 0.2 + 0.5 * (limit.first or 0) < limit.high for limit in result.limits]
    assert sum(inside) >= len(inside) - 1
    assert max(limit.high - limit.low for limit in result.limits) < 0.35
    assert border_in_words(result, ("x", "y"))[0].startswith("at x 0, y: at least 0.2")


def test_of_whole_numbers_the_interval_is_of_those_that_are_feasible() -> None:
    """A border between 4.2 and 5.8 bits: 5 or 6 are needed, and 6 lies in that."""
    axes, points = [Axis(2, 9, whole=True)], [(5.0,)] * 9
    limit = Limit(None, 5.2, 4.2, 5.8, 0.0, 0.0)
    rising = Found(axes, True, [limit], 0.95, points, [0.0] * 9, True)
    assert sentence(rising, "adc", "bits") == "adc: at least 6 bits (95 %: 5 to 6), 9 runs"
    falling = Found(axes, False, [limit], 0.95, points, [0.0] * 9, True)
    assert sentence(falling, "adc") == "adc: at most 5 (95 %: 4 to 5), 9 runs"


def test_nothing_is_said_to_be_certain() -> None:
    for probability, said in ((0.9996, "over 99 % sure"), (0.94, "94 % sure")):
        limit = Limit(None, 1.0, 1.0, 1.0, 0.0, probability)
        result = Found([Axis(0, 1)], True, [limit], 0.95, [(0.0,)], [0.0], True)
        assert said in sentence(result, "x")


def test_borders_have_the_units_of_both_fields() -> None:
    limit = Limit(6.0, 0.05, 0.04, 0.06, 0.0, 0.0)
    axes = [Axis(3, 9, whole=True), Axis(0.01, 0.3, log=True)]
    result = Found(axes, False, [limit], 0.95, [(6.0, 0.1)], [0.0], True)
    (line,) = border_in_words(result, ("adc", "noise"), ("bits", "of g_max"))
    assert line == "at adc 6 bits, noise: at most 0.05 of g_max (95 %: 0.04 to 0.06)"


@pytest.mark.parametrize(("whole", "none", "cut"), [(False, 0.02, True), (True, 0.02, False)])
def test_an_interval_is_cut_off_where_more_than_its_tail_lies_beyond(
    whole: bool, none: float, cut: bool
) -> None:
    """A tail is a third of 5 %, of whole numbers half of it."""
    limit = Limit(None, 5.0, 2.0, 6.0, 0.0, none)
    result = Found([Axis(2, 9, whole=whole)], False, [limit], 0.95, [(5.0,)], [0.0], True)
    assert ("cut off by the range" in sentence(result, "x")) is cut
