import platform
import subprocess
import sys
import time
import tomllib
from importlib import metadata
from pathlib import Path

import numpy
import pytest
import torch

from substrate import environment
from substrate.environment import EnvironmentProblem, check_aihwkit, scenarios_folder, versions

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_versions_are_those_of_the_imported_packages() -> None:
    found = versions()
    assert found["python"] == platform.python_version()
    assert str(torch.__version__).startswith(found["torch"])
    assert found["numpy"] == numpy.__version__
    assert found["substrate"] == tomllib.loads(PYPROJECT.read_text())["project"]["version"]


def test_versions_imports_nothing_heavy() -> None:
    program = (
        "import sys; from substrate.environment import versions; versions();"
        "print([m for m in ('torch', 'aihwkit', 'numpy', 'scipy', 'sklearn') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert output.stdout.strip() == b"[]"


def test_the_installed_pair_passes_quickly() -> None:
    check_aihwkit()

    def seconds() -> float:
        started = time.process_time()
        check_aihwkit()
        return time.process_time() - started

    # of this process alone, and the best of ten: others' load is none of the check's doing
    assert min(seconds() for _ in range(10)) < 0.05


def test_a_tile_that_cannot_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    from aihwkit.simulator.tiles.analog import AnalogTile

    def forward(*_: object, **__: object) -> None:
        raise RuntimeError("Invalid weights dimensions\nand a C++ backtrace")

    monkeypatch.setattr(AnalogTile, "forward", forward)
    monkeypatch.setattr(platform, "python_version", lambda: "3.11.9")
    installed = {"aihwkit": "1.1.0", "torch": "2.13.0"}
    monkeypatch.setattr(metadata, "version", installed.__getitem__)
    with pytest.raises(EnvironmentProblem) as caught:
        check_aihwkit()
    finding, advice = str(caught.value).splitlines()
    assert finding == (
        "aihwkit 1.1.0 does not work with torch 2.13.0 on Python 3.11.9: Invalid weights dimensions"
    )
    pair = "1.1.*" if sys.version_info < (3, 12) else "1.2.*"
    assert advice.startswith(f"Install a pair that fits: pip install 'aihwkit=={pair}' 'torch")


def test_a_tile_that_computes_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    from aihwkit.simulator.tiles.analog import AnalogTile

    monkeypatch.setattr(
        AnalogTile, "get_weights", lambda self: (torch.full((2, 3), float("nan")), None)
    )
    with pytest.raises(EnvironmentProblem, match="does not work with torch"):
        check_aihwkit()


def test_a_wheel_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aihwkit.simulator.tiles.analog", None)
    with pytest.raises(EnvironmentProblem, match="does not work with torch"):
        check_aihwkit()


def test_aihwkit_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aihwkit.simulator.configs", None)
    real = metadata.version

    def version(name: str) -> str:
        if name == "aihwkit":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(EnvironmentProblem, match="here aihwkit is not installed and torch is 2"):
        check_aihwkit()
    assert versions()["aihwkit"] == "not installed"


def test_shipped_scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (scenarios_folder() / "crossbar_danp.yaml").is_file()
    installed = tmp_path / "substrate"
    (installed / "scenarios").mkdir(parents=True)
    monkeypatch.setattr(environment, "__file__", str(installed / "environment.py"))
    assert scenarios_folder() == installed / "scenarios"
