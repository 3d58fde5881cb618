"""Where seeds diverged, in words."""

import numpy as np
import pandas as pd

from substrate.study.divergences import diverged_in_words


def test_scattered_values_are_told_of_by_fifths() -> None:
    points = pd.DataFrame({"noise": np.linspace(0.0, 1.0, 11), "seeds": 3})
    points["diverged"] = np.where(points["noise"] > 0.85, 2, 0)
    assert diverged_in_words(["noise"], points) == (
        "seeds diverged at 2 of 11 points (by noise: 0 of 27 seeds at 0 to 0.2, 0.3 to 0.4, 0.5 to"
        " 0.6 and 0.7 to 0.8; 4 of 6 at 0.9 to 1)"
    )


def test_axes_that_lose_seeds_only_together_are_not_blamed_by_themselves() -> None:
    points = pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "diverged": [1, 0, 0, 1]})
    assert diverged_in_words(["a", "b"], points.assign(seeds=2)) == (
        "seeds diverged at 2 of 4 points (along every axis by itself alike)"
    )


def test_nothing_is_said_where_none_diverged() -> None:
    assert not diverged_in_words(["a"], pd.DataFrame({"a": [1], "diverged": [0], "seeds": [3]}))
