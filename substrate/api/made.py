"""What a study and a limit have alike: a folder with a page, and sentences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from substrate.study.folder import PAGE

if TYPE_CHECKING:
    from substrate.study.limit_session import MadeLimit
    from substrate.study.session import MadeStudy


@dataclass(frozen=True)
class Made:
    """A study or a search for a limit that was made.

    Attributes:
        made: what it came to.
    """

    made: MadeStudy | MadeLimit

    @property
    def folder(self) -> Path:
        """Where its files and its page lie."""
        return self.made.folder

    @property
    def report(self) -> Path:
        """The page that was written for people."""
        return self.folder / PAGE

    @property
    def said(self) -> list[str]:
        """All of it in sentences; a limit's first is for a data sheet."""
        return self.made.said
