"""The scenarios and studies that come with substrate."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from substrate.environment import scenarios_folder
from substrate.scenario.source import ScenarioError
from substrate.scenario.yaml_reader import missing_file

_STUDIES = "studies"


def shipped_scenarios() -> dict[str, Path]:
    """All shipped scenario files by name: the path below `scenarios/` without its ending."""
    return {name: path for name, path in _shipped().items() if not _is_study(name)}


def shipped_studies() -> dict[str, Path]:
    """All shipped study files by name, such as `studies/noise_by_bits`."""
    return {name: path for name, path in _shipped().items() if _is_study(name)}


def find_scenario(path: Path) -> Path:
    """Give a file as it is; give the shipped file if only its name was given.

    Raises:
        ScenarioError: there is neither; with the nearest that there is.
    """
    if path.as_posix() in _short(shipped_studies()) and not os.path.exists(path):
        hint = f"substrate study {path} runs it"
        raise ScenarioError("this is a study, not a scenario", file=str(path), hint=hint)
    return _found(path, shipped_scenarios())


def find_study(path: Path) -> Path:
    """As `find_scenario`; the folder's name may be left out."""
    return _found(path, _short(shipped_studies()))


def _short(studies: Mapping[str, Path]) -> dict[str, Path]:
    """Each by its name, and by what is left of it without the folder."""
    return {**studies, **{name.removeprefix(f"{_STUDIES}/"): studies[name] for name in studies}}


def _found(path: Path, known: Mapping[str, Path]) -> Path:
    if os.path.exists(path):  # unlike `Path.exists`, it takes any name
        return path
    if path.as_posix() not in known:
        raise missing_file(path, known)
    return known[path.as_posix()]


def _shipped() -> dict[str, Path]:
    folder = scenarios_folder()
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in sorted(folder.rglob("*.yaml"))
    }


def _is_study(name: str) -> bool:
    return name.startswith(f"{_STUDIES}/")
