"""The rung that each shipped ladder arm stands on, and those of clean baselines."""

from substrate.assemble.rung import rung_of
from substrate.scenario.load import load_scenario
from substrate.scenario.schema import Arm
from substrate.scenario.shipped import shipped_scenarios

SGD = {"learning_rate": 0.1}


def test_the_shipped_ladder_has_an_arm_on_every_rung():
    scenario, _ = load_scenario(shipped_scenarios()["crossbar_ladder"])
    assert {name: rung_of(arm) for name, arm in scenario.all_arms.items()} == {
        "danp": "observe",
        "mirror_from_losses": "mirror",
        "mirror": "mirror",
        "mirror_on_crossbar": "mirror",
        "transposed_reads": "transposed reads",
        "clean_danp": "clean pass",
        "backpropagation": "gradients",
    }


def test_a_mirror_with_a_clean_pass_needs_the_clean_pass():
    learning = {"rule": "weight_mirror", "optimiser": SGD}
    assert rung_of(Arm.model_validate({"learning": learning})) == "clean pass"
    learning["perturbation"] = {"baseline": "noisy"}
    assert rung_of(Arm.model_validate({"learning": learning})) == "mirror"
