"""Text that others wrote, made fit to be shown.

Names, titles and file names come from scenarios, data and file systems, and may hold anything:
sequences that colour, move or rename a terminal, links, changes of direction that make text read
as what it is not. `plain` is the one way out for all of it, into terminal (`substrate.terminal`),
report, pictures and logs.
"""

from __future__ import annotations

import json
import unicodedata

# Controls, formats (changes of direction among them), halves of surrogate pairs, line separators.
_CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def plain(text: str) -> str:
    """Write control characters other than line feed and tab as JSON does, such as `\\u001b`.

    So text stays readable, and JSON the same JSON.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(each) for each in text)


def for_plot(text: str) -> str:
    """As `plain`, for matplotlib, which would read what stands between dollars as a formula."""
    return plain(text).replace("$", r"\$")


def one_line(text: str) -> str:
    """As `plain`, and line breaks of any kind as spaces."""
    return plain(" ".join(line.strip() for line in text.splitlines() if line.strip()))


def _escaped(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in _CONTROLS:
        return character
    return json.dumps(character)[1:-1] if character != "\x7f" else r"\u007f"
