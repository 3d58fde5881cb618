from pathlib import Path

import pytest
import torch
import yaml
from aihwkit.simulator.rpu_base import cuda

from substrate.scenario.aihwkit_check import check_runs_on
from substrate.scenario.load import load_scenario
from substrate.scenario.source import ScenarioError

TEXT = """\
name: aihwkit
arms:
  device:
    chip:
      crossbar: aihwkit
      preset: IdealizedPreset
    learning: {rule: danp, optimiser: {learning_rate: 0.1}}
baselines:
  clean:
    learning: {rule: bp, optimiser: {learning_rate: 0.1}}
"""
CHIP = "arms.device.chip"


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(TEXT)
    return path


def refusal(path: Path, **chip: object) -> ScenarioError:
    """What is said of the scenario with these chip settings, written into the file."""
    data = yaml.safe_load(path.read_text())
    data["arms"]["device"]["chip"] |= chip
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    with pytest.raises(ScenarioError) as problem:
        load_scenario(path)
    return problem.value


def test_a_wrong_field_is_told_with_file_line_dotted_name_and_the_nearest(scenario_file):
    problem = refusal(scenario_file, config={"forward": {"out_nois": 0.1}})
    line = scenario_file.read_text().splitlines().index("          out_nois: 0.1") + 1
    assert problem.file == str(scenario_file)
    assert problem.line == line
    assert problem.field == f"{CHIP}.config.forward.out_nois"
    assert problem.hint == "did you mean 'out_noise'?"


@pytest.mark.parametrize(
    ("chip", "field", "words"),
    [
        (
            {"config": {"forward": {"out_noise": "0,06"}}},
            "config.forward.out_noise",
            "a decimal has a point: 0.06",
        ),
        ({"preset": "EcRamPrest"}, "preset", "did you mean 'EcRamPreset'?"),
        ({"preset": "Zzz"}, "preset", "substrate list devices"),
        ({"config": {"device": {"dw_min": "small"}}}, "config.device.dw_min", "must be a number"),
        (
            {"config": {"update": {"pulse_type": "MEAN"}}},
            "config.update.pulse_type",
            "did you mean 'MEAN_COUNT'?",
        ),
        (
            {"config": {"update": {"um_grad_scale": 0.5}}, "max_rows": 3},
            "config.update.um_grad_scale",
            "clips trains before they are full",
        ),
        ({"seconds_after_programming": 1.0}, "seconds_after_programming", "not programmed"),
        ({"max_rows": 0}, "max_rows", "greater than 0"),
        ({"preset": "UnitCellRPUConfig"}, "config", "lacks a device"),
        (
            {
                "preset": "InferenceRPUConfig",
                "config": {"noise_model": {"class": "ReRamWan2022NoiseModel"}},
                "seconds_after_programming": 7.0,
            },
            "config",
            "t_inference should be one of",
        ),
        (
            {"preset": "TorchInferenceRPUConfig", "config": {"modifier": {"type": "POLY"}}},
            "config",
            "not supported in the torch tile",
        ),
    ],
)
def test_what_aihwkit_cannot_do_is_refused_with_its_field(scenario_file, chip, field, words):
    problem = refusal(scenario_file, **chip)
    assert problem.field == f"{CHIP}.{field}"
    assert words in str(problem)


def test_a_rule_that_lives_on_noise_is_refused_where_there_is_none(scenario_file):
    problem = refusal(scenario_file, preset="FloatingPointPreset")
    assert problem.field == "arms.device.learning.perturbation.source"
    assert "no noise of its own" in problem.message


def test_noise_of_the_readout_alone_is_nothing_to_learn_from(scenario_file):
    quiet = {"preset": "FloatingPointPreset"}
    problem = refusal(scenario_file, **quiet, noise=[{"model": "gaussian", "at": "readout"}])
    assert "no noise of its own" in problem.message
    chip = [f"{CHIP}.preset=FloatingPointPreset", f"{CHIP}.noise=[{{model: gaussian, at: output}}]"]
    load_scenario(scenario_file, chip)


def test_settings_are_kept_as_given(scenario_file):
    """Nothing is resolved but what the file says; `null` stays, since it means something."""
    config = {"noise_model": None, "forward": {"out_noise": 0.02}}
    overrides = [f"{CHIP}.preset=InferenceRPUConfig", f"{CHIP}.config={yaml.safe_dump(config)}"]
    scenario, _ = load_scenario(scenario_file, overrides)
    dumped = scenario.model_dump(mode="json", exclude_none=True)
    assert dumped["arms"]["device"]["chip"]["config"] == config


@pytest.mark.skipif(cuda.is_compiled(), reason="this aihwkit was built with CUDA")
def test_a_cpp_tile_is_refused_on_a_gpu_without_aihwkits_cuda(scenario_file):
    scenario, source = load_scenario(scenario_file)
    with pytest.raises(ScenarioError, match="built without CUDA") as problem:
        check_runs_on(scenario, source, torch.device("cuda"))
    assert problem.value.field == f"{CHIP}.preset"
    check_runs_on(scenario, source, torch.device("cpu"))
    torch_tile, source = load_scenario(scenario_file, [f"{CHIP}.preset=TorchInferenceRPUConfig"])
    check_runs_on(torch_tile, source, torch.device("cuda"))
