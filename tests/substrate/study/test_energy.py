"""Which point of a study takes the least energy, and what its figure lacks."""

import pandas as pd

from substrate.study.energy import least_energy

PULSES = "energy of pulses on cells; time of slots of pulse trains"
NO_PRICE = "for want of a published figure that fits"


def said(rows: list[tuple[str, float | None, str | None, str]]) -> str:
    columns = ["device", "training_joules", "without_price", "verdict"]
    points = pd.DataFrame(rows, columns=columns)
    points["arm"], points["tolerance"], points["untold"] = "native", 0.02, None
    # in capitals: feasible by its own verdict alone
    points["feasible_at_once"] = points["verdict"] == "feasible"
    points["verdict"] = points["verdict"].str.lower()
    return least_energy(points, ["device"], "test_accuracy")


def test_the_least_of_whole_sums_is_named() -> None:
    assert said([("a", 2e-3, None, "feasible"), ("b", 1e-3, None, "feasible")]) == (
        "native: the least energy within 2.0 points is 1 mJ to train, at device b."
    )


def test_sums_that_lack_the_same_are_compared_and_what_they_lack_is_named() -> None:
    assert said([("a", 2e-3, PULSES, "feasible"), ("b", 1e-3, PULSES, "feasible")]) == (
        "native: the least energy within 2.0 points is ≥ 1 mJ to train, at device b. Not in the"
        f" bill, {NO_PRICE}: energy of pulses on cells."
    )


def test_of_sums_that_lack_different_things_none_is_the_least() -> None:
    rows = [("a", 2e-3, None, "feasible"), ("b", 1e-3, PULSES, "feasible")]
    expected = (
        "native: which point has the least energy within 2.0 points is not known, since their sums"
        f" lack different things. Not in the bill, {NO_PRICE}: energy of pulses on cells (in 1 of 2"
        " feasible points)."
    )
    assert said(rows) == expected
    assert said([rows[0], ("b", None, PULSES, "feasible")]) == expected  # nothing has a price


def test_undecided_points_are_no_cheaper_for_what_their_sums_lack() -> None:
    rows = [("a", 2e-3, None, "feasible"), ("b", 1e-3, PULSES, "undecided")]
    assert said(rows).endswith("at device a.")
    assert said([*rows, ("c", 1e-3, None, "undecided")]).endswith("; 1 undecided points take less.")


def test_what_only_the_time_lacks_leaves_energies_whole() -> None:
    time = "time of slots of pulse trains"
    assert "is 1 mJ" in said([("a", 2e-3, time, "feasible"), ("b", 1e-3, None, "feasible")])


def test_a_point_that_is_feasible_by_its_own_verdict_alone_is_not_named() -> None:
    rows = [("a", 2e-3, None, "FEASIBLE"), ("b", 1e-3, None, "not feasible")]
    assert said(rows) == (
        "native: no point is named for the least energy within 2.0 points: 1 of 2 points are"
        " feasible by their own verdicts, but none of these with Holm's correction for picking one"
        " among 2; more seeds may tell."
    )
    assert said([*rows, ("c", 3e-3, None, "feasible")]) == (
        "native: the least energy within 2.0 points is 3 mJ to train, at device c; 1 points that"
        " are feasible by their own verdicts alone take less."
    )
