"""Names from elsewhere on their way through the commands, and errors that nobody foresaw."""

import re
from pathlib import Path

import numpy as np
import pytest

HOSTILE = "\x1b]8;;http://x\x1b\\[/]\u202e"


def test_a_name_that_an_arm_cannot_have_is_refused_before_anything_is_made(
    substrate_here, tiny, tmp_path
):
    for name in ("x[/]", "a\x1bb", "x\ny", "", " x", "-x", "../x", "x" * 81):
        text = tiny.read_text()
        tiny.write_text(text.replace("  crossbar:\n", f"  {ascii_yaml(name)}:\n", 1))
        shown = substrate_here("run", tiny, "--out", "here")
        tiny.write_text(text)
        assert shown.returncode == 2
        assert "the name of an arm begins with a letter" in shown.stderr
        assert len(shown.stderr.splitlines()) == 1
        assert list(tmp_path.iterdir()) == [tiny]


def ascii_yaml(name: str) -> str:
    return '"' + "".join(f"\\U{ord(each):08x}" for each in name) + '"'


@pytest.mark.parametrize("name", ["σ²=1e-3", "native (4 bits)", "50 %", "日本", "a.b+c-d"])
def test_names_that_an_arm_can_have(substrate_here, tiny, name):
    tiny.write_text(tiny.read_text().replace("  crossbar:\n", f'  "{name}":\n', 1))
    shown = substrate_here("check", tiny)
    assert shown.returncode == 0, shown.stderr
    assert name in shown.stdout


@pytest.mark.parametrize("unit", ["[/]", r"$\frac{$", HOSTILE])
def test_a_unit_of_any_name(substrate_here, tmp_path, unit):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "trace[b].npy", rng.normal(size=300))
    shown = substrate_here("fit", "trace[b].npy", "--sampling-rate", 100, "--unit", unit)
    assert shown.returncode == 0, shown.stderr
    assert "trace[b].npy: 300 samples" in shown.stdout
    assert "\x1b" not in shown.stdout + shown.stderr
    assert (tmp_path / "trace[b]-fit.png").stat().st_size > 10_000


def test_messages_hold_no_controls(substrate_here, tmp_path):
    shown = substrate_here("check", f"{HOSTILE}.yaml")
    assert shown.returncode == 2
    assert r"\u001b]8;;http:" in shown.stderr
    assert not re.search("[\x1b\u202e]", shown.stderr)
    listed = substrate_here("list", HOSTILE)
    assert not re.search("[\x1b\u202e]", listed.stderr)


@pytest.fixture
def failing(monkeypatch, tmp_path):
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody thought\nof that \x1b[31m")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return fail


def log_of(stderr: str) -> str:
    (line,) = stderr.splitlines()
    assert line.startswith("error: this should not have happened: ZeroDivisionError: nobody")
    assert "\x1b" not in line
    text = Path(line.rpartition(" is in ")[2]).read_text()
    assert "Traceback" in text
    assert "in fail" in text
    assert "torch" in text
    assert "\x1b" not in text
    return line


def test_what_nobody_foresaw_is_one_line_and_a_log(substrate_here, tiny, failing, monkeypatch):
    monkeypatch.setattr("substrate.cli.inspect.inspect_scenario", failing)
    shown = substrate_here("check", tiny)
    assert shown.returncode == 3
    assert "/cache/substrate/error-" in log_of(shown.stderr)


def test_the_log_of_a_run_is_in_its_folder(substrate_here, tiny, failing, monkeypatch, tmp_path):
    def fail(scenario, dataset, folder, *rest, **named):
        folder.mkdir()
        failing()

    monkeypatch.setattr("substrate.run.experiment.run_scenario", fail)
    shown = substrate_here("run", tiny, "--out", "here")
    assert shown.returncode == 3
    assert " is in here/error-" in log_of(shown.stderr)
    # the next command knows nothing of that folder
    monkeypatch.setattr("substrate.cli.inspect.inspect_scenario", failing)
    assert " is in here/" not in log_of(substrate_here("check", tiny).stderr)


def test_a_terminal_that_cannot_show_a_character(tmp_path):
    import os
    import subprocess
    import sys

    shown = subprocess.run(
        [sys.executable, "-m", "substrate", "list", "rules"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert rb"calibrated \u03c3\xb2" in shown.stdout


def test_everything_that_is_shown_takes_the_one_way():
    package = Path(__file__).parents[3] / "substrate"
    around = [
        f"{path.name}:{number}"
        for path in package.rglob("*.py")
        if path.name != "terminal.py"
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(r"rich\.console import.*\bConsole\b|typer\.echo\(", line)
    ]
    assert around == []
