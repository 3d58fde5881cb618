"""A scenario of two rules on one crossbar, small enough to train in a moment."""

from pathlib import Path

import pytest

from substrate.assemble.dataset import checked_dataset
from substrate.data.dataset import Dataset
from substrate.scenario.load import load_scenario
from substrate.scenario.source import Source
from substrate.survey.plan import Plan, plan_survey

TWO_RULES = """\
name: two_rules
data: {name: digits, limit_train: 100, limit_test: 50}
network: {layers: [8]}
training: {epochs: 1}
arms:
  danp:
    chip: {crossbar: aihwkit, preset: EcRamPreset}
    learning: {rule: danp, optimiser: {learning_rate: 0.5, write: pulses}}
  transposed:
    chip: {crossbar: aihwkit, preset: EcRamPreset, transposed_read: true}
    learning: {rule: dbp, optimiser: {learning_rate: 0.5, write: pulses}}
baselines:
  bp: {learning: {rule: bp, optimiser: {name: adam, learning_rate: 0.003}}}
seeds: [3]
"""


@pytest.fixture
def two_rules(tmp_path: Path) -> Path:
    path = tmp_path / "two_rules.yaml"
    path.write_text(TWO_RULES)
    return path


@pytest.fixture
def source(two_rules: Path) -> Source:
    return load_scenario(two_rules)[1]


@pytest.fixture
def plan(two_rules: Path) -> Plan:
    scenario, source = load_scenario(two_rules)
    presets = ("IdealizedPreset", "FloatingPointPreset")
    return plan_survey(scenario, source, presets, (0.1, 0.02))


@pytest.fixture
def dataset(plan: Plan, source: Source) -> Dataset:
    return checked_dataset(plan.scenario, source)
