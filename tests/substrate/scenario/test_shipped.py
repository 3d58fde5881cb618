"""The scenarios that come with substrate."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from substrate.scenario.load import load_scenario
from substrate.scenario.shipped import find_scenario, find_study, shipped_scenarios
from substrate.scenario.source import ScenarioError

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


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("crosbar_danp", "did you mean crossbar_danp?"),
        ("crossbar_danp.yaml", "did you mean crossbar_danp?"),
        ("paper/three_hiden", "did you mean paper/three_hidden?"),
        ("three_hidden", "did you mean paper/three_hidden?"),
        ("mine/three_hidden", "did you mean paper/three_hidden?"),
        ("noise_by_bits", "substrate study noise_by_bits runs it"),
        ("studies/noise_by_bits", "substrate study studies/noise_by_bits runs it"),
        ("zzz", None),
        ("z" * 5000, None),
    ],
)
def test_a_name_that_is_none_has_a_nearest(
    name: str, hint: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ScenarioError) as refused:
        find_scenario(Path(name))
    assert refused.value.file == name
    assert refused.value.hint == hint


def test_a_study_that_is_none_has_a_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError, match=r"noise_by_bit: no such file; .*noise_by_bits\?"):
        find_study(Path("noise_by_bit"))


def test_a_file_of_ones_own_may_be_nearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crosbar_mine.yaml").touch()
    with pytest.raises(ScenarioError, match=r"did you mean crosbar_mine\.yaml"):
        find_scenario(Path("crossbar_mine.yaml"))
