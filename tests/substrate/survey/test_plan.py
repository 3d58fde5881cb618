"""Which cells a survey has, and what is in them."""

from pathlib import Path

import pytest

from substrate.scenario.load import load_scenario
from substrate.scenario.shipped import find_scenario
from substrate.scenario.source import ScenarioError
from substrate.survey.plan import Place, Plan, plan_survey

RATES = (0.1,)


def test_every_preset_can_be_trained_by_the_three_shipped_rules() -> None:
    scenario, source = load_scenario(find_scenario(Path("crossbar_rules")))
    plan = plan_survey(scenario, source, [], RATES)
    assert len(plan.presets) >= 54
    assert len(plan.places) == len(plan.presets) * 3 + len(scenario.baselines)


def test_a_cell_differs_from_its_arm_in_the_preset_alone(plan: Plan) -> None:
    for name, arm in plan.scenario.arms.items():
        cell = plan.scenario_of(Place("IdealizedPreset", name)).arms[name]
        assert cell.learning == arm.learning
        assert cell.chip.model_dump() == {**arm.chip.model_dump(), "preset": "IdealizedPreset"}


def test_without_noise_of_its_own_rules_that_compare_passes_have_some_injected(plan: Plan) -> None:
    danp = plan.scenario_of(Place("FloatingPointPreset", "danp")).arms["danp"]
    assert danp.chip.model_dump()["inject"]
    assert danp.learning.perturbation
    assert danp.learning.perturbation.source == "both"
    transposed = plan.scenario_of(Place("FloatingPointPreset", "transposed")).arms["transposed"]
    assert not transposed.chip.model_dump()["inject"]


def test_a_wrong_preset_is_refused_with_the_nearest(two_rules: Path) -> None:
    with pytest.raises(ScenarioError, match="did you mean 'EcRamPreset'"):
        plan_survey(*load_scenario(two_rules), ["EcRamPrest"], RATES)


def test_an_arm_on_another_crossbar_is_refused(two_rules: Path) -> None:
    changed = ["arms.transposed.chip={crossbar: native, transposed_read: true}"]
    with pytest.raises(ScenarioError, match=r"arms\.transposed\.chip.*needs aihwkit chips.*native"):
        plan_survey(*load_scenario(two_rules, changed), ["EcRamPreset"], RATES)


def test_what_aihwkit_refuses_of_one_preset_is_told_before_anything_is_trained(
    two_rules: Path,
) -> None:
    # a single device takes this field; a Tiki-Taka compound does not
    scenario, source = load_scenario(two_rules, ["arms.danp.chip.config={device: {dw_min: 0.01}}"])
    plan_survey(scenario, source, ["EcRamPreset"], RATES)
    with pytest.raises(
        ScenarioError, match=r"arms\.danp\.chip\.config\.device\.dw_min.*TikiTakaEcRam"
    ):
        plan_survey(scenario, source, ["EcRamPreset", "TikiTakaEcRamPreset"], RATES)
