"""Units of fields, from where they are documented."""

from __future__ import annotations

import pytest

from substrate.assemble.meaning import meaning_of, unit_of
from substrate.scenario.schema import Scenario

NATIVE = {
    "crossbar": "native",
    "preset": "rasch_2019",
    "line_resistance": {"row": 1.0},
    "noise": [{"model": "thermal", "at": "output"}],
}
DANP = {"rule": "danp", "optimiser": {"name": "sgd", "learning_rate": 0.1}}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    arms = {
        "native": {"chip": NATIVE, "learning": DANP},
        "aihwkit": {
            "chip": {"crossbar": "aihwkit", "preset": "EcRamPreset"},
            "learning": DANP,
        },
    }
    adam = {"name": "adam", "learning_rate": 0.003}
    clean = {"clean": {"learning": {"rule": "bp", "optimiser": adam}}}
    settings = {
        "name": "units",
        "data": {"name": "digits"},
        "network": {"layers": [8]},
        "training": {"epochs": 1, "batch_size": 50, "loss": "cross_entropy"},
        "arms": arms,
        "baselines": clean,
        "seeds": [0],
        "verdict": {"tolerance": 0.05},
    }
    return Scenario.model_validate(settings)


@pytest.mark.parametrize(
    ("field", "unit"),
    [
        ("arms.native.chip.output_converter.bits", "bits"),
        ("arms.native.chip.output_converter.range", "in units of the signal"),
        ("arms.native.chip.conductance.g_max", "S"),
        ("arms.native.chip.conductance.read_noise", "of g_max"),
        ("arms.native.chip.conductance.w_max_spread", ""),  # a fraction of itself
        ("arms.native.chip.update.dw_min", "in units of the weight"),
        ("arms.native.chip.update.write_noise", "of dw_min"),
        ("arms.native.chip.drift.seconds_per_read", "s"),  # at rest: the drift is none
        ("arms.native.chip.line_resistance.row", "Ω a cell"),
        ("arms.native.chip.noise.0.temperature", "K"),
        ("arms.aihwkit.chip.config.forward.out_res", ""),  # a part of their range
        ("arms.aihwkit.chip.config.device.lifetime", "updates"),
        ("costs.adc_pj", "pJ"),
        ("arms.native.learning.optimiser.learning_rate", ""),
        ("training.epochs", ""),
        ("arms.native.chip.no_such", ""),
    ],
)
def test_units_are_those_of_the_fields_own_descriptions(
    scenario: Scenario, field: str, unit: str
) -> None:
    assert unit_of(meaning_of(scenario, field)) == unit


def test_a_field_without_a_unit_has_its_meaning(scenario: Scenario) -> None:
    told = meaning_of(scenario, "arms.native.chip.faults.stuck_low")
    assert told == "Fraction of cells stuck at g_min."


def test_an_arm_whose_name_holds_a_dot_has_meanings_too(scenario: Scenario) -> None:
    dotted = scenario.model_copy(update={"arms": {"noise 0.1": scenario.arms["native"]}})
    told = meaning_of(dotted, "arms.noise 0.1.chip.faults.stuck_low")
    assert told == "Fraction of cells stuck at g_min."
