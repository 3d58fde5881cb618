"""Pages beside that of a run, in its style: of a study, a limit, a comparison of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from substrate.record.summary import Verdict
from substrate.report.html import Picture, template
from substrate.report.palette import DARK, LIGHT
from substrate.report.wording import VERDICT_SYMBOL


class Judged(NamedTuple):
    """A cell of a table that is a verdict, with what stands below it in small letters."""

    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it.

    Attributes:
        title: the heading.
        lede: a line or two below it.
        pictures: each with what it shows in words.
        headings: of the table's columns.
        rows: of the table, as text or verdicts.
        numbers: the columns that are flush right.
    """

    title: str
    lede: str = ""
    pictures: Sequence[tuple[Picture, str]] = ()
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str | Judged]] = ()
    numbers: Sequence[int] = ()


def render_page(
    title: str,
    headline: str,
    tone: Verdict | None,
    reasons: Sequence[str],
    sections: Sequence[Section],
    *,
    about: str,
    command: str,
    versions: Mapping[str, str],
    description: str = "",
    settings: str = "",
    notices: Sequence[str] = (),
) -> str:
    """Give a page as HTML text; everything that is put into it is escaped.

    Args:
        title: in small letters above the headline.
        headline: in large ones.
        tone: the headline's colour; None where it is no verdict.
        reasons: sentences below it.
        sections: in their order.
        about: one line: data, network, how many runs.
        command: that repeats it.
        versions: of the packages.
        description: what was asked, and why.
        settings: all of them, as text.
        notices: what a reader must know first.
    """
    return template("study.html.j2").render(
        title=title,
        headline=headline,
        tone_of="none" if tone is None else tone.replace(" ", "-"),
        reasons=reasons,
        sections=sections,
        about=about,
        command=command,
        versions=versions,
        description=description,
        settings=settings,
        notices=notices,
        symbols=VERDICT_SYMBOL,
        themes={"light": LIGHT, "dark": DARK},
    )
