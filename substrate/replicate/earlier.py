"""What an earlier page said of experiments whose run folders are not at hand.

Runs take hours to days and their folders do not outlive a machine, so a page that is written anew
keeps the sections that it cannot write, word for word, and says of what day they are.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_KEPT = re.compile(r"^\*Kept from the page of (\d{4}-\d{2}-\d{2})", re.MULTILINE)
_WRITTEN = re.compile(r"^\| written \| (\d{4}-\d{2}-\d{2}) \|", re.MULTILINE)
_NOT_RUN = "not run"


class Earlier(NamedTuple):
    """What a page said of one experiment.

    Attributes:
        rows: of the overview, cell by cell.
        section: with its heading, and the line that says of what day it is.
    """

    rows: list[list[str]]
    section: str


def earlier(page: Path) -> dict[str, Earlier]:
    """Read the sections of a page that tell of runs, by experiment; none where there is no page."""
    if not page.exists():
        return {}
    head, *sections = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    overview = next((each for each in sections if each.startswith("Overview\n")), "")
    written = _WRITTEN.search(head)
    found: dict[str, Earlier] = {}
    for section in sections:
        name, _, body = section.partition("\n")
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in overview.splitlines()
            if line.startswith(f"| [{name}](#")
        ]
        if not rows or rows[0][1].startswith(_NOT_RUN) or written is None:
            continue
        body = body.strip()
        if not _KEPT.search(body):
            body = f"{_kept(written[1])}\n\n{body}"
        found[name] = Earlier(rows, f"## {name}\n\n{body}")
    return found


def _kept(day: str) -> str:
    return (
        f"*Kept from the page of {day}: the run folders that it was written from are not at hand.*"
    )
