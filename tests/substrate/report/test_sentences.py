from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from substrate.record.summary import Summary
from substrate.report import sentences
from substrate.report.table import run_result
from tests.substrate.report.pages import page_of


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


def test_what_could_not_be_measured_is_told_where_it_would_stand(summary: Any) -> None:
    arm = summary["arms"]["crossbar"]
    arm["unmeasured"] = [
        {"seed": seed, "what": what, "why": f"it failed with <{what}>"}
        for seed in (2, 0)
        for what in ("observed noise", "ledger")
    ]
    arm["observed_noise"] = []
    run = Summary.model_validate(summary)
    (said,) = sentences.unmeasured_in_words(run, "ledger")
    assert said == "crossbar: ledger not measured (seeds 0, 2): it failed with <ledger>."
    page = page_of(run)
    assert page.index('id="bill-title"') < page.index("with &lt;ledger") < page.index("arms-title")
    assert page.index('id="noise-title"') < page.index("with &lt;observed noise")
    terminal = StringIO()
    Console(file=terminal, width=120).print(run_result(run, Path("runs/x")))
    assert said in terminal.getvalue()
    assert "observed noise not measured (seeds 0, 2)" in terminal.getvalue()
