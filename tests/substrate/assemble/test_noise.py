"""Noise in a scenario: where it acts, in which layers, from which stream; and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from devices.noise import GaussianNoise
from substrate.assemble.noise import build_noise
from substrate.plugins import Trust, trusting
from substrate.scenario.load import load_scenario
from substrate.scenario.schema import AihwkitChip
from substrate.scenario.source import ScenarioError

CPU = torch.device("cpu")

MY_LAB = """
from typing import ClassVar
import torch
from pydantic import Field
from devices.noise.base import NoiseModel

class CryoReadNoise(NoiseModel):
    name: ClassVar[str] = "cryo"
    title: ClassVar[str] = "cryogenic read noise"
    citation: ClassVar[str] = "our lab"
    temperature: float = Field(4.2, gt=0, description="K")

    def sample(self, signal, memory):
        noise = torch.empty_like(signal)
        return noise.normal_(0, self.temperature, generator=memory.generator)
"""


def scenario(folder: Path, noise: list[dict[str, Any]], **chip: Any) -> Path:
    arm = {
        "chip": {"crossbar": "aihwkit", "noise": noise} | chip,
        "learning": {"rule": "danp", "optimiser": {"learning_rate": 0.1}},
    }
    clean = {"learning": {"rule": "bp", "optimiser": {"learning_rate": 0.1}}}
    data = {"name": "noisy", "arms": {"device": arm}, "baselines": {"bp": clean}}
    path = folder / "noisy.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def chip_with(*noise: dict[str, Any]) -> AihwkitChip:
    return AihwkitChip.model_validate({"crossbar": "aihwkit", "noise": list(noise)})


def test_sources_go_where_the_scenario_puts_them():
    chip = chip_with(
        {"model": "gaussian", "at": "output", "std": 0.3},
        {"model": "gaussian", "at": "output", "std": 0.4, "layers": [2]},
        {"model": "uniform", "at": "readout"},
    )
    for layer, std in ((1, 0.3), (2, 0.5)):
        source = build_noise(chip.noise, "output", layer, 0, CPU)
        assert source is not None
        assert source(torch.zeros(500, 400)).std().item() == pytest.approx(std, rel=0.02)
    assert build_noise(chip.noise, "input", 1, 0, CPU) is None
    assert build_noise(chip.noise, "readout", 2, 0, CPU) is not None


def test_every_source_has_a_stream_of_its_own_that_follows_from_the_seed():
    same = {"model": "gaussian", "at": "output", "std": 1.0}
    noise = chip_with(same, same, same | {"at": "input"}).noise
    streams = [
        source.memory.generator.initial_seed()
        for seed in (0, 1)
        for layer in (1, 2)
        for at in ("input", "output")
        for source in build_noise(noise, at, layer, seed, CPU).sources
    ]
    assert len(set(streams)) == len(streams) == 12
    again = build_noise(noise, "output", 1, 0, CPU)
    assert torch.equal(
        again(torch.zeros(3, 4)), build_noise(noise, "output", 1, 0, CPU)(torch.zeros(3, 4))
    )


def test_a_model_of_ones_own_is_found_beside_the_scenario(tmp_path, monkeypatch):
    (tmp_path / "my_lab.py").write_text(MY_LAB)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    noise = [{"model": "my_lab.py:CryoReadNoise", "at": "readout", "temperature": 2.0}]
    with trusting(Trust.EVERYTHING):
        loaded, _ = load_scenario(scenario(tmp_path, noise))
    placed = loaded.arms["device"].chip.noise[0]
    assert placed.title == "cryogenic read noise"
    assert placed.model == f"{tmp_path / 'my_lab.py'}:CryoReadNoise"
    source = build_noise(loaded.arms["device"].chip.noise, "readout", 1, 0, CPU)
    assert source(torch.zeros(300, 300)).std().item() == pytest.approx(2.0, rel=0.02)


def test_a_resolved_scenario_is_read_as_the_same(tmp_path):
    noise = [{"model": "pink", "at": "input"}, {"model": "gaussian", "at": "output", "layers": [1]}]
    loaded, _ = load_scenario(scenario(tmp_path, noise))
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(yaml.safe_dump(loaded.model_dump(mode="json", exclude_none=True)))
    assert load_scenario(resolved)[0] == loaded
    assert isinstance(loaded.arms["device"].chip.noise[1], GaussianNoise)


@pytest.mark.parametrize(
    ("noise", "field", "message"),
    [
        ({"model": "gausian", "at": "output"}, "0.model", "did you mean 'gaussian'"),
        ({"model": "gaussian", "at": "output", "sdt": 1}, "0.sdt", "did you mean 'std'"),
        ({"model": "gaussian", "at": "output", "std": -1}, "0.std", "greater than or equal to 0"),
        ({"model": "gaussian", "at": "outptu"}, "0.at", "did you mean 'output'"),
        ({"model": "gaussian", "at": "weight"}, "0.at", "keeps its weights to itself"),
        ({"model": "gaussian", "at": "input", "layers": [4]}, "0.layers", "has 3 layers"),
        ({"at": "input"}, "0.model", "names a noise model"),
        ({"model": "common_mode", "at": "input", "shared": "row"}, "0.shared", "share a tile"),
        ({"model": "nofile.py:X", "at": "input"}, "0.model", "there is no file"),
        ({"model": "trace", "at": "input", "path": "x.csv", "sampling_rate": 1}, "0", "x.csv"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path, noise, field, message):
    path = scenario(tmp_path, [noise])
    with pytest.raises(ScenarioError) as problem:
        load_scenario(path)
    text = str(problem.value)
    assert f"arms.device.chip.noise.{field}" in text
    assert message in text
    assert f"{path}:" in text


def test_a_crossbar_of_ones_own_is_built_from_its_parameters(working_folder):
    from devices.interface import LayerShape
    from substrate.assemble.crossbar import build_crossbar
    from substrate.new.write import write_new

    write_new("device", "BuiltCell", working_folder)
    settings = {"crossbar": "built_cell.py:BuiltCell", "parameters": {"read_noise": 0.5}}
    loaded, _ = load_scenario(scenario(working_folder, [], **settings))
    chip = loaded.arms["device"].chip
    assert chip.parameters == {"read_noise": 0.5, "largest_weight": 1.0, "step": 0.001}
    crossbar = build_crossbar(chip, LayerShape(3, 4), 0, "layer 1", CPU)
    assert crossbar.read(torch.zeros(5000, 4)).std().item() == pytest.approx(0.5, rel=0.05)
    with pytest.raises(ScenarioError, match=r"chip\.parameters\.read_noise: .*(found -1)"):
        load_scenario(scenario(working_folder, [], **settings | {"parameters": {"read_noise": -1}}))
    with pytest.raises(ScenarioError, match=r"read_nois: .*did you mean 'read_noise'"):
        load_scenario(scenario(working_folder, [], **settings | {"parameters": {"read_nois": 1}}))
    with pytest.raises(ScenarioError, match=r"chip\.crossbar: .*did you mean 'BuiltCell'"):
        load_scenario(scenario(working_folder, [], crossbar="built_cell.py:BuildCell"))
