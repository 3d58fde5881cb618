"""The scenarios that come with substrate."""

from __future__ import annotations

from pathlib import Path

from substrate.environment import scenarios_folder


def shipped_scenarios() -> dict[str, Path]:
    """All shipped scenario files by name: the path below `scenarios/` without its ending."""
    folder = scenarios_folder()
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in sorted(folder.rglob("*.yaml"))
    }


def find_scenario(path: Path) -> Path:
    """Give a file as it is; give the shipped file if only its name was given."""
    return path if path.exists() else shipped_scenarios().get(path.as_posix(), path)
