"""The made-up lab: its files are what its script writes, and the walk finds their figures again."""

import importlib.util
import json

import pytest
import yaml

from substrate.environment import scenarios_folder

LAB = scenarios_folder() / "lab"
FILES = ("pulses.csv", "retention.csv", "reads.txt", "current.txt")


@pytest.fixture(scope="module")
def truth():
    spec = importlib.util.spec_from_file_location("lab_make", LAB / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_are_those_that_the_script_writes(tmp_path, truth):
    truth.main(tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (LAB / name).read_bytes()
    assert sum((LAB / name).stat().st_size for name in FILES) < 300_000


def test_the_device_is_found_and_a_scenario_takes_it(tmp_path, truth, substrate_here):
    paths = [str(LAB / name) for name in FILES[:3]]
    found = json.loads(substrate_here("fit-device", *paths, "--json").stdout)
    assert set(found["verdicts"].values()) == {"good"}
    device, errors = found["device"], found["errors"]
    assert found["response"]["kind"] == "soft bounds"
    window = found["device"]["conductance"]
    factor = (found["response"]["zero"] / window["g_min"]) ** window["read_noise_exponent"]
    assert any(f"{factor:.1f} times too little" in note for note in found["notes"])

    def near(part: str, name: str, true: float) -> None:
        assert abs(device[part][name] - true) < 5 * errors[f"{part}.{name}"], name

    near("update", "cycle_spread", truth.CYCLE_SPREAD)
    near("drift", "nu", truth.NU)
    near("drift", "nu_spread", truth.NU_SPREAD)
    near("conductance", "read_noise_exponent", 0.5)
    near("conductance", "g_min", truth.G_MIN)
    # steps of both directions cancel where u (1 - z) = v (1 + z) over half of the window
    z = (truth.STEP_UP - truth.STEP_DOWN) / (truth.STEP_UP + truth.STEP_DOWN)
    half = (truth.G_MAX - truth.G_MIN) / 2
    point, error = found["response"]["symmetry_point"]
    assert abs(point - (truth.G_MIN + half * (1 + z))) < 5 * error
    assert (tmp_path / "device-fit.png").read_bytes().startswith(b"\x89PNG")
    shipped = yaml.safe_load((LAB / "lab.yaml").read_text())
    for part, values in shipped["arms"]["danp"]["chip"]["device"].items():
        for name, value in values.items():
            close = value if isinstance(value, str) else pytest.approx(value, rel=0.01)
            assert device[part][name] == close, name


def test_the_noise_is_found(truth, substrate_here):
    told = substrate_here("fit", LAB / "current.txt", "--scale", "5e-4", "--json")
    found = json.loads(told.stdout)
    assert found["best"] == "telegraph + 1/f + white"
    assert found["verdict"] == "good"
    best = found["candidates"][0]
    for name, true in (
        ("dwell_low", truth.DWELL_LOW),
        ("dwell_high", truth.DWELL_HIGH),
        ("step", truth.HOP * 5e-4),
    ):
        assert abs(best["parameters"][name] - true) < 5 * best["errors"][name], name


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("G (uS)\n1\n2\n3\n", (), "type --up N --down M"),
        ("I (nA)\n1\n2\n3\n", (), "type --read-voltage V"),
        ("direction,G (uS)\nup,1\nsideways,2\n", (), "neither up nor down"),
        ("direction,G (uS)\nup,1\nup,nan\n", (), "type --missing drop"),
        ("direction,I (nA)\nup,1\nup,2\n", ("--read-voltage", "0"), "--read-voltage 0: a cond"),
        ("direction,G\nup,1\nup,2\n", (), "column G says no unit"),
        ("direction,G\nup,1\nup,2\n", ("--unit", "m"), "--unit m: readings are in siemens"),
        ("direction,G (uS)\nup,1\nup,2\n", ("--out", "cells.csv"), "is no name for a picture"),
        (
            "direction,G (uS)\nup,1\nup,2\n",
            ("--out", "no/a.png"),
            "--out no/a.png: no such folder no",
        ),
    ],
)
def test_refusals_say_what_to_type(tmp_path, substrate_here, text, options, message):
    (tmp_path / "cells.csv").write_text(text)
    run = substrate_here("fit-device", "cells.csv", *options)
    assert run.returncode == 2
    assert message in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr
    assert (tmp_path / "cells.csv").read_text() == text


def test_a_table_of_steps_is_not_written_over(tmp_path, substrate_here):
    mine = "weight,step_up,spread_up,step_down,spread_down\n"
    (tmp_path / "a-steps.csv").write_text(mine)
    run = substrate_here("fit-device", LAB / "pulses.csv", "--out", "a.png")
    assert run.returncode == 2
    assert "a-steps.csv: is already there, and is not overwritten" in " ".join(run.stderr.split())
    assert (tmp_path / "a-steps.csv").read_text() == mine
    assert not (tmp_path / "a.png").exists()


def test_a_folder_is_no_file_of_curves(tmp_path, substrate_here):
    for command in ("fit", "fit-device"):
        run = substrate_here(command, tmp_path)
        assert run.returncode == 2
        assert "is a folder; name a file in it" in " ".join(run.stderr.split())
