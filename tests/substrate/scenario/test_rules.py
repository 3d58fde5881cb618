"""Rules in scenarios: one's own by file, module and entry point; what is misspelt; the schema."""

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
import yaml

from learning.rules import RULES
from substrate import library
from substrate.data import load_dataset
from substrate.new.write import write_new
from substrate.plugins import Trust, trusting
from substrate.run.training import ArmRun
from substrate.scenario.load import load_scenario, resolved
from substrate.scenario.schema import Arm, Learning, Scenario
from substrate.scenario.source import ScenarioError

SGD = {"name": "sgd", "learning_rate": 0.05}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a rule in a file; two that a package registers, and one that is broken."""
    monkeypatch.chdir(tmp_path)
    write_new("rule", "DriftingRule", tmp_path)
    package = tmp_path / "site"
    package.mkdir()
    monkeypatch.syspath_prepend(package)
    for name in ("Drift", "DanpMine"):
        write_new("rule", name, package)
    entries = [
        EntryPoint("drift", "drift:Drift", library.RULE_GROUP),
        EntryPoint("danp_mine", "danp_mine:DanpMine", library.RULE_GROUP),
        EntryPoint("gone", "no_such_package:Rule", library.RULE_GROUP),
    ]

    def entry_points(group: str, name: str) -> list[EntryPoint]:
        return [each for each in entries if (each.group, each.name) == (group, name)]

    monkeypatch.setattr(library, "entry_points", entry_points)
    registered = {library.RULE_GROUP: sorted(each.name for each in entries)}
    monkeypatch.setattr(library, "_registered", lambda group: registered.get(group, []))
    return tmp_path


def scenario(arms: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "tried",
        "network": {"layers": [8]},
        "training": {"epochs": 1},
        "arms": {
            name: {"learning": {"optimiser": SGD} | learning} for name, learning in arms.items()
        },
        "baselines": {"bp": {"learning": {"rule": "bp", "optimiser": SGD}}},
        "seeds": [0],
    }


def load(folder: Path, **arms: dict[str, Any]) -> dict[str, Learning]:
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(scenario(arms), sort_keys=False))
    return {name: arm.learning for name, arm in load_scenario(path)[0].arms.items()}


@pytest.mark.parametrize("rule", ["drift", "danp_mine", "drifting_rule.py:DriftingRule"])
def test_the_name_of_a_rule_of_ones_own_is_not_cut_in_two(folder: Path, rule: str) -> None:
    learning = load(folder, plain={"rule": rule}, with_r={"rule": rule, "decorrelation": {}})
    assert learning["plain"].decorrelation is None
    assert learning["with_r"].decorrelation is not None
    for each in learning.values():
        assert each.rule_class.__name__ in ("Drift", "DanpMine", "DriftingRule")
        assert each.settings == {"decay": 0.9}


def test_a_rule_by_file_module_and_entry_point_trains_the_same(folder: Path) -> None:
    """The three are the same formula, and arms on the ideal chip repeat bitwise."""
    rules = {"file": "drifting_rule.py:DriftingRule", "module": "drift:Drift", "entry": "danp_mine"}
    arms = {name: {"rule": rule} for name, rule in rules.items()}
    arms |= {f"{name}_r": {"rule": r, "decorrelation": {}} for name, r in rules.items()}
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(scenario(arms)))
    loaded, _ = load_scenario(path)
    path.write_text(resolved(loaded))
    again, _ = load_scenario(path)
    assert again == loaded
    dataset = load_dataset(again.data)
    ends = {
        name: [
            (each.train_loss, each.test_loss)
            for each in ArmRun(again, name, 0, dataset, torch.device("cpu")).epochs()
        ]
        for name in again.arms
    }
    assert ends["file"] == ends["module"] == ends["entry"]
    assert ends["file_r"] == ends["module_r"] == ends["entry_r"]
    assert ends["file"] != ends["file_r"]
    for untrained, trained in ends.values():
        assert trained[1] < untrained[1]


MISSPELT = [
    ({"rule": "weight_miror"}, "rule", "there is no rule 'weight_miror'; did you mean 'weight_mir"),
    ({"rule": "drfit"}, "rule", "there is no rule 'drfit'; did you mean 'drift'?"),
    ({"rule": "ddrift"}, "rule", "there is no rule 'ddrift'; did you mean 'drift'?"),
    ({"rule": "gone"}, "rule", "no_such_package:Rule cannot be imported"),
    ({"rule": "driftin_rule.py:DriftingRule"}, "rule", "did you mean .*drifting_rule.py"),
    ({"rule": "drifting_rule.py:DriftinRule"}, "rule", "did you mean 'DriftingRule'"),
    ({"rule": "drifting_rule.py:Tensor"}, "rule", "is no learning rule; derive it from"),
    (
        {"rule": "weight_mirror", "settings": {"output_eror": "critic"}},
        "settings.output_eror",
        "no such setting; did you mean 'output_error'?",
    ),
    (
        {"rule": "weight_mirror", "settings": {"output_error": "crtic"}},
        "settings.output_error",
        "found 'crtic'.*did you mean 'critic'|did you mean 'critic'.*found 'crtic'",
    ),
    ({"rule": "drift", "settings": {"decy": 0.5}}, "settings.decy", "did you mean 'decay'?"),
    ({"rule": "drift", "settings": {"decay": 1.5}}, "settings.decay", "less than 1.*1.5"),
    ({"rule": "danp", "settings": {"decay": 0.5}}, "settings.decay", "its settings are none"),
]


@pytest.mark.parametrize(("learning", "field", "words"), MISSPELT)
def test_what_is_misspelt_is_told_with_file_line_field_and_the_nearest(
    folder: Path, learning: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(ScenarioError, match=words) as caught:
        load(folder, mine=learning)
    problem = caught.value
    assert problem.field == f"arms.mine.learning.{field}"
    lines = (folder / "scenario.yaml").read_text().splitlines()
    key = field.rpartition(".")[2]
    assert problem.line is not None
    assert lines[problem.line - 1].strip().startswith(f"{key}:")
    assert str(problem).startswith(f"{folder / 'scenario.yaml'}:{problem.line}: ")


def test_a_rule_from_outside_the_working_folder_is_not_run_unless_it_is_trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = {"rule": f"{folder}/drifting_rule.py:DriftingRule", "settings": {"decy": 1}}
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with pytest.raises(ScenarioError, match="lies outside the working folder"):
        load(elsewhere, mine=mine)
    with trusting(Trust.EVERYTHING), pytest.raises(ScenarioError, match="did you mean 'decay'"):
        load(elsewhere, mine=mine)


def test_what_is_only_looked_at_is_not_run(folder: Path) -> None:
    (folder / "loud.py").write_text("raise SystemExit('this was run')")
    with trusting(Trust.NOTHING) as named:
        load(folder, mine={"rule": "loud.py:Loud", "settings": {"volume": 11}})
    assert named == [f"{folder / 'loud.py'}:Loud"]


def test_a_refused_rule_is_told_of_registered_ones_that_would_work(folder: Path) -> None:
    """A package that is broken is none of them."""
    path = folder / "scenario.yaml"
    chip = {"crossbar": "native", "conductance": {"read_noise": 0.02}}
    arm = {"chip": chip, "learning": {"rule": "bp", "optimiser": SGD}}
    path.write_text(yaml.safe_dump(scenario({}) | {"arms": {"mine": arm}}))
    with pytest.raises(ScenarioError, match=r"rules that work .*\bdrift\b") as caught:
        load_scenario(path)
    assert "gone" not in str(caught.value)


def test_the_list_says_what_is_wrong_with_a_broken_package(folder, substrate_here) -> None:
    shown = substrate_here("list", "rules", "--json")
    assert shown.returncode == 0
    listed = {each["name"]: each["description"] for each in yaml.safe_load(shown.stdout)}
    assert {*RULES, "danp", "drift", "danp_mine"} < listed.keys()
    assert listed["drift"] == "drift"
    assert listed["weight_mirror"] == RULES["weight_mirror"].title
    assert "no_such_package:Rule cannot be imported" in listed["gone"]


VALID = [
    {"rule": "weight_mirror", "settings": {"output_error": "critic", "rate": 0.2}},
    {"rule": "anp_corrected", "settings": {"ridge": 0.5}},
    {"rule": "danp_corrected", "settings": {"ridge": 0.5}},
    {"rule": "danp"},
    {"rule": "danp", "settings": None},
    {"rule": "my_rule.py:MyRule", "settings": {"anything": "goes"}},
]
INVALID = [
    {"rule": "weight_mirror", "settings": {"output_eror": "critic"}},
    {"rule": "weight_mirror", "settings": {"output_error": "crtic"}},
    {"rule": "danp_corrected", "settings": {"ridge": -1}},
    {"rule": "danp", "settings": {"ridge": 1}},
    {"rule": 3},
]


def test_the_schema_takes_a_rule_with_its_own_settings_and_no_others() -> None:
    schema = Scenario.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for learning in VALID:
        assert not list(validator.iter_errors(scenario({"mine": learning}))), learning
    for learning in INVALID:
        assert list(validator.iter_errors(scenario({"mine": learning}))), learning


def test_the_schema_has_every_rules_names_and_settings() -> None:
    learning = Scenario.model_json_schema()["$defs"]["Learning"]
    offered = {
        name for each in learning["allOf"] for name in each["if"]["properties"]["rule"]["enum"]
    }
    assert offered == set(library.rule_names())
    for each in learning["allOf"]:
        rule = RULES[each["if"]["properties"]["rule"]["enum"][0]]
        (settings, _) = each["then"]["properties"]["settings"]["anyOf"]
        assert settings["properties"].keys() == rule.model_fields.keys()
        for name, field in rule.model_fields.items():
            assert settings["properties"][name]["description"] == field.description


def test_every_shipped_rule_is_found_by_its_names_and_written_out(tmp_path: Path) -> None:
    for name in library.rule_names():
        found = library.find_rule(name, tmp_path)
        assert found.decorrelates == (name not in RULES)
        arm = Arm.model_validate({"learning": {"rule": name, "optimiser": SGD}})
        assert arm.learning.make_rule() == found.rule()
