"""Starting files: they pass the conformance kit and pytest as they are, and overwrite nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from substrate.new.write import Kind, write_new
from substrate.scenario.source import ScenarioError


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("kind", "name", "files"),
    [
        ("noise", "CryoReadNoise", ("cryo_read_noise.py", "test_cryo_read_noise.py")),
        ("device", "ferro_FETCell2", ("ferro_fet_cell2.py", "test_ferro_fet_cell2.py")),
        ("rule", "drift-rule", ("drift_rule.py", "test_drift_rule.py")),
        ("bench", "ProbeStation", ("probe_station.py", "test_probe_station.py")),
    ],
)
def test_a_starting_file_passes_its_own_test_and_the_linter(
    tmp_path: Path, kind: Kind, name: str, files: tuple[str, str]
) -> None:
    paths = write_new(kind, name, tmp_path)
    assert tuple(path.name for path in paths) == files
    tests = run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", files[1])
    assert tests.returncode == 0, tests.stdout
    assert "failed" not in tests.stdout
    rules = ("--isolated", "--line-length", "100", "--select", "E,F,W,UP,B")
    lint = run(tmp_path, "ruff", "check", *rules, ".")
    assert lint.returncode == 0, lint.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    _, test = write_new("noise", "Mine", tmp_path)
    test.write_text("precious")
    (tmp_path / "mine.py").unlink()
    with pytest.raises(ScenarioError, match=r"test_mine\.py: is already there"):
        write_new("noise", "Mine", tmp_path)
    assert test.read_text() == "precious"
    assert not (tmp_path / "mine.py").exists()


@pytest.mark.parametrize("name", ["3x", "a b", "../up", "class", ""])
def test_names_that_python_does_not_allow_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScenarioError, match="is no name"):
        write_new("device", name, tmp_path)
    assert not list(tmp_path.iterdir())
