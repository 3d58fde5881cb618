from typing import Any

import pytest

from substrate.record.summary import Summary
from substrate.report import sentences


def test_comparison_in_words(summary: Any) -> None:
    run = Summary.model_validate(summary)
    assert sentences.comparison_in_words(run.comparisons[0], run) == (
        "crossbar against bp: 4.4 points behind (95 % CI 2.1 to 6.7), "
        "tolerance 5.0 points; undecided."
    )


@pytest.mark.parametrize("kind", ["one_seed", "diverged", "interrupted"])
def test_verdict_without_deciding_figures_is_the_reason(
    kind: str, request: pytest.FixtureRequest, summary: Any
) -> None:
    if kind == "interrupted":
        summary["status"] = "interrupted"
    else:
        request.getfixturevalue(kind)
    assert sentences.verdict_in_words(Summary.model_validate(summary)) == summary["verdict_reason"]


def test_verdict_speaks_of_the_largest_gap_that_has_it(summary: Any) -> None:
    behind, ahead = summary["comparisons"]
    behind |= {"verdict": "feasible", "gap": 0.01, "ci_low": 0.0, "ci_high": 0.02}
    summary["verdict"] = ahead["verdict"] = "feasible"
    assert sentences.verdict_in_words(Summary.model_validate(summary)).startswith(
        "The crossbar arm falls 1.6 points behind d"
    )
    behind["gap"] = ahead["gap"] = -0.02
    assert sentences.verdict_in_words(Summary.model_validate(summary)).startswith(
        "The crossbar arm is 2.0 points ahead of bp in"
    )
