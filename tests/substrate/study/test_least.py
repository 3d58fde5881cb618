"""The least energy within a limit, of bills that are known in full or in part."""

from dataclasses import replace

import numpy as np
import pytest

from substrate.record.bill import Amount, Bill
from substrate.spec.axis import Axis
from substrate.spec.search import Found, Limit
from substrate.study.least import in_words, least_of, none_in_words

BITS = Axis(2, 10, whole=True)
NOISE = Axis(0.01, 0.1, log=True)


def bill(joules: float, *without_price: str) -> Bill:
    empty = dict.fromkeys(Bill.model_fields, None) | {
        "items": [],
        "without_price": list(without_price),
        "untold": [],
    }
    amount = Amount(value=joules, low=joules / 10, high=10 * joules)
    return Bill.model_validate(empty | {"training_joules": amount})


def limit(at: float | None, low: float, middle: float, high: float, none: float = 0.0) -> Limit:
    return Limit(at, middle, low, high, 0.0, none)


def found(axes: list[Axis], limits: list[Limit], points: list[tuple[float, ...]]) -> Found:
    return Found(axes, True, limits, 0.95, points, [0.0] * len(points), True)


def test_of_bits_it_is_the_first_feasible_number() -> None:
    points = [(float(bits),) for bits in (2, 3, 5, 6, 8, 10)]
    bills = [bill(1e-3 * 2 ** point[0]) for point in points]
    least = least_of(found([BITS], [limit(None, 4.6, 5.3, 6.2)], points), bills, "energy")
    assert least is not None
    assert least.at == (6,)
    assert least.value == pytest.approx(64e-3, rel=0.05)
    assert (least.low, least.high) == pytest.approx((32e-3, 128e-3), rel=0.1)  # of 5 and 7 bits
    said = in_words(least, ["adc"], ["bits"], "2 points")
    assert said.startswith("Least energy within 2 points: 6")
    assert said.endswith("at adc 6 bits.")


def test_a_field_that_costs_less_beyond_its_limit_is_taken_to_its_end() -> None:
    points = [(float(bits),) for bits in (2, 3, 5, 6, 8, 10)]
    bills = [bill(1e-3 / 2 ** point[0]) for point in points]
    least = least_of(found([BITS], [limit(None, 4.6, 5.3, 6.2)], points), bills, "energy")
    assert least is not None
    assert least.at == (10,)


def test_over_two_fields_it_is_the_cheapest_place_on_the_border() -> None:
    points = [(noise, float(bits)) for noise in (0.01, 0.03, 0.1) for bits in (2, 4, 6, 8, 10)]
    bills = [bill(1e-3 * 2**bits) for _, bits in points]
    columns = [NOISE.value(place) for place in np.linspace(0, 1, 9)]
    limits = [limit(noise, 3 + k, 3.5 + k, 4 + k) for k, noise in enumerate(columns)]
    limits[-1] = limit(columns[-1], 10, 10, 10, none=0.9)
    least = least_of(found([NOISE, BITS], limits, points), bills, "energy")
    assert least is not None
    assert least.at == (0.01, 4)
    assert least.value == pytest.approx(16e-3, rel=0.1)


def test_nothing_feasible_or_no_figures_has_no_least() -> None:
    points = [(float(bits),) for bits in (2, 5, 10)]
    nowhere = found([BITS], [limit(None, 10, 10, 10, none=0.8)], points)
    assert least_of(nowhere, [bill(1.0)] * 3, "energy") is None
    somewhere = found([BITS], [limit(None, 4, 5, 6)], points)
    assert least_of(somewhere, [None] * 3, "energy") is None
    assert least_of(somewhere, [bill(1.0)] * 3, "time") is None


@pytest.mark.parametrize("order", [1, -1])
def test_what_unit_costs_leave_is_that_of_the_nearest_run(order: int) -> None:
    """Converters that are known to a factor 10 take over from pulses that are known to 100."""
    points = [(float(bits),) for bits in (2, 3, 5, 6, 8, 10)][::order]
    bills = []
    for (bits,) in points:
        pulses, converters = 1.0, 1e-3 * 4**bits
        low, high = pulses / 100 + converters / 10, pulses * 100 + converters * 10
        amount = Amount(value=pulses + converters, low=low, high=high)
        bills.append(bill(1.0).model_copy(update={"training_joules": amount}))
    least = least_of(found([BITS], [limit(None, 4.6, 5.3, 6.2)], points), bills, "energy")
    assert least is not None
    assert least.at == (6,)
    at_six = bills[points.index((6.0,))].training_joules
    assert at_six is not None
    assert least.factor_low == pytest.approx(at_six.low / at_six.value)
    assert least.factor_high == pytest.approx(at_six.high / at_six.value)


def test_over_few_whole_numbers_each_stands_for_itself() -> None:
    few = Axis(4, 6, whole=True)
    points = [(float(bits), noise) for bits in (4, 5, 6) for noise in (0.01, 0.03, 0.1)]
    bills = [bill(2**bits) for bits, _ in points]
    nowhere = limit(None, 0.1, 0.1, 0.1, none=0.9)
    limits = [
        replace(nowhere, first=4.0),
        replace(nowhere, first=5.0),
        limit(6.0, 0.02, 0.03, 0.04),
    ]
    least = least_of(found([few, NOISE], limits, points), bills, "energy")
    assert least is not None
    assert least.at[0] == 6
    assert least.value == pytest.approx(64, rel=0.1)


def test_a_least_sum_that_lacks_something_says_so() -> None:
    points = [(float(bits),) for bits in (2, 5, 10)]
    somewhere = found([BITS], [limit(None, 4, 5, 6)], points)
    names = "time of lines programmed", "energy of cells programmed"
    least = least_of(somewhere, [bill(1.0, *names)] * 3, "energy")
    assert least is not None
    said = in_words(least, ["adc"], ["bits"], "2 points")
    assert said.startswith("Least energy within 2 points: ≥ 1 J to train")
    assert said.endswith(
        " Not in the bill, for want of a published figure that fits: energy of cells programmed."
    )


def test_sums_that_lack_different_things_have_no_least() -> None:
    points = [(float(bits),) for bits in (2, 5, 10)]
    somewhere = found([BITS], [limit(None, 4, 5, 6)], points)
    bills = [bill(1.0, "energy of pulses on cells"), bill(2.0), bill(3.0)]
    assert least_of(somewhere, bills, "energy") is None
    assert none_in_words(bills, "energy") == (
        "The least energy is not known, since the sums of the runs lack different things. Not in"
        " the bill, for want of a published figure that fits: energy of pulses on cells (in 1 of 3"
        " runs)."
    )
    assert none_in_words(bills, "time") == "No time is known of what is feasible."
