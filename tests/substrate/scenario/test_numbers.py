"""Numbers that are none are refused wherever a scenario takes a number."""

import pytest

from substrate.scenario.load import load_scenario
from substrate.scenario.source import ScenarioError

NATIVE = (
    "arms.crossbar={chip: {crossbar: native}, learning: {rule: anp, optimiser: {learning_rate: 1}}}"
)


@pytest.mark.parametrize("number", ["nan", ".nan", ".inf", "-.inf", "1e999", "yes"])
@pytest.mark.parametrize(
    "path",
    [
        "verdict.tolerance",
        "network.initial_range",
        "arms.crossbar.learning.optimiser.learning_rate",
        "arms.crossbar.chip.conductance.read_noise",
        "arms.crossbar.chip.input_converter.range",
        "arms.crossbar.chip.noise.0.scale",
        "arms.crossbar.chip.noise.0.sampling_rate",
    ],
)
def test_of_the_models(tiny, path: str, number: str) -> None:
    (tiny.parent / "a.csv").write_text("1\n2\n3\n")
    replayed = (
        "arms.crossbar.chip.noise=[{model: trace, at: output, path: a.csv, sampling_rate: 1}]"
    )
    with pytest.raises(ScenarioError) as refused:
        load_scenario(tiny, [NATIVE, replayed, f"{path}={number}"])
    assert refused.value.field == path


def test_yes_is_no_number_in_a_list_either_and_no_is_still_a_truth_value(tiny) -> None:
    with pytest.raises(ScenarioError, match="not a truth value") as refused:
        load_scenario(tiny, ["seeds=[2, on]"])
    assert refused.value.field == "seeds.1"
    scenario, _ = load_scenario(tiny, [NATIVE, "arms.crossbar.chip.transposed_read=no"])
    assert scenario.arms["crossbar"].chip.transposed_read is False


@pytest.mark.parametrize("number", ["nan", ".nan", ".inf"])
def test_of_aihwkit(tiny, number: str) -> None:
    path = "arms.crossbar.chip.config.forward.out_noise"
    with pytest.raises(ScenarioError) as refused:
        load_scenario(tiny, [f"{path}={number}"])
    assert refused.value.field == path


def test_a_native_preset_is_a_name(tiny) -> None:
    with pytest.raises(ScenarioError, match="must be a valid string") as refused:
        load_scenario(tiny, [NATIVE, "arms.crossbar.chip.preset=[1]"])
    assert refused.value.field == "arms.crossbar.chip.preset"


def test_a_trace_of_one_sample_is_too_short(tiny) -> None:
    (tiny.parent / "a.csv").write_text("1\n")
    replayed = (
        "arms.crossbar.chip.noise=[{model: trace, at: output, path: a.csv, sampling_rate: 1}]"
    )
    with pytest.raises(ScenarioError, match="trace"):
        load_scenario(tiny, [NATIVE, replayed])


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("verdict.tolerance=7", "0.07 are 7 points"),
        ("arms.crossbar.chip.conductance.g_max=25", "less than 1"),
    ],
)
def test_numbers_in_another_unit_are_refused(tiny, setting: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        load_scenario(tiny, [NATIVE, setting])
