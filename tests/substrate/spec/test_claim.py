"""No limit is named that the runs of its own search contradict, and other limits still are."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import beta

from substrate.spec.axis import Axis
from substrate.spec.claim import check
from substrate.spec.search import Found, Limit, Measured, search_limit
from substrate.spec.sentence import claim_in_words, no_limit

TOLERANCE = 2.0
UNIT = Axis(0, 1)
RATE = Axis(0.16, 16, log=True)

Margin = Callable[[float, np.random.Generator], float]


def found(axis: Axis, margin: Margin, seed: int) -> Found:
    generator = np.random.default_rng(seed)
    return search_limit(
        [axis],
        lambda points: Measured([margin(point[0], generator) for point in points]),
        TOLERANCE,
    )


def noisy(margin: Callable[[float], float]) -> Margin:
    return lambda x, generator: margin(x) + 0.3 * generator.standard_normal()


def stalling(behind: float) -> Margin:
    """Half a point behind, but for a share x / 2 of seeds."""

    def margin(x: float, generator: np.random.Generator) -> float:
        stalls = generator.random() < 0.5 * x
        return TOLERANCE - (behind if stalls else 0.5 + 0.2 * generator.standard_normal())

    return margin


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("behind", [50.0, 102 * TOLERANCE], ids=["stall", "diverge"])
def test_a_typical_run_is_no_mean_where_some_seeds_are_lost(behind: float, seed: int) -> None:
    """The mean is within two points up to 0.06; by a typical run it would be 0.4 and more."""
    result = found(UNIT, stalling(behind), seed)
    claim = check(result, TOLERANCE)
    assert not claim.stands
    assert claim.one_direction
    (said,) = claim_in_words(result, claim, "a", "bp", "2 points", ["x"])
    assert said.startswith(
        f"Not resolved: where a typical run is within 2 points of bp, {claim.lost} of"
        f" {claim.runs} runs diverged or fell behind by more than 3 × 2 points (95 %: "
    )


def test_lost_runs_are_counted_on_the_feasible_side_and_their_share_is_that_of_beta() -> None:
    places = np.linspace(0, 1, 50)
    margins = np.where(places <= 0.7, 1.5, -30.0)
    margins[[3, 9]] = -6.0  # 8 points behind, and so beyond three times the tolerance
    margins[20] = -3.9
    limit = Limit(None, 0.7, 0.65, 0.75, 0.0, 0.0)
    points = [(float(each),) for each in places]
    result = Found([UNIT], False, [limit], 0.95, points, margins.tolist(), True)
    claim = check(result, TOLERANCE)
    assert (claim.runs, claim.lost) == (35, 2)
    assert claim.lost_low == pytest.approx(beta.ppf(0.025, 2, 34))
    assert claim.lost_high == pytest.approx(beta.ppf(0.975, 3, 33))
    assert claim.on_average  # 35 runs, 2 of them 7.5 points worse: 1 point within all the same
    said = claim_in_words(result, claim, "a", "bp", "2 points", ["x"])
    assert said[0] == "Feasible: a within 2 points of bp in a typical run."
    assert said[1] == (
        "Of 35 runs on that side 2 diverged or fell behind by more than 3 × 2 points"
        " (95 %: 0.7 to 19 % of all do)."
    )


def test_what_is_lost_beyond_a_cliff_speaks_against_no_limit_beside_it() -> None:
    points = [(float(each),) for each in np.linspace(0, 1, 51)]
    margins = [1.5 if x <= 0.68 else -200.0 for (x,) in points]
    limit = Limit(None, 0.71, 0.66, 0.74, 0.0, 0.0)
    claim = check(Found([UNIT], False, [limit], 0.95, points, margins, True), TOLERANCE)
    assert claim.lost == 1
    assert claim.stands


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "margin",
    [
        noisy(lambda x: 8 * (0.6 - x)),
        noisy(lambda x: 1.5 if x < 0.6 else -200.0),
        noisy(lambda x: 1),
    ],
    ids=["straight", "diverges beyond", "everywhere"],
)
def test_where_nothing_is_wrong_a_limit_is_named(margin: Margin, seed: int) -> None:
    result = found(UNIT, margin, seed)
    claim = check(result, TOLERANCE)
    assert claim.stands
    said = claim_in_words(result, claim, "a", "bp", "2 points", ["x"])
    assert said[-1] == (
        "Taken for granted: a gets better all the way in one direction of x; the runs do not"
        " contradict it."
    )


def tuned(rate: float) -> float:
    """Half a point behind at 1.6, two at 0.45, and lost above 6."""
    below = max(0.0, (0.5 - RATE.place(rate)) / (0.5 - RATE.place(0.45)))
    return -200.0 if rate > 6 else 1.5 - 1.5 * below**2


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("axis", "margin"),
    [
        (RATE, tuned),
        (UNIT, lambda x: 2 * max(-1.5, 1 - abs(x - 0.5) / 0.2)),
        (UNIT, lambda x: 2 * min((x - 0.25) / 0.15, (0.9 - x) / 0.3)),
        (UNIT, lambda x: 2 * (1 - 4 * float(np.exp(-(((x - 0.4) / 0.1) ** 2))))),
    ],
    ids=["learning rate", "peak", "upper end a little beyond", "dip"],
)
def test_runs_that_contradict_one_direction_leave_no_limit(
    axis: Axis, margin: Callable[[float], float], seed: int
) -> None:
    result = found(axis, noisy(margin), seed)
    claim = check(result, TOLERANCE)
    assert not claim.one_direction
    (said,) = claim_in_words(result, claim, "a", "bp", "2 points", ["x"])
    assert f"which the runs contradict, most at x {result.against_at[0]:g}: give a range" in said
    assert no_limit(result, ["x"]) == f"x: no limit is named, {len(result.points)} runs"


def test_over_two_fields_runs_are_held_against_the_border_between_its_columns() -> None:
    axes = [UNIT, UNIT]
    limits = [Limit(first, first, first - 0.1, first + 0.1, 0.0, 0.0) for first in (0.2, 0.8)]
    points = [(0.5, 0.35), (0.5, 0.65), (0.3, 0.15), (0.3, 0.45), (0.8, 0.65), (0.8, 0.95)]
    claim = check(Found(axes, True, limits, 0.95, points, [-30.0, 1.0] * 3, True), TOLERANCE)
    assert (claim.runs, claim.lost, claim.on_average) == (3, 0, True)
    margins = [-30.0, 1.0, -30.0, -30.0, -30.0, 1.0]
    claim = check(Found(axes, True, limits, 0.95, points, margins, True), TOLERANCE)
    assert (claim.runs, claim.lost, claim.on_average) == (3, 1, False)


def test_where_nothing_is_feasible_there_is_no_share_to_tell() -> None:
    limit = Limit(None, 1.0, 1.0, 1.0, 0.0, 1.0)
    result = Found([UNIT], True, [limit], 0.95, [(0.0,), (1.0,)], [-9.0, -9.0], True)
    claim = check(result, TOLERANCE)
    assert (claim.runs, claim.lost_low, claim.lost_high, claim.stands) == (0, 0.0, 1.0, True)
    assert len(claim_in_words(result, claim, "a", "bp", "2 points", ["x"])) == 2
