"""What each parameter of a device costs: what is varied, and what is told of it."""

import json
from pathlib import Path

import numpy as np
import pytest

import substrate as sb
from substrate.run.estimate import contrast
from substrate.run.outcomes import load_outcomes
from substrate.run.sensitivity import variations
from substrate.scenario.load import load_scenario
from substrate.scenario.source import ScenarioError
from tests.torture.runs import write_scenario

# what is at 0 is not varied, so few parameters are left, and the test is quick
QUIET = {
    f"arms.native.chip.{path}": value
    for path, value in {
        "input_converter.bits": "exact",
        "conductance.g_min": 0.0,
        "conductance.w_max_spread": 0.0,
        "conductance.w_min_spread": 0.0,
        "update.dw_min_spread": 0.0,
        "update.cycle_spread": 0.0,
        "readout_converter.bits": 8,
    }.items()
}


def test_every_number_at_work_is_varied_by_two_and_bits_by_one(working_folder: Path) -> None:
    scenario, source = load_scenario(write_scenario(working_folder))
    found = variations(scenario, source)
    values = {
        (each.arm, each.setting.name): [varied.value for varied in each.varied]
        for each in found.parameters
    }
    assert values["native", "output_converter.bits"] == [8, 10]
    assert values["native", "conductance.read_noise"] == [0.01, 0.04]
    assert values["native", "conductance.w_min"] == [-0.5, -2.0]
    assert values["native", "update.dw_min"] == [0.0001, 0.0004]
    assert values["native", "update.pulses"] == [16, 62]
    assert values["native", "autoregressive.std"] == [0.025, 0.1]
    assert not any(name.startswith(("drift", "faults")) for _, name in values)
    assert {arm for arm, _ in values} == {"native"}  # the ideal chip has nothing to vary
    (told,) = found.left_out
    assert "native: " in told
    assert "update.gamma_up" in told
    assert "0, which no factor changes" in told
    for each in found.parameters:
        for varied in each.varied:
            changed = varied.scenario.arms["native"].model_dump()
            assert changed != scenario.arms["native"].model_dump()


def test_what_the_scenario_refuses_is_left_out_with_the_reason(working_folder: Path) -> None:
    scenario, source = load_scenario(
        write_scenario(working_folder),
        ["arms.native.chip.faults.stuck_low=0.8", "arms.native.chip.output_converter.bits=24"],
    )
    found = {each.setting.name: each for each in variations(scenario, source).parameters}
    # a fraction has no double above a half, and converters have at most 24 bits
    assert [each.value for each in found["faults.stuck_low"].varied] == [0.4]
    assert [each.value for each in found["output_converter.bits"].varied] == [23]


def test_aihwkit_and_own_source(working_folder: Path) -> None:
    scenario, source = load_scenario(
        write_scenario(working_folder),
        ["arms.native.chip={crossbar: aihwkit, preset: EcRamPreset}"],
    )
    found = {each.setting.name: each for each in variations(scenario, source).parameters}
    dw_min = found["device.dw_min"]
    low, high = (each.value for each in dw_min.varied)
    assert high == pytest.approx(4 * low)
    assert "EcRamPreset" in dw_min.setting.source
    assert dw_min.setting.path == "config.device.dw_min"
    scenario, source = load_scenario(write_scenario(working_folder))
    sources = {
        each.setting.name: each.setting.source for each in variations(scenario, source).parameters
    }
    assert sources["conductance.read_noise"] == "this scenario"
    assert "Rasch" in sources["update.dw_min"]


def test_a_run_tells_what_each_parameter_costs(
    working_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = sb.load(write_scenario(working_folder), {"training.epochs": 1, **QUIET})
    run = sb.run(scenario, out="run", jobs=1, quiet=True, sensitivity=True)
    report = run.summary.sensitivity
    assert report is not None
    assert [each.most for each in report.parameters] == sorted(
        (each.most for each in report.parameters), reverse=True
    )
    found = {each.name: each for each in report.parameters}
    noise = found["conductance.read_noise"]
    assert noise.path == "arms.native.chip.conductance.read_noise"
    assert "fraction of g_max" in noise.meaning
    # the same as a run of its own with that value says, and by the verdict's interval
    (higher,) = (each for each in noise.varied if each.higher)
    other = sb.run(
        sb.load("torture.yaml", {"training.epochs": 1, **QUIET, noise.path: 0.04}),
        out="other",
        jobs=1,
        quiet=True,
    )
    outcomes = {
        name: np.stack([each["native"][seed].astype(float) for seed in (0, 1)])
        for name, each in (
            ("own", load_outcomes(run.folder)),
            ("other", load_outcomes(other.folder)),
        )
    }
    figures = {name: list(each.mean(1)) for name, each in outcomes.items()}
    expected = contrast({"own": 1.0, "other": -1.0}, figures, outcomes, None, accuracies=True)
    interval = expected.interval(0.95)
    assert higher.cost == pytest.approx(interval.centre, abs=1e-9)
    assert (higher.ci_low, higher.ci_high) == pytest.approx((interval.low, interval.high))
    page = run.report.read_text()
    assert "What each parameter costs" in page
    assert "conductance.read_noise" in page
    assert json.loads((run.folder / "summary.json").read_text())["sensitivity"]["factor"] == 2.0


def test_a_finished_run_gets_it_afterwards(working_folder: Path) -> None:
    scenario = sb.load(write_scenario(working_folder), {"training.epochs": 1, **QUIET})
    run = sb.run(scenario, seeds=[0], out="run", jobs=1, quiet=True)
    assert run.summary.sensitivity is None
    again = sb.resume("run", jobs=1, quiet=True, sensitivity=True)
    assert again.summary.sensitivity is not None
    assert again.arms.drop(columns="seconds").equals(run.arms.drop(columns="seconds"))
    with pytest.raises(ScenarioError, match="this run is complete"):
        sb.resume("run", jobs=1, quiet=True, sensitivity=True)
