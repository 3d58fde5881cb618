import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from substrate.cli.main import app
from substrate.scenario.load import load_scenario
from substrate.scenario.shipped import find_scenario
from substrate.scenario.source import ScenarioError
from substrate.survey import survey_scenario

PRESETS = "IdealizedPreset,FloatingPointPreset"


@pytest.fixture(scope="module")
def scenario_and_source():
    return load_scenario(find_scenario(Path("crossbar_danp")))


def test_every_preset_is_an_arm_that_differs_in_its_preset_alone(scenario_and_source):
    scenario, source = scenario_and_source
    surveyed = survey_scenario(scenario, source, [])
    assert len(surveyed.arms) >= 54
    template = scenario.arms["crossbar"]
    for preset, arm in surveyed.arms.items():
        assert arm.chip.preset == preset
        if preset != "FloatingPointPreset":
            assert arm.learning == template.learning
            assert arm.chip.model_dump() | {"preset": ""} == template.chip.model_dump() | {
                "preset": ""
            }


def test_a_preset_without_noise_has_some_injected(scenario_and_source):
    surveyed = survey_scenario(*scenario_and_source, ["FloatingPointPreset"])
    arm = surveyed.arms["FloatingPointPreset"]
    assert arm.chip.inject
    assert arm.learning.perturbation.source == "both"


def test_a_wrong_preset_is_refused_with_the_nearest(scenario_and_source):
    with pytest.raises(ScenarioError, match="did you mean 'EcRamPreset'"):
        survey_scenario(*scenario_and_source, ["EcRamPrest"])


def test_the_command_writes_the_table_that_its_own_figures_make(tmp_path):
    folder = tmp_path / "survey"
    command = ["survey", "crossbar_danp", "--presets", PRESETS, "--epochs", "1", "--json"]
    small = ["--set", "network.layers=[8]", "--set", "seeds=[0]", "--out", str(folder)]
    result = CliRunner().invoke(app, command + small)
    assert result.exit_code == 0, result.output
    summary = json.loads((folder / "summary.json").read_text())
    table = (folder / "survey.md").read_text()
    rows = dict(re.findall(r"^\| \**(\w+)\**.*? \| ([\d.]+)% \|", table, flags=re.MULTILINE))
    for name, arm in summary["arms"].items():
        assert float(rows[name]) == pytest.approx(100 * arm["test_accuracy"]["mean"], abs=0.05)
    assert {*PRESETS.split(","), "backpropagation", "clean_danp"} == set(rows)
    assert list(map(float, rows.values())) == sorted(map(float, rows.values()), reverse=True)
    assert "FloatingPointPreset (noise injected)" in table
