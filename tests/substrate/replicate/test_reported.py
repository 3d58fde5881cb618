import pytest

from substrate.replicate.experiments import experiments
from substrate.replicate.reported import reported
from substrate.scenario.source import ScenarioError

# METHOD.md's table, retyped from the paper: train, test
THREE_HIDDEN = {
    "bp": (59.6, 51.5),
    "dbp": (99.6, 54.3),
    "np": (28.1, 28.1),
    "dnp": (44.9, 42.1),
    "anp": (30.4, 30.6),
    "danp": (48.5, 44.4),
    "inp": (32.0, 32.0),
    "dinp": (52.6, 46.3),
}


def test_the_papers_table():
    known = reported()["paper/three_hidden"].paper
    assert {arm: (each.train, each.test) for arm, each in known.items()} == THREE_HIDDEN


def test_what_is_reported_is_of_arms_that_the_scenarios_have():
    for experiment in experiments():
        if experiment.path is not None:
            known = experiment.reported
            assert {*known.paper} <= {*experiment.arms}, experiment.name
            assert {*known.why} <= {*experiment.arms, "all"}, experiment.name
            words = {word for statement in known.statements for word in statement.split()}
            named = words - _WORDS - {word for word in words if word[0].isdigit()}
            assert named <= {*experiment.arms}, experiment.name


_WORDS = {
    *("better", "worse", "than", "within", "of", "closer", "to", "best", "steady", "over"),
    *("decades", "in", "layer", "at", "samples", "most", "behind"),
}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("  papers: {}", r"reported.yaml:2: paper/x.papers: Extra inputs"),
        ("  paper: {bp: {test: 515}}", r"reported.yaml:2: paper/x.paper.bp.test: .*less than"),
        ("  statements: [danp wins]", r"reported.yaml:2: paper/x.statements.0: .*no statement"),
    ],
)
def test_a_slip_of_the_pen_is_named_with_its_line(tmp_path, line, message):
    path = tmp_path / "reported.yaml"
    path.write_text(f"paper/x:\n{line}\n")
    with pytest.raises(ScenarioError, match=message):
        reported(path)


def test_a_reason_is_for_an_arm_or_for_all(tmp_path):
    path = tmp_path / "reported.yaml"
    path.write_text("paper/x: {why: {np: slow}}\npaper/y: {why: {all: short}}\ncrossbar/z:\n")
    known = reported(path)
    assert known["paper/x"].explains("np")
    assert not known["paper/x"].explains("bp")
    assert known["paper/y"].explains("bp")
    assert list(known) == ["paper/x", "paper/y", "crossbar/z"]
