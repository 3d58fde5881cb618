"""What is said of a limit that was found."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from substrate.api.limits import Limit as ApiLimit
from substrate.spec.axis import Axis
from substrate.spec.claim import check
from substrate.spec.search import Found, Limit
from substrate.study.limit_session import _record, _round, _said, short
from substrate.study.limits import Question
from substrate.terminal import Console

FIELD = "arms.a.chip.output_converter.bits"
AXIS = Axis(2, 9, whole=True)
LIMIT = Limit(None, 5.2, 4.2, 5.8, 0.0, 0.0)
FOUND = Found([AXIS], True, [LIMIT], 0.95, [(8.0,)] * 3, [0.01, 0.02, 0.07], True)
MEANING = "Resolution in bits, or exact: infinitely fine."
QUESTION = Question((FIELD,), (AXIS,), "a", "", 0.02, "2 points", "energy", (MEANING,))


def runs(gaps: list[float]) -> Any:
    bills = [None] * len(gaps)
    return SimpleNamespace(against="bp", gaps=gaps, points=FOUND.points, bills=bills)


def said(gaps: list[float], found: Found = FOUND, question: Question = QUESTION) -> list[str]:
    return _said(question, found, check(found, 0.02), runs(gaps), None)


def test_the_sentence_has_the_unit_of_its_field_and_what_was_checked() -> None:
    assert said([0.01, 0.0, -0.05], question=replace(QUESTION, least=None)) == [
        "output_converter.bits: at least 6 bits (95 %: 5 to 6), 3 runs.",
        "Feasible: a within 2 points of bp in a typical run.",
        "Of 3 runs on that side none diverged or fell behind by more than 3 × 2 points (95 %:"
        " at most 71 % of all do).",
        "Taken for granted: a gets better all the way in one direction of output_converter.bits;"
        " the runs do not contradict it.",
    ]


@pytest.mark.parametrize(
    ("found", "why", "checks"),
    [
        (
            replace(FOUND, margins=[0.01, 0.01, -0.5]),
            "Not resolved: where a typical run is within 2 points of bp, 1 of 3 runs diverged",
            {"lost": 1, "on_average": False, "one_direction": True, "contradicted_at": None},
        ),
        (
            replace(FOUND, against=0.99, against_at=(9,)),
            "The search takes a to get better all the way in one direction of output_conv",
            {"lost": 0, "on_average": True, "one_direction": False, "contradicted_at": [9]},
        ),
    ],
    ids=["lost", "direction"],
)
def test_a_limit_that_the_runs_contradict_is_named_nowhere(
    found: Found, why: str, checks: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said([0.01, 0.01, 0.52], found)
    assert lines[0] == "output_converter.bits: no limit is named, 3 runs."
    assert lines[1].startswith(why)
    assert lines[2:] == ["Without a limit there is no least energy."]
    _round(Console(), QUESTION, found)
    assert capsys.readouterr().out == "after 3 runs: no limit that they do not contradict\n"
    made = runs([0.01, 0.01, 0.52])
    record = _record(QUESTION, found, check(found, 0.02), made, lines, None)
    assert record["resolved"] is False
    assert record["checked"].items() >= {"limit_named": False, "runs": 3, **checks}.items()
    assert set(record["limits"][0].values()) == {None}
    text = limit_frame(record).to_dict("records")
    assert all(math.isnan(each) for each in text[0].values())


def limit_frame(record: dict[str, Any]) -> Any:
    return ApiLimit(SimpleNamespace(record=record)).limits  # type: ignore[arg-type]


def test_a_baseline_that_most_runs_are_far_ahead_of_is_doubted() -> None:
    assert said([0.01, -0.03, -0.05])[-1] == (
        "bp is probably badly tuned (learning rate, or too few epochs): a is ahead of it by more"
        " than 2 points in 2 of 3 runs."
    )


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("arms.device.chip.converters.adc_bits", "converters.adc_bits"),
        ("arms.ecram v1.2.chip.read_noise", "read_noise"),
        ("arms.device.learning.optimiser.learning_rate", "optimiser.learning_rate"),
        ("network.layers", "network.layers"),
    ],
)
def test_a_data_sheet_names_a_field_without_its_arm(field: str, expected: str) -> None:
    assert short(field) == expected
