"""The scenarios that come with substrate."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from substrate.scenario.load import load_scenario
from substrate.scenario.shipped import find_scenario, shipped_scenarios

SCENARIOS = shipped_scenarios()


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_budget_is_valid(name: str) -> None:
    path = SCENARIOS[name]
    for budget in ("full", *yaml.safe_load(path.read_text()).get("budgets", ())):
        scenario, _ = load_scenario(path, [], budget)
        assert scenario.budget == budget
        assert scenario.name == path.stem
        assert scenario.description.strip()


@pytest.mark.parametrize("name", [name for name in SCENARIOS if "/" in name])
def test_experiments_have_a_short_budget(name: str) -> None:
    load_scenario(SCENARIOS[name], [], "short")


def test_found_by_name() -> None:
    assert find_scenario(Path("paper/sarcos")) == SCENARIOS["paper/sarcos"]


def test_a_file_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("crossbar_danp").touch()
    assert find_scenario(Path("crossbar_danp")) == Path("crossbar_danp")
