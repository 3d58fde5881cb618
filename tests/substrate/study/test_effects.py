"""Sobol indices against those that are known in closed form."""

import numpy as np
import pandas as pd
import pytest

from substrate.study.effects import effects
from substrate.study.schema import StudyAxis


def test_of_a_sum_each_term_has_its_share() -> None:
    generator = np.random.default_rng(0)
    x = generator.random((40, 3))
    figure = x[:, 0] + 2 * x[:, 1] + 0.02 * generator.standard_normal(40)
    axes = {name: StudyAxis(field="f", range=(0, 1)) for name in "abc"}
    points = pd.DataFrame({**{name: x[:, i] for i, name in enumerate("abc")}, "gap": figure})
    found = {each.axis: each for each in effects(axes, points, "gap")}
    assert list(found) == ["b", "a", "c"]
    assert found["b"].main[0] == pytest.approx(0.8, abs=0.04)
    assert found["a"].total[0] == pytest.approx(0.2, abs=0.04)
    assert found["c"].total[0] < 0.02


def test_what_only_acts_together_is_interaction_even_of_names_without_order() -> None:
    axes = {
        "a": StudyAxis(field="f", values=[1, 2, 3, 4, 5]),
        "d": StudyAxis(choices={name: {} for name in "pqr"}),
    }
    sign = {"p": -1, "q": 0, "r": 1}
    rows = [(a, d, (a - 3) * sign[d]) for a in range(1, 6) for d in "pqr"]
    for each in effects(axes, pd.DataFrame(rows, columns=["a", "d", "gap"]), "gap"):
        assert each.main[0] < 0.1
        assert each.total[0] > 0.9


def test_too_few_points_tell_nothing() -> None:
    axes = {"a": StudyAxis(field="f", values=[1, 2])}
    assert effects(axes, pd.DataFrame({"a": [1, 2], "gap": [0.0, 1.0]}), "gap") == []


@pytest.mark.parametrize("gap", [0.0, 0.7])  # six times 0.7 has a deviation, by rounding
def test_a_figure_that_never_changes_tells_nothing(gap: float) -> None:
    axes = {"a": StudyAxis(field="f", range=(0, 5))}
    assert effects(axes, pd.DataFrame({"a": range(6), "gap": gap}), "gap") == []
