"""The files of a run folder, and reading them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from substrate.nearest import beside, path_meant
from substrate.record import RecordError
from substrate.record.metrics import Epoch
from substrate.record.summary import Summary
from substrate.record.unit import RunRecord

SCENARIO = "scenario.yaml"
METRICS = "metrics.jsonl"
OUTCOMES = "outcomes.safetensors"
"""Read and written by `substrate.run.outcomes`."""

SUMMARY = "summary.json"
UNITS = "units.json"


class RunFolder(NamedTuple):
    """The files of a run, read; the scenario as text."""

    summary: Summary
    metrics: list[Epoch]
    scenario_yaml: str


def read_run_folder(folder: Path) -> RunFolder:
    """Read the three files that a run leaves.

    Raises:
        RecordError: one of the files is missing, or is not what it should be.
    """
    summary = read_summary(folder) if os.path.isdir(folder) else None
    if summary is None:
        message, hint = why_no_run(folder, SUMMARY)
        raise RecordError(f"{folder}: {message}" + (f"; {hint}" if hint else ""))
    return RunFolder(summary, epochs(read_metrics(folder), folder / METRICS), read_scenario(folder))


def why_no_run(folder: Path, wanted: str) -> tuple[str, str | None]:
    """Why nothing can be made of a folder as of a run, and what was probably meant.

    Args:
        folder: that was given for one.
        wanted: the file that it has not.
    """
    if not os.path.exists(folder):
        return "no such folder", path_meant(folder, _is_run)
    if not folder.is_dir():
        meant = f"did you mean {folder.parent}?" if _is_run(folder.parent) else None
        return "this is a file, not a run folder", meant
    if wanted == SUMMARY and _is_run(folder):
        return f"there is no {SUMMARY} yet", f"substrate run --resume {folder} goes on with the run"
    within = beside(folder / "any", _is_run)
    hint = f"it holds {len(within)}, such as {folder / within[-1]}" if within else None
    return f"is no run folder: it has no {wanted}", hint


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (SCENARIO, UNITS, SUMMARY))


def read_summary(folder: Path) -> Summary | None:
    """Read `summary.json`; None where there is none, as while a run goes on.

    Raises:
        RecordError: it is not what it should be.
    """
    path = folder / SUMMARY
    return Summary.read(_bytes(path), path) if path.exists() else None


def read_run_record(folder: Path) -> RunRecord | None:
    """Read `units.json`; None where there is none.

    Raises:
        RecordError: it is damaged, or is not what it should be.
    """
    path = folder / UNITS
    return RunRecord.read_sealed(_bytes(path), path) if path.exists() else None


def is_complete(folder: Path) -> bool:
    """Whether a run was ended here: the summary is written last.

    Raises:
        RecordError: the summary is not what it should be.
    """
    summary = read_summary(folder)
    return summary is not None and summary.status == "complete"


def read_scenario(folder: Path) -> str:
    """Give the text of `scenario.yaml`.

    Raises:
        RecordError: it is missing, or not text.
    """
    path = folder / SCENARIO
    try:
        return _bytes(path).decode()
    except UnicodeDecodeError:
        raise RecordError(f"{path}: not text in UTF-8") from None


def read_metrics(folder: Path) -> bytes:
    """Give `metrics.jsonl` as it stands; a kill may have cut the last line.

    Raises:
        RecordError: it is missing, or cannot be read.
    """
    return _bytes(folder / METRICS)


def epochs(content: bytes, path: Path) -> list[Epoch]:
    """Read the lines of `metrics.jsonl`.

    Args:
        content: whole lines.
        path: where they stand, for errors.

    Raises:
        RecordError: a line is not what it should be.
    """
    return [Epoch.read(line, path, n) for n, line in enumerate(content.splitlines(), start=1)]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise RecordError(f"{path}: no such file") from None
    except OSError as problem:
        raise RecordError(f"{path}: cannot be read: {problem.strerror}") from None
