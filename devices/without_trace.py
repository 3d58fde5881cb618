"""Reading a part of a chip without leaving a trace in it.

What reads change is noise that remembers, time that passes, ranges that calibrate themselves. All
of it goes back to where it was: a part that knows how does so itself (`without_trace`), any other
one by its `state` and `restore`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, runtime_checkable

from devices.states import Saved


@runtime_checkable
class Traceless(Protocol):
    """A part that undoes what reads change by itself; `restore` may be slow, or lose something."""

    def without_trace(self) -> AbstractContextManager[None]:
        """Let reads that happen inside change nothing for those after."""
        ...


@contextmanager
def without_trace(part: object) -> Iterator[None]:
    """Let reads of a part that happen inside change nothing for those after.

    A part without a state, or without noise, has nothing that reads could change.
    """
    if isinstance(part, Traceless):
        with part.without_trace():
            yield
    elif isinstance(part, Saved) and not getattr(part, "noise_free", False):
        state = part.state()
        try:
            yield
        finally:
            part.restore(state)
    else:
        yield
