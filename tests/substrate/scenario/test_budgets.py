import pytest
import yaml

from substrate.scenario.load import load_scenario
from substrate.scenario.source import ScenarioError

BUDGETS = "budgets:\n  short: {training.epochs: 1, seeds: [7]}\n  odd: {training.epochs: none}\n"


@pytest.fixture
def budgeted(tiny):
    tiny.write_text(tiny.read_text() + BUDGETS)
    return tiny


def test_a_budget_changes_what_it_names_and_overrides_go_on_top(budgeted):
    full, _ = load_scenario(budgeted)
    short, _ = load_scenario(budgeted, ["seeds=[3]"], "short")
    assert (full.training.epochs, full.seeds, full.budget) == (2, [0, 1], "full")
    assert (short.training.epochs, short.seeds, short.budget) == (1, [3], "short")
    assert short.arms == full.arms


def test_a_resolved_scenario_is_that_of_its_budget(budgeted, tmp_path):
    short, _ = load_scenario(budgeted, budget="short")
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(yaml.safe_dump(short.model_dump(mode="json", exclude_none=True)))
    again, _ = load_scenario(resolved)
    assert again.model_dump() == short.model_dump()


def test_problems_of_budgets_are_named(budgeted):
    with pytest.raises(ScenarioError, match=r"tiny.yaml:\d+: budgets: no such budget.*'short'"):
        load_scenario(budgeted, budget="shrt")
    with pytest.raises(ScenarioError, match=r"budget odd, .*tiny.yaml:30: training.epochs: must"):
        load_scenario(budgeted, budget="odd")


def test_a_budget_may_hold_any_text(tiny):
    tiny.write_text(tiny.read_text() + "budgets:\n  🚀: {title: as fast as a 🚀}\n")
    fast, _ = load_scenario(tiny, budget="🚀")
    assert (fast.title, fast.budget) == ("as fast as a 🚀", "🚀")
