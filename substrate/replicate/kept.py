"""Records of runs that are kept beside the page, since run folders do not outlive a machine.

`replication/GROUP-NAME-BUDGET-STARTED.zip` holds what the page is written from: scenario, metrics,
outcomes by test sample and summary of a run, or angles and their pictures. Training at full width
takes longer than most machines are to be had, so several records of one experiment may each hold
some of its arms and seeds; `substrate.replicate.merge` puts them together.
"""

from __future__ import annotations

import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path

from substrate.files import write_atomically
from substrate.record import RecordError
from substrate.record.folder import METRICS, OUTCOMES, SCENARIO, SUMMARY, read_summary

_ANGLES = "align.json"
_NAMES = (SCENARIO, METRICS, OUTCOMES, SUMMARY, _ANGLES)
_PICTURES = "angle_*.png"
_DATE = (1980, 1, 1, 0, 0, 0)
"""The same record is the same file, byte by byte."""


def keep(folder: Path, records: Path) -> None:
    """Keep what a run folder has measured; a run that was killed has no summary yet, and waits.

    Args:
        folder: a run folder, there or not.
        records: where records lie.
    """
    if (folder / _ANGLES).exists():
        path = records / f"{folder.name}.zip"
    elif summary := read_summary(folder):
        started = datetime.fromisoformat(summary.started)
        path = records / f"{folder.name}-{started:%Y%m%d-%H%M%S}.zip"
    else:
        return
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        present = [folder / name for name in _NAMES if (folder / name).exists()]
        for file in [*present, *sorted(folder.glob(_PICTURES))]:
            entry = zipfile.ZipInfo(file.name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    if not path.exists() or path.read_bytes() != content.getvalue():
        records.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.getvalue())


def unpack(name: str, records: Path, into: Path) -> list[Path]:
    """Unpack all records of an experiment at a budget, each into a folder of its own.

    Args:
        name: that of its run folder, `GROUP-NAME-BUDGET`.
        records: where records lie.
        into: where to unpack.

    Returns:
        The folders, the last started first.

    Raises:
        RecordError: a record is damaged.
    """
    folders = []
    dated = f"{name}-[0-9]*-[0-9]*.zip"
    for path in [*sorted(records.glob(dated), reverse=True), *records.glob(f"{name}.zip")]:
        folder = into / path.stem
        folder.mkdir()
        try:
            with zipfile.ZipFile(path) as archive:
                for entry in archive.namelist():
                    if entry in _NAMES or Path(entry).match(_PICTURES):
                        (folder / Path(entry).name).write_bytes(archive.read(entry))
        except (zipfile.BadZipFile, EOFError, ValueError) as problem:
            raise RecordError(f"{path}: is damaged: {problem}") from problem
        folders.append(folder)
    return folders
