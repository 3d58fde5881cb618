"""What is said of a study's points."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from substrate.study.effects import Effect
from substrate.study.schema import StudyAxis
from substrate.study.views import StudyView, headline, in_words, study_views


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
    said = in_words(StudyView("device", pd.DataFrame(), effects))
    first, _, rest = said.partition(". ")
    assert first == (
        "device: bits matters most; by itself it makes 70.0 % (60.0 % to 80.0 %) of the gap's"
        " variance; noise 10.0 %"
    )
    assert rest.startswith("With what it makes together with others: bits 90.0 %, noise 30.0 %")
    assert rest.endswith("these may add up to more than 100 %.")
    alone = in_words(StudyView("device", pd.DataFrame(), effects[:1]))
    assert alone.endswith("variance.")
