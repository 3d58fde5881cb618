"""What training leaves behind, as it is written in the report and in the terminal."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from substrate.record.afterwards import Afterwards
from substrate.record.summary import Summary
from substrate.report import afterwards
from substrate.report.table import run_result
from substrate.run.arm_summary import _left
from tests.substrate.report.pages import page_of

OF_SEEDS = {
    seed: [
        Afterwards(what="read again", amount=0, test_loss=0.3, test_accuracy=0.90 + 0.01 * seed),
        Afterwards(what="drift", amount=3600.0, test_loss=0.5, test_accuracy=0.80),
        Afterwards(what="failing cells", amount=0.0, untried="cells of <this> cannot be set"),
    ]
    for seed in (0, 2)
}


@pytest.fixture
def aged(summary) -> Summary:
    left = _left(OF_SEEDS, [0, 1, 2], regression=False)
    summary["arms"]["crossbar"]["afterwards"] = [each.model_dump() for each in left]
    return Summary.model_validate_json(json.dumps(summary))


def test_seeds_are_put_together_condition_by_condition():
    read, aged, broken = _left(OF_SEEDS, [0, 1, 2], regression=False)
    assert read.test_accuracy is not None
    assert read.test_accuracy.values == [0.9, None, 0.92]
    assert aged.amount == 3600
    assert broken.untried == "cells of <this> cannot be set"
    assert broken.test_accuracy is None
    assert _left(OF_SEEDS, [0, 2], regression=True)[0].test_accuracy is None
    assert _left({}, [0], regression=False) == []


def test_the_summary_takes_it_and_gives_it_back(aged):
    assert Summary.model_validate_json(aged.as_json()) == aged


def test_rows_begin_with_the_training_and_reasons_name_arms(aged):
    rows = afterwards.rows(aged)
    assert [row.condition for row in rows] == [
        "at the end of training", "read once more", "after an hour",
    ]  # fmt: skip
    assert rows[2].figures == ("80.0 ± 0.0 %, 2 of 3 seeds",)
    assert afterwards.untried(aged) == ["crossbar: no cells failed: cells of <this> cannot be set."]


def test_report_and_terminal_tell_it(aged):
    page = page_of(aged)
    assert page.index("verdict tone") < page.index("left-title") < page.index("arms-title")
    assert "after an hour" in page
    assert "cells of &lt;this&gt; cannot be set" in page
    console = Console(width=100, record=True, file=StringIO())
    console.print(run_result(aged, Path("runs/x")))
    assert "after an hour" in console.export_text()


def test_a_run_without_it_says_nothing_of_it(summary):
    plain = Summary.model_validate_json(json.dumps(summary))
    assert "left-title" not in page_of(plain)
