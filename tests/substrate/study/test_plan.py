"""Study files: what they may say, what their points are, and where their errors lie."""

from pathlib import Path

import pytest

from substrate.scenario.shipped import find_study, shipped_scenarios, shipped_studies
from substrate.scenario.source import ScenarioError
from substrate.study.plan import Plan, plan_study, read_study

HEAD = """\
name: small
scenario: native_danp
set: {training.epochs: 2}
seeds: [3]
axes:
"""
BITS = """\
  bits:
    field: arms.native.chip.output_converter.bits
    values: [4, 6]
"""


def plan(tmp_path: Path, text: str) -> Plan:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return plan_study(*read_study(path))


def test_shipped_studies_are_found_and_make_scenarios() -> None:
    assert not [name for name in shipped_scenarios() if name.startswith("studies/")]
    for name in shipped_studies():
        assert plan_study(*read_study(find_study(Path(name)))).points
    assert find_study(Path("noise_by_bits")) == shipped_studies()["studies/noise_by_bits"]


def test_a_scenario_that_is_not_there_has_a_nearest(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        plan(tmp_path, HEAD.replace("native_danp", "native_dnap") + BITS)
    error = refused.value
    assert (error.line, error.field, error.found) == (2, "scenario", "native_dnap")
    assert error.hint == "did you mean native_danp?"


def test_a_name_that_is_none_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"name: a name, .* begins with a letter or digit"):
        plan(tmp_path, HEAD.replace("small", "a study") + BITS)


def test_a_grid_has_every_combination(tmp_path: Path) -> None:
    noise = (
        "  noise: {field: arms.native.chip.conductance.read_noise, range: [0.01, 0.1], scale: log,"
        " steps: 3}\n"
    )
    points = plan(tmp_path, HEAD + BITS + noise).points
    values = [tuple(point.values.values()) for point in points]
    assert values == [(b, n) for b in (4, 6) for n in (0.01, 0.0316228, 0.1)]
    chip = points[4].scenario.arms["native"].chip
    assert (chip.output_converter.bits, chip.conductance.read_noise) == (6, 0.0316228)
    assert all(point.scenario.training.epochs == 2 for point in points)
    assert all(point.scenario.seeds == [3] for point in points)


def test_tied_fields_take_the_same_value_and_choices_several(tmp_path: Path) -> None:
    text = """\
  bits:
    field: [arms.native.chip.output_converter.bits, arms.native.chip.input_converter.bits]
    values: [5]
  device:
    choices:
      fast: {arms.native.chip.preset: rasch_2019, training.epochs: 1}
      tang: {arms.native.chip.preset: tang_2018}
"""
    fast, tang = plan(tmp_path, HEAD + text).points
    chip = fast.scenario.arms["native"].chip
    assert (chip.output_converter.bits, chip.input_converter.bits) == (5, 5)
    assert fast.values == {"bits": 5, "device": "fast"}
    assert (fast.scenario.training.epochs, tang.scenario.training.epochs) == (1, 2)
    assert tang.scenario.arms["native"].chip.preset == "tang_2018"


def test_rules_and_noise_models_are_values_like_any_other(tmp_path: Path) -> None:
    text = """\
  noise:
    field: arms.native.chip.noise
    values: [[], [{model: telegraph, at: output}]]
  rule:
    field: arms.native.learning.rule
    values: [danp, weight_mirror]
"""
    points = plan(tmp_path, HEAD + text).points
    assert [each.scenario.arms["native"].learning.rule for each in points[:2]] == [
        "danp",
        "weight_mirror",
    ]
    assert points[2].scenario.arms["native"].chip.noise[0].model == "telegraph"


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_scattered_points_lie_in_the_ranges_and_repeat(tmp_path: Path, kind: str) -> None:
    text = (
        "  bits: {field: arms.native.chip.output_converter.bits, range: [4, 9], whole: true}\n"
        "  noise: {field: arms.native.chip.conductance.read_noise, range: [0.01, 0.1],"
        " scale: log}\n"
        f"design: {{kind: {kind}, points: 8}}\n"
    )
    first, second = (plan(tmp_path, HEAD + text).points for _ in range(2))
    assert [each.values for each in first] == [each.values for each in second]
    assert len({each.values["noise"] for each in first}) == 8
    for each in first:
        assert each.values["bits"] in range(4, 10)
        assert 0.01 <= float(each.values["noise"]) <= 0.1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (BITS.replace("native", "nativ"), 7, "did you mean 'native'?"),
        (BITS.replace("[4, 6]", "[4, 1]"), 8, "output_converter.bits"),
        (BITS.replace("values", "value"), 8, "did you mean 'values'?"),
        (BITS + "    range: [1, 2]\n", 6, "give one of values, range or choices"),
        ("  b: {field: training.epochs, range: [2, 1], steps: 2}\n", 6, "lower end"),
        ("  b: {field: training.epochs, range: [1, 2]}\n", 6, "needs steps"),
        (BITS.replace("bits:", "baseline:"), 6, "a column 'baseline' already"),
        (BITS + BITS.replace("bits:", "more:"), 9, "'bits' and 'more' both set arms.native"),
        (BITS + "design: {kind: gird}\n", 9, "did you mean 'grid'?"),
    ],
)
def test_errors_name_file_line_and_field(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(ScenarioError) as problem:
        plan(tmp_path, HEAD + text)
    assert problem.value.file == str(tmp_path / "study.yaml")
    assert problem.value.line == line, str(problem.value)
    assert said in str(problem.value)
