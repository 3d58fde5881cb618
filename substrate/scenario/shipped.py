"""The scenarios and studies that come with substrate."""

from __future__ import annotations

from pathlib import Path

from substrate.environment import scenarios_folder

_STUDIES = "studies"


def shipped_scenarios() -> dict[str, Path]:
    """All shipped scenario files by name: the path below `scenarios/` without its ending."""
    return {name: path for name, path in _shipped().items() if not _is_study(name)}


def shipped_studies() -> dict[str, Path]:
    """All shipped study files by name, such as `studies/noise_by_bits`."""
    return {name: path for name, path in _shipped().items() if _is_study(name)}


def find_scenario(path: Path) -> Path:
    """Give a file as it is; give the shipped file if only its name was given."""
    return path if path.exists() else shipped_scenarios().get(path.as_posix(), path)


def find_study(path: Path) -> Path:
    """As `find_scenario`; the folder's name may be left out."""
    if path.exists():
        return path
    known = shipped_studies()
    return known.get(path.as_posix()) or known.get(f"{_STUDIES}/{path.as_posix()}", path)


def _shipped() -> dict[str, Path]:
    folder = scenarios_folder()
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in sorted(folder.rglob("*.yaml"))
    }


def _is_study(name: str) -> bool:
    return name.startswith(f"{_STUDIES}/")
