"""What is said of a limit that was found."""

from types import SimpleNamespace

import pytest

from substrate.spec.axis import Axis
from substrate.spec.search import Found, Limit
from substrate.study.limit_session import _said, short
from substrate.study.limits import Question

FIELD = "arms.a.chip.output_converter.bits"


def said(gaps: list[float]) -> list[str]:
    axis = Axis(2, 9, whole=True)
    meaning = "Resolution in bits, or exact: infinitely fine."
    question = Question((FIELD,), (axis,), "a", "", 0.02, "2 points", None, (meaning,))
    found = Found([axis], True, [Limit(None, 5.2, 4.2, 5.8, 0.0, 0.0)], 0.95, [(5.0,)], [0.0], True)
    return _said(question, found, SimpleNamespace(against="bp", gaps=gaps), None)


def test_the_sentence_has_the_unit_of_its_field() -> None:
    first, feasible = said([0.01, 0.0, -0.05])
    assert first == "output_converter.bits: at least 6 bits (95 %: 5 to 6), 1 runs."
    assert feasible == "Feasible: a within 2 points of bp, on average."


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
