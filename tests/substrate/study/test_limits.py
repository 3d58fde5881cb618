"""What may be asked of `substrate spec`."""

from dataclasses import replace
from pathlib import Path

import pytest

from substrate.cli.scenario import open_scenario
from substrate.scenario.load import checked
from substrate.scenario.source import ScenarioError
from substrate.spec.axis import Axis
from substrate.study.limit_session import ask
from substrate.study.limits import Question, axis_of, check_tolerance, tolerance_of

BITS = "arms.native.chip.output_converter.bits"


def axis(words: str) -> Axis:
    scenario, source = open_scenario(Path("native_danp"), [], "full")
    return axis_of(words, source, scenario)[1]


def test_whole_numbers_lie_within_the_range_that_is_given() -> None:
    assert axis(f"{BITS}=2.5:6") == Axis(3, 6, whole=True)
    assert axis(f"{BITS}=3:5.9") == Axis(3, 5, whole=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (f"{BITS}=2.5:3.5", "two at least"),
        ("data.limit_train=100:400", "the data are the same"),
    ],
)
def test_a_field_or_range_of_no_use_is_refused(words: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        axis(words)


@pytest.mark.parametrize(
    ("field", "now"),
    [("learning.optimiser.learning_rate", 0.1), ("learning.decorrelation.rate", 0.001)],
)
def test_a_learning_rate_needs_a_range_on_one_side_of_the_best(field: str, now: float) -> None:
    path = f"arms.native.{field}"
    with pytest.raises(ScenarioError) as refused:
        axis(path)
    for said in (f"--vary {path}", "both sides", f"found {now}", f"--vary {path}=LOW:HIGH:log"):
        assert said in str(refused.value)
    assert axis(f"{path}=0.001:0.1:log") == Axis(0.001, 0.1, log=True)


@pytest.mark.parametrize("name", ["noise 0.1", "noise=0.1"])
def test_a_field_may_be_of_an_arm_whose_name_holds_a_dot_or_an_equals_sign(name: str) -> None:
    _, source = open_scenario(Path("native_danp"), [], "full")
    arms = {each: source.data["arms"]["native"] for each in ("noise", name)}
    source = replace(source, data={**source.data, "arms": arms})
    field = BITS.replace("native", name)
    question = ask([f"{field}=3:5"], "1 point", None, None, None, checked(source), source)
    assert (question.fields, question.arm) == ((field,), name)
    assert question.meanings[0].startswith("Resolution in bits")


@pytest.mark.parametrize(
    ("within", "regression", "said"),
    [
        ("2 points", True, "a loss has no points"),
        ("2 %", True, "a loss has no points"),
        ("2", False, "'2 points'"),
        ("150 points", False, "so far in accuracy"),
        ("0.02", True, ""),
        ("1e-2", True, ""),
        ("2.5", True, ""),
        ("2 points", False, ""),
        ("0.02", False, ""),
    ],
)
def test_the_distance_is_one_of_the_metric(within: str, regression: bool, said: str) -> None:
    question = Question((BITS,), (Axis(2, 9),), "native", "", tolerance_of(within), within)
    if not said:
        check_tolerance(question, regression=regression)
        return
    with pytest.raises(ScenarioError, match=said):
        check_tolerance(question, regression=regression)
