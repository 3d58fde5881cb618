"""The report of a run: pictures, a self-contained page, and tables for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from substrate.record.folder import RunFolder


def write_report(folder: Path, run: RunFolder) -> Path:
    """Write ``learning_curves.png``, ``observed_noise.png`` and ``report.html`` into a run folder.

    Args:
        folder: where to write.
        run: what the report is of.

    Returns:
        The path of ``report.html``.
    """
    # matplotlib and jinja2 take most of a second to import.
    from substrate.files import write_atomically
    from substrate.report.html import render_report, run_pictures

    report, drawn = folder / "report.html", run_pictures(run)
    files: dict[Path, str | bytes] = {
        folder / "learning_curves.png": drawn.curves.png,
        folder / "observed_noise.png": drawn.noise.png,
        report: render_report(run, folder, drawn),
    }
    for path, content in files.items():
        write_atomically(path, content)
    return report
