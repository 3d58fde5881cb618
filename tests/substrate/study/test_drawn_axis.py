"""Where values lie along a drawn axis, and what its ticks say."""

from types import SimpleNamespace

import pandas as pd
import pytest
from matplotlib.figure import Figure

from substrate.scenario.schema import NativeChip, Scenario
from substrate.study.drawn_axis import DrawnAxis, title_of, with_units
from substrate.study.schema import StudyAxis

NUMBERS = StudyAxis(field="arms.a.chip.bits", values=[8, 2, 4], unit="bit")


def drawn(settings: StudyAxis, values: list) -> DrawnAxis:
    return DrawnAxis(("it", settings), pd.DataFrame({"it": values}))


def ticks(axis: DrawnAxis) -> dict[str, float]:
    axes = Figure().subplots()
    axis.label(axes, "x")
    labels = [each.get_text() for each in axes.get_xticklabels()]
    return dict(zip(labels, axes.get_xticks(), strict=True))


def test_numbers_of_a_list_lie_in_their_order_and_evenly():
    axis = drawn(NUMBERS, [8, 2, 4, 2])
    assert axis.places(pd.DataFrame({"it": [4, 8, 2]})).tolist() == [0.5, 1.0, 0.0]
    assert ticks(axis) == {"2": 0.0, "4": 0.5, "8": 1.0}


def test_a_logarithmic_range_is_laid_out_in_equal_ratios():
    axis = drawn(StudyAxis(field="a", range=(0.01, 1.0), scale="log"), [0.01, 0.1, 1.0])
    assert axis.places(pd.DataFrame({"it": [0.1]})) == pytest.approx([0.5])


def test_many_values_of_a_range_have_the_ticks_of_its_scale():
    settings = StudyAxis(field="a", range=(1.0, 10_000.0), scale="log")
    axis = drawn(settings, [1.0 + each for each in range(20)])
    assert ticks(axis) == pytest.approx(
        {"1": 0.0, "10": 0.25, "100": 0.5, "1e+03": 0.75, "1e+04": 1.0}
    )


def test_many_values_of_a_list_have_ticks_at_some_of_them():
    values = [3 * each for each in range(13)]
    axis = drawn(StudyAxis(field="a", values=values), values)
    assert ticks(axis) == pytest.approx({"0": 0.0, "9": 0.25, "18": 0.5, "27": 0.75, "36": 1.0})


def test_choices_are_evenly_spaced_and_nothing_lies_between_them():
    axis = drawn(StudyAxis(choices={"b": {}, "a": {}, "c": {}}), ["b", "a", "c"])
    assert ticks(axis) == {"b": 0.0, "a": 0.5, "c": 1.0}
    assert not axis.continuous
    assert drawn(NUMBERS, [2, 4, 8]).continuous
    assert not drawn(NUMBERS, [2, 4]).continuous


@pytest.mark.parametrize(("settings", "label"), [(NUMBERS, "it, bit"), (None, "it")])
def test_the_label_has_the_unit(settings, label):
    axes = Figure().subplots()
    drawn(settings or StudyAxis(field="a", values=[2, 4]), [2, 4]).label(axes, "y")
    assert axes.get_ylabel() == label


def test_an_axis_without_a_unit_has_that_of_its_field():
    native = {"crossbar": "native", "preset": "rasch_2019"}
    learning = {"rule": "danp", "optimiser": {"name": "sgd", "learning_rate": 0.1}}
    scenario = Scenario.model_construct(
        arms={"a": SimpleNamespace(chip=NativeChip.model_validate(native), learning=learning)},
        baselines={},
    )
    axes = {
        "bits": StudyAxis(field="arms.a.chip.output_converter.bits", values=[4, 6]),
        "own": StudyAxis(field="arms.a.chip.output_converter.bits", values=[4, 6], unit="bit"),
        "noise": StudyAxis(field=["arms.a.chip.conductance.read_noise"], range=(0.0, 0.1)),
        "named": StudyAxis(choices={"low": {}, "high": {}}),
    }
    plan = SimpleNamespace(
        study=SimpleNamespace(axes=axes), points=[SimpleNamespace(scenario=scenario)]
    )
    titles = [title_of(each) for each in with_units(plan).items()]
    assert titles == ["bits, bits", "own, bit", "noise, of g_max", "named"]
