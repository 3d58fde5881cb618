"""Files that a command is about to write: looked at before it begins its work.

A picture is drawn anew, as everywhere. What was measured, or what a scenario may name, is not
written over.
"""

from __future__ import annotations

from pathlib import Path

from substrate.run.output import refuse_folder
from substrate.scenario.source import ScenarioError


def check_picture(path: Path, option: str = "--out") -> None:
    """See to it that a picture can be written, and is not written over something else.

    Raises:
        ScenarioError: it does not end in .png, or there is no such folder.
    """
    refuse_folder(path, option)
    if path.suffix.lower() != ".png":
        raise ScenarioError(
            "is no name for a picture", file=f"{option} {path}", hint="let it end in .png"
        )


def refuse_existing(path: Path, hint: str) -> None:
    """See to it that a file is not written over.

    Raises:
        ScenarioError: it is there.
    """
    if path.exists():
        raise ScenarioError("is already there, and is not overwritten", file=str(path), hint=hint)
