"""What is said of a study's points."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pandas as pd
import pytest

from substrate.study.effects import Effect
from substrate.study.schema import StudyAxis
from substrate.study.views import (
    StudyView,
    headline,
    in_words,
    left_out,
    left_out_in_words,
    study_views,
)

Row = tuple[float | None, str, int]
"""Gap, verdict, and how many of three seeds diverged."""

LEVEL: Sequence[Row] = [(0.01, "feasible", 0)] * 4
LOST: Row = (None, "not feasible", 3)


def views_of(field: str, arms: dict[str, Sequence[Row]]) -> list[StudyView]:
    """Over four values of an axis `x`."""
    rows = [
        (point, arm, *row) for arm, figures in arms.items() for point, row in enumerate(figures)
    ]
    points = pd.DataFrame(rows, columns=["point", "arm", "gap", "verdict", "diverged"])
    points = points.assign(
        x=points["point"], baseline="clean", not_at_once=None, baseline_doubted=False, seeds=3
    )
    axes = {"x": StudyAxis(field=field, values=[0, 1, 2, 3])}
    plan = SimpleNamespace(study=SimpleNamespace(axes=axes))
    return study_views(plan, points.astype({"gap": float}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "rows",
    [
        [LEVEL[0], LOST, LOST, LOST],
        [LOST] * 4,
        [(0.86, "not feasible", 0)] * 4,  # stuck at chance
    ],
    ids=["known at one point", "diverged everywhere", "stuck"],
)
@pytest.mark.parametrize("field", ["training.epochs", "arms.danp.chip.bits"])
def test_an_arm_that_the_axes_set_never_vanishes(rows: Sequence[Row], field: str) -> None:
    own = views_of(field, {"danp": rows})
    assert [each.arm for each in own] == ["danp"]
    both = views_of("training.epochs", {"danp": rows, "mirror": LEVEL})
    counts = sum(verdict == "feasible" for _, verdict, _ in rows)
    assert headline(both) == (
        f"danp: {counts} of 4 points feasible; mirror: 4 of 4 points feasible"
    )


def test_an_arm_that_no_axis_sets_is_named_as_left_out() -> None:
    views = views_of("arms.danp.chip.bits", {"danp": [LOST] * 4, "danp.2": LEVEL})
    assert [each.arm for each in views] == ["danp"]
    comparisons = [SimpleNamespace(arm=arm) for arm in ("danp", "danp.2", "danp.2")]
    others = left_out(views, SimpleNamespace(comparisons=comparisons))  # type: ignore[arg-type]
    assert headline(views, others) == "danp: 0 of 4 points feasible"
    assert left_out_in_words(others) == ("Left out, since no axis sets anything of theirs: danp.2.")
    assert not left_out_in_words([])


def test_what_matters_most_is_not_told_of_seeds_that_are_left() -> None:
    rows: list[Row] = [(0.01, "feasible", 0), (0.02, "feasible", 0)]
    (view,) = views_of("arms.danp.bits", {"danp": [*rows, (0.0, "not feasible", 2), LOST]})
    view = view._replace(effects=[Effect("x", (0.9, 0.8, 1.0), (0.9, 0.8, 1.0), 0.1)])
    assert in_words(view) == (
        "danp: seeds diverged at 2 of 4 points (by x: 0 of 6 seeds at 0 and 1; 2 of 3 at 2; 3 of 3"
        " at 3). Gaps are of the seeds that are left, so they cannot tell which axis matters most."
    )


def test_where_as_many_seeds_diverge_at_all_points_the_rest_is_told_with_that() -> None:
    (view,) = views_of("arms.danp.bits", {"danp": [(0.01, "not feasible", 1)] * 4})
    assert in_words(view) == (
        "danp: seeds diverged at 4 of 4 points, the same share of them at each."
    )
    view = view._replace(effects=[Effect("x", (0.9, 0.8, 1.0), (0.9, 0.8, 1.0), 0.1)])
    assert "Of the seeds that are left, x matters most; by itself it makes 90.0 %" in in_words(view)
    (view,) = views_of("arms.danp.bits", {"danp": [LOST] * 4})
    assert in_words(view) == "danp: all seeds diverged at all 4 points."


def test_a_point_is_feasible_against_all_baselines() -> None:
    rows = [
        # the furthest is within the tolerance, the other is not known to be
        (0, 4, "clean", 0.04, "feasible", None),
        (0, 4, "other", 0.03, "undecided", 2),
        (1, 6, "clean", 0.02, "feasible", None),
        (1, 6, "other", -0.2, "feasible", None),
    ]
    columns = ["point", "bits", "baseline", "gap", "verdict", "not_at_once"]
    points = pd.DataFrame(rows, columns=columns).astype({"not_at_once": "Int64"})
    points["arm"] = "device"
    points["baseline_doubted"] = points["gap"] < -0.1
    points["seeds"], points["diverged"] = 3, [0, 0, 1, 1]
    plan = SimpleNamespace(
        study=SimpleNamespace(axes={"bits": StudyAxis(field="a", values=[4, 6])})
    )
    (view,) = study_views(plan, points)  # type: ignore[arg-type]
    assert view.points["verdict"].tolist() == ["undecided", "feasible"]
    assert view.points["gap"].tolist() == [0.04, 0.02]
    assert headline([view]) == "1 of 2 points feasible, 1 undecided"
    assert view.points["note"].tolist() == [
        "against other, by Holm's correction for 2 comparisons",
        "diverged in 1 of 3 seeds",
    ]
    assert list(view.doubts) == [
        "other is probably badly tuned (learning rate, or too few epochs): device is ahead of it by"
        " more than the tolerance at 1 of 2 points."
    ]


def test_totals_that_hold_interactions_are_not_called_shares() -> None:
    effects = [
        Effect("bits", (0.7, 0.6, 0.8), (0.9, 0.8, 0.95), 0.2),
        Effect("noise", (0.1, 0.0, 0.2), (0.3, 0.2, 0.4), 0.1),
    ]
    whole = pd.DataFrame({"diverged": [0, 0], "seeds": [3, 3]})
    said = in_words(StudyView("device", whole, effects))
    first, _, rest = said.partition(". ")
    assert first == (
        "device: bits matters most; by itself it makes 70.0 % (60.0 % to 80.0 %) of the gap's"
        " variance; noise 10.0 %"
    )
    assert rest.startswith("With what it makes together with others: bits 90.0 %, noise 30.0 %")
    assert rest.endswith("these may add up to more than 100 %.")
    alone = in_words(StudyView("device", whole, effects[:1]))
    assert alone.endswith("variance.")
