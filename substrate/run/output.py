"""Where results are to be written: seen to before hours are spent on them, not after."""

from __future__ import annotations

import os
from pathlib import Path

from substrate.files import is_unfinished
from substrate.nearest import path_meant
from substrate.record.folder import UNITS
from substrate.scenario.source import ScenarioError


def refuse_full(folder: Path, option: str) -> None:
    """See to it that nothing is written over.

    Raises:
        ScenarioError: something lies in the folder other than what a kill has left, or it can be no
            folder.
    """
    refuse_file_above(folder, option)
    if os.path.isdir(folder) and any(
        each.name != UNITS and not is_unfinished(each) for each in folder.iterdir()
    ):
        raise ScenarioError("is not an empty folder", file=f"{option} {folder}")


def refuse_file_above(folder: Path, option: str) -> None:
    """See to it that a folder can be made, or is there.

    Raises:
        ScenarioError: it is a file, or one that it would lie in is.
    """
    there = next((each for each in (folder, *folder.parents) if os.path.exists(each)), Path())
    if not os.path.isdir(there):
        which = "this" if there == folder else str(there)
        raise ScenarioError(f"{which} is a file, not a folder", file=f"{option} {folder}")


def refuse_folder(path: Path, option: str) -> None:
    """See to it that a file can be written; no folder is made for it.

    Raises:
        ScenarioError: it is a folder, or there is none that it would lie in.
    """
    place = f"{option} {path}"
    if os.path.isdir(path):
        raise ScenarioError("this is a folder; name a file in it", file=place)
    refuse_file_above(path.parent, option)
    if not os.path.isdir(path.parent):
        hint = path_meant(path.parent, Path.is_dir)
        raise ScenarioError(f"no such folder {path.parent}", file=place, hint=hint)
