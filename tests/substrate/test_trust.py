"""Code that a scenario names: when it is run, and that checking runs none of it."""

import json
import sys
from pathlib import Path

import pytest

from substrate.plugins import NotRunError, PluginError, Trust, load_object, trusting

# Leaves a mark when it is run.
CODE = """
from pathlib import Path
from devices.crossbars.ideal import IdealCrossbar
from devices.noise.base import NoiseModel
from pydantic import BaseModel

with Path({mark!r}).open("a") as file:
    file.write("run\\n")

def loss(output, target):
    return (output**2).mean(1) + 0 * target

class Noise(NoiseModel):
    name = "own"
    title = "own"
    citation = "own"
    std: float = 0.1

    def sample(self, signal, memory):
        return 0 * signal

class Cell(IdealCrossbar):
    class Parameters(BaseModel):
        width: float = 1.0
    title = "own cell"
    citation = "own"

    def __init__(self, n_out, n_in, parameters, generator, device):
        super().__init__(n_out, n_in, device)
"""
NAMES = {
    "loss": "training.loss={}:loss",
    "noise": "arms.crossbar.chip.noise=[{{model: '{}:Noise', at: output, std: 0.2, odd: 1}}]",
    "crossbar": "arms.crossbar.chip={{crossbar: '{}:Cell', parameters: {{width: 2, odd: 1}}}}",
}


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "mark"


@pytest.fixture
def write(mark: Path):
    def write(path: Path) -> Path:
        path.write_text(CODE.format(mark=str(mark)))
        return path

    return write


@pytest.fixture
def scenario(tiny: Path) -> Path:
    text = tiny.read_text().replace("write: pulses", "write: dense")
    tiny.write_text(text.replace("rule: bp", "rule: anp"))
    return tiny


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("place", ["lab.py", "{}/lab.py", "lab"])
def test_checking_runs_none_of_it(substrate_here, scenario, write, mark, kind, place):
    lab = write(scenario.parent / "lab.py")
    name = NAMES[kind].format(place.format(lab.parent))
    shown = substrate_here("check", scenario, "--set", name)
    assert shown.returncode == 0, shown.stderr
    assert f"not run, so not checked: {lab}:" in shown.stderr
    assert "valid" in shown.stdout
    assert not mark.exists()
    as_json = substrate_here("check", scenario, "--set", name, "--json")
    assert str(lab) in json.dumps(json.loads(as_json.stdout))
    assert not mark.exists()


def test_checking_goes_on_with_the_rest(substrate_here, scenario, write, mark):
    write(scenario.parent / "lab.py")
    for kind in NAMES:
        name = NAMES[kind].format("lab.py")
        shown = substrate_here("check", scenario, "--set", name, "--set", "training.epochs=none")
        assert (shown.returncode, "training.epochs" in shown.stderr) == (2, True)
        gone = substrate_here("check", scenario, "--set", NAMES[kind].format("lap.py"))
        assert gone.returncode == 2
        assert "did you mean" in gone.stderr
        assert "lab.py" in gone.stderr
    rule = ["--set", NAMES["crossbar"].format("lab.py"), "--set", "arms.crossbar.learning.rule=bp"]
    refused = substrate_here("check", scenario, *rule)
    assert "'transposed_read'" in refused.stderr
    assert not mark.exists()


def test_a_module_is_not_imported_by_checking(substrate_here, scenario):
    assert "antigravity" not in sys.modules
    shown = substrate_here("check", scenario, "--set", "training.loss=antigravity:fly")
    assert "not run, so not checked: antigravity:fly" in shown.stderr
    assert "antigravity" not in sys.modules


def test_checking_with_trust_lists_and_runs_it(substrate_here, scenario, write, mark):
    lab = write(scenario.parent / "lab.py")
    name = NAMES["noise"].format("lab.py").replace(", odd: 1", "")
    shown = substrate_here("check", scenario, "--set", name, "--trust")
    assert shown.returncode == 0, shown.stderr
    assert f"trusted, and run now: {lab}:Noise" in shown.stderr
    assert "not run" not in shown.stderr
    assert mark.read_text() == "run\n"
    odd = substrate_here("check", scenario, "--set", NAMES["noise"].format("lab.py"), "--trust")
    assert "has no such setting" in odd.stderr


@pytest.mark.parametrize("command", ["run", "tune", "align", "survey"])
def test_code_from_elsewhere_is_not_run(
    substrate_here, scenario, write, mark, monkeypatch, command
):
    write(scenario.parent / "lab.py")
    inside = scenario.parent / "inside"
    inside.mkdir()
    (inside / "link.py").symlink_to("../lab.py")
    (inside / "tiny.yaml").write_text(scenario.read_text())
    monkeypatch.chdir(inside)
    for place in ("../lab.py", "link.py", scenario.parent / "lab.py"):
        name = NAMES["loss"].format(place)
        shown = substrate_here(command, "tiny.yaml", "--set", name, "--out", "here")
        assert shown.returncode == 2
        assert f"lies outside the working folder {inside}" in shown.stderr
        assert "--trust" in shown.stderr
        assert not (inside / "here").exists()
    assert not mark.exists()


def test_resuming_is_no_way_around_it(substrate_here, scenario, write, mark, monkeypatch):
    lab = write(scenario.parent / "lab.py")
    inside = scenario.parent / "inside"
    (inside / "run").mkdir(parents=True)
    text = scenario.read_text().replace("epochs: 2", f"epochs: 2\n  loss: {lab}:loss")
    (inside / "run" / "scenario.yaml").write_text(text)
    monkeypatch.chdir(inside)
    shown = substrate_here("run", "--resume", "run")
    assert shown.returncode == 2
    assert "lies outside the working folder" in shown.stderr
    assert not mark.exists()


def test_code_from_elsewhere_is_run_where_it_is_trusted(
    substrate_here, scenario, write, mark, monkeypatch
):
    lab = write(scenario.parent / "lab.py")
    inside = scenario.parent / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    # a device that is not there, so that the scenario is loaded and nothing trained
    options = ["--set", NAMES["loss"].format("lab.py"), "--device", "tpu"]
    shown = substrate_here("run", scenario, "--trust", *options)
    assert "unknown device" in shown.stderr
    assert f"trusted, and run now: {lab}:loss" in shown.stderr
    assert mark.read_text() == "run\n"


def test_trust_ends_with_its_block(working_folder: Path, write) -> None:
    lab = write(working_folder / "lab.py")
    with trusting(Trust.NOTHING) as named:
        for _ in range(2):
            with pytest.raises(NotRunError):
                load_object("lab.py:loss", working_folder)
    assert named == [f"{lab}:loss"]
    assert load_object("lab.py:loss", working_folder).__name__ == "loss"


@pytest.mark.parametrize("place", ["~nobody/x.py", "a\0b.py", f"{'x' * 5000}.py", "..x"])
def test_places_that_can_be_no_file(place: str) -> None:
    for trust in Trust:
        with trusting(trust), pytest.raises(PluginError):
            load_object(f"{place}:loss", Path())


def test_code_that_ends_the_program_does_not(working_folder: Path) -> None:
    (working_folder / "quits.py").write_text("import sys\nsys.exit(0)\n")
    with pytest.raises(PluginError, match=r"SystemExit: 0 \(line 2 of"):
        load_object("quits.py:loss", working_folder)
