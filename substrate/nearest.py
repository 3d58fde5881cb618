"""The name that a misspelt one was probably meant to be."""

import difflib
import os
from collections.abc import Callable, Iterable
from pathlib import Path


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` was probably meant to be, or None if none is like it.

    Of those that are alike in order, the one that also has the same letters: two that changed
    places are one slip, and cost as much as two in the order alone.
    """
    by_lower_case = {candidate.lower(): candidate for candidate in candidates}
    word = word.lower()
    alike = difflib.get_close_matches(word, by_lower_case, n=5, cutoff=0.5)
    letters = sorted(word)

    def likeness(candidate: str) -> float:
        return _ratio(word, candidate) + _ratio(letters, sorted(candidate))

    return by_lower_case[max(alike, key=likeness)] if alike else None


def did_you_mean(word: str, candidates: Iterable[str], otherwise: str | None = None) -> str:
    """`did you mean 'danp'?`; where none is like it `otherwise`, or else all that there are."""
    known = list(candidates)
    meant = nearest(word, known)
    if meant is not None:
        return f"did you mean {meant!r}?"
    return otherwise or f"known are {', '.join(known)}"


def beside(path: Path, kind: Callable[[Path], bool] = Path.is_file) -> list[str]:
    """Names of what lies in the folder of a path and is of a kind; none where it cannot be read."""
    try:
        return sorted(each.name for each in path.parent.iterdir() if kind(each))
    except (OSError, ValueError):  # no such folder, one that may not be listed, a NUL in its name
        return []


def path_meant(path: Path, kind: Callable[[Path], bool] = Path.is_file) -> str | None:
    """`did you mean runs/first?`, of what lies beside a path; None if it is there, or none is like.

    Args:
        path: that was given.
        kind: what it should have been.
    """
    name = None if os.path.exists(path) else nearest(path.name, beside(path, kind))
    return None if name is None else f"did you mean {path.with_name(name)}?"


def _ratio(one: str | list[str], other: str | list[str]) -> float:
    # the second is what difflib keeps, as `get_close_matches` has it
    return difflib.SequenceMatcher(None, other, one).ratio()
