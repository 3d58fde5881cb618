import pytest

from substrate.scenario.source import ScenarioError, Source


@pytest.mark.parametrize(
    ("loc", "line"),
    [
        ((), 2),
        (("name",), 2),
        (("arms", "device", "learning", "rule"), 6),
        (("arms", "device", "learning", "absent"), 5),
        (("arms", "device", "absent", "rule"), 4),
        (("arms", "ideal", "rate"), 9),
        (("seeds", 1), 12),
        (("seeds", 7), 10),
        (("absent",), 2),
    ],
)
def test_line_of_the_deepest_key_there_is(source: Source, loc, line: int) -> None:
    assert source.line(loc) == line


def test_a_long_value_is_shortened_in_the_message_alone() -> None:
    error = ScenarioError("is wrong", file="a.yaml", line=3, found="x" * 500)
    assert len(str(error)) < 120
    assert error.found == "x" * 500
    assert str(ScenarioError("is wrong", found=None)) == "is wrong (found nothing)"
