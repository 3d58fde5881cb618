"""The page of a run for tests of its text, which need no pictures."""

from pathlib import Path

from substrate.record.folder import RunFolder
from substrate.record.summary import Summary
from substrate.report.html import Picture, RunPictures, render_report

_EMPTY = Picture("data:,", "data:,", "data:,", "data:,")


def page_of(run: Summary) -> str:
    """Give it as HTML text."""
    return render_report(RunFolder(run, [], "name: x"), Path("runs/x"), RunPictures(_EMPTY, _EMPTY))
