"""The folder of a study or a search for limits: what it is of, tables, pictures, the page.

`settings.json` is written first, and says of what it is; the page is written last. All of it can be
made anew from the store of units, by the same command.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from substrate.files import is_unfinished, write_atomically
from substrate.run.output import refuse_file_above
from substrate.scenario.changes import changes
from substrate.scenario.source import ScenarioError

SETTINGS = "settings.json"
PAGE = "report.html"


def begin(folder: Path, settings: dict[str, Any]) -> None:
    """Take a folder for a study, or go on in one that was begun by the same.

    Raises:
        ScenarioError: something else lies in it, or a study of other settings.
        OSError: it cannot be written.
    """
    refuse_file_above(folder, "--out")
    path = folder / SETTINGS
    settings = json.loads(json.dumps(settings))
    if path.exists():
        try:
            found = json.loads(path.read_text())
        except (ValueError, OSError):
            found = None
        if not isinstance(found, dict):
            raise ScenarioError("cannot be read", file=str(path))
        if found != settings:
            key, then, now = changes(found, settings)[0]
            message = f"{key} is {now!r} here, and was {then!r} when this folder was begun"
            raise ScenarioError(message, file=f"--out {folder}", hint="take another folder")
        return
    if folder.exists() and any(not is_unfinished(each) for each in folder.iterdir()):
        raise ScenarioError("is not an empty folder", file=f"--out {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(settings, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, text + "\n")
