"""The name that a misspelt one was probably meant to be."""

import difflib
from collections.abc import Iterable


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


def _ratio(one: str | list[str], other: str | list[str]) -> float:
    # the second is what difflib keeps, as `get_close_matches` has it
    return difflib.SequenceMatcher(None, other, one).ratio()
