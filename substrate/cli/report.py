"""`substrate report`: of one run again, or of several beside each other."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from substrate.files import sole_writer, write_atomically
from substrate.record.folder import read_run_folder
from substrate.run.output import refuse_file_above, refuse_folder
from substrate.terminal import Console, tell


def report_command(folder: Path) -> None:
    """Write the report of a run folder anew.

    Raises:
        RecordError: the folder holds no run that has come to a summary, or it is damaged.
    """
    from substrate.report import write_report

    run = read_run_folder(folder)
    with sole_writer(folder):
        tell(f"Report: {write_report(folder, run)}")


def compare_command(
    folders: list[Path], against: str | None, out: Path | None, as_json: bool, command: str
) -> None:
    """Compare runs: a page, and a table or JSON.

    Raises:
        RecordError: a folder holds no run that has come to a summary, or it is damaged.
        ScenarioError: `against` names no arm.
    """
    from substrate.compare.page import comparison_page, comparison_table
    from substrate.compare.read import read_runs
    from substrate.compare.record import as_record
    from substrate.compare.runs import compare_runs

    found = compare_runs(read_runs(folders), against)
    page = out or Path("runs") / f"comparison-{datetime.now():%Y%m%d-%H%M%S}.html"
    refuse_file_above(page.parent, "--out")
    page.parent.mkdir(parents=True, exist_ok=True)
    refuse_folder(page, "--out")
    write_atomically(page, comparison_page(found, command))
    if as_json:
        tell(json.dumps(as_record(found) | {"page": str(page)}, indent=2, ensure_ascii=False))
        return
    console = Console()
    console.print(comparison_table(found))
    console.print(f"Report: {page}", soft_wrap=True)
