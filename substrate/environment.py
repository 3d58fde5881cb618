"""What is installed here, whether it works together, and where the shipped scenarios lie."""

import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

_REPORTED = ("substrate", "torch", "aihwkit", "numpy", "scipy", "scikit-learn")


class EnvironmentProblem(Exception):
    """The installed packages do not work together; `str()` tells the user what to install."""


def versions() -> dict[str, str]:
    """The versions that a result depends on, read without importing any of the packages."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    return found | {name: _version(name) for name in _REPORTED}


def check_aihwkit() -> None:
    """Run one forward pass and one pulsed update on an analog tile of 2 outputs and 3 inputs.

    aihwkit's binary wheels fit only some torch releases, and a bad pair may fail as late as the
    first forward pass: aihwkit 1.1.0 does not import beside torch 2.9, and imports but cannot
    compute beside torch 2.13.

    Raises:
        EnvironmentProblem: aihwkit or torch is missing, or the two do not fit.
    """
    try:
        import torch
        from aihwkit.simulator.configs import SingleRPUConfig
        from aihwkit.simulator.tiles.analog import AnalogTile

        tile = AnalogTile(2, 3, SingleRPUConfig())
        inputs = torch.ones(1, 3)
        outputs = tile.forward(inputs)
        tile.set_learning_rate(0.1)
        tile.update(inputs, torch.ones(1, 2))
        weights, _ = tile.get_weights()
        if outputs.shape != (1, 2) or not weights.isfinite().all():
            raise RuntimeError("a tile computes nonsense")
    except Exception as problem:
        # A wheel that does not fit fails in many ways: ImportError, OSError, RuntimeError, ...
        raise EnvironmentProblem(_explanation(problem)) from problem


def scenarios_folder() -> Path:
    """The folder of the scenarios that come with substrate, in an installation or a checkout."""
    package = Path(__file__).parent
    installed = package / "scenarios"
    return installed if installed.is_dir() else package.parent / "scenarios"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _explanation(problem: Exception) -> str:
    aihwkit, torch, python = (_version("aihwkit"), _version("torch"), platform.python_version())
    if "not installed" in (aihwkit, torch):
        finding = f"aihwkit is {aihwkit} and torch is {torch}"
        finding = f"substrate needs aihwkit and torch: here {finding} (Python {python})."
    else:
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        finding = f"aihwkit {aihwkit} does not work with torch {torch} on Python {python}: {reason}"
    pair = " ".join(f"'{requirement}'" for requirement in _fitting_pair())
    return f"{finding}\nInstall a pair that fits: pip install {pair}"


def _fitting_pair() -> Iterator[str]:
    """aihwkit and torch as pyproject.toml asks for them on this Python."""
    for line in metadata.requires("substrate") or []:
        requirement = Requirement(line)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if requirement.name in ("aihwkit", "torch") and wanted:
            yield f"{requirement.name}{requirement.specifier}"
