import pytest

from substrate.replicate.experiments import chosen, experiments
from substrate.replicate.measured import read_run
from substrate.scenario.source import ScenarioError


def test_they_are_found_below_both_groups_and_nowhere_else(shipped):
    (shipped / "small.yaml").write_text("name: no experiment\n")
    found = experiments()
    assert [each.name for each in found] == ["crossbar/small", "paper/small"]
    small = found[1]
    assert (small.title, small.arms) == ("A small experiment", ["np", "bp"])
    assert small.budgets == ["full", "short"]
    assert small.folder(shipped, "short") == shipped / "paper-small-short"


def test_the_order_is_that_of_what_is_reported(report):
    report(late={"paper": {"np": {"test": 30}}}, small={})
    found = experiments()
    assert [each.name for each in found] == ["paper/late", "paper/small", "crossbar/small"]
    assert found[0].path is None
    assert found[0].arms == ["np"]


def test_names_with_and_without_their_group(report):
    report(late={})
    known = experiments()
    assert [each.name for each in chosen(["paper/small"], known)] == ["paper/small"]
    assert [each.name for each in chosen([], known)] == ["crossbar/small", "paper/small"]
    with pytest.raises(ScenarioError, match=r"several experiments.*crossbar/small or paper/small"):
        chosen(["small"], known)
    with pytest.raises(ScenarioError, match="has no scenario file"):
        chosen(["late"], known)
    with pytest.raises(ScenarioError, match="did you mean 'paper/small'"):
        chosen(["paper/smal"], known)


def test_settings_that_have_changed_since_a_run_are_named(shipped, leave, tmp_path):
    folder = leave("paper-small-full", [])
    (small,) = chosen(["paper/small"], experiments())
    run = read_run(folder, "full")
    assert small.settings_changed(run) == []
    text = (shipped / "paper" / "small.yaml").read_text()
    text = text.replace("title: A small experiment", "title: A better title")
    (shipped / "paper" / "small.yaml").write_text(text.replace("epochs: 3", "epochs: 7"))
    (small,) = chosen(["paper/small"], experiments())
    assert small.settings_changed(run) == ["`training.epochs` (3, now 7)"]
