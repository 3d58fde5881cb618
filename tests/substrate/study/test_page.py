"""The page of a study."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from substrate.study.page import headline, study_views
from substrate.study.schema import StudyAxis


def test_a_point_is_feasible_against_all_baselines() -> None:
    rows = [
        # the furthest is within the tolerance, the other is not known to be
        (0, 4, "clean", 0.04, "feasible"),
        (0, 4, "other", 0.03, "undecided"),
        (1, 6, "clean", 0.02, "feasible"),
        (1, 6, "other", 0.01, "feasible"),
    ]
    points = pd.DataFrame(rows, columns=["point", "bits", "baseline", "gap", "verdict"])
    points["arm"] = "device"
    plan = SimpleNamespace(
        study=SimpleNamespace(axes={"bits": StudyAxis(field="a", values=[4, 6])})
    )
    (view,) = study_views(plan, points)  # type: ignore[arg-type]
    assert view.points["verdict"].tolist() == ["undecided", "feasible"]
    assert view.points["gap"].tolist() == [0.04, 0.02]
    assert headline([view]) == "1 of 2 points feasible, 1 undecided"
