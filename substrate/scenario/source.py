"""A scenario's plain data with the file and line of every key, and the error that names them.

Nothing here knows what a scenario means. `ScenarioError` is the one message that the user sees;
what pydantic finds wrong is put back into the file by `substrate.scenario.explain`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Stands for `found` where there is no value to show; None is YAML's null.
NOT_GIVEN: Any = object()

Location = tuple[str | int, ...]
Place = tuple[str, int | None]
"""A file, or whatever else a setting came from, and the line, which only files have."""


class ScenarioError(Exception):
    """What is wrong with a scenario, and where; `str()` is the whole message for the user.

    `file` names the file, or the `--set path=value` that the problem came from; `line` counts
    from 1; `field` is the dotted path of the key; `found` the value that stood there; `hint` says
    what was probably meant. Each is None where it is not known.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        field: str | None = None,
        found: Any = NOT_GIVEN,
        hint: str | None = None,
    ) -> None:
        place = f"{file}:{line}" if line else file
        text = ": ".join(part for part in (place, field, message) if part)
        if found is not NOT_GIVEN:
            text += f" (found {_shown(found)})"
        super().__init__(f"{text}; {hint}" if hint else text)
        self.message = message
        self.file = file
        self.line = line
        self.field = field
        self.found = None if found is NOT_GIVEN else found
        self.hint = hint


@dataclass(frozen=True)
class Source:
    """A scenario as read: plain data, and the file and line, or the `--set`, of every key."""

    path: Path
    data: dict[str, Any]
    places: Mapping[Location, Place]

    def line(self, loc: Sequence[str | int]) -> int | None:
        """The line, counted from 1, of the key at `loc` or of its deepest ancestor that exists.

        None where the key came from `--set`.
        """
        return self.place(loc)[1]

    def place(self, loc: Sequence[str | int]) -> Place:
        """The file and line, or the `--set`, of the key at `loc` or of its deepest ancestor."""
        ancestors = (tuple(loc[:length]) for length in range(len(loc), -1, -1))
        return next(self.places[key] for key in ancestors if key in self.places)

    def error(
        self,
        loc: Sequence[str | int],
        message: str,
        *,
        found: Any = NOT_GIVEN,
        hint: str | None = None,
    ) -> ScenarioError:
        """A `ScenarioError` about the key at `loc`."""
        file, line = self.place(loc)
        return ScenarioError(
            message, file=file, line=line, field=dotted(loc), found=found, hint=hint
        )


def decimal_point(found: Any) -> str | None:
    """Say how a number with a decimal comma, which YAML takes for text, is written; else None."""
    if isinstance(found, str) and re.fullmatch(r"[-+]?\d*,\d+([eE][-+]?\d+)?", found):
        return f"a decimal has a point: {found.replace(',', '.')}"
    return None


def _shown(found: Any) -> str:
    """A value as a message shows it: short, whatever it is."""
    if found is None:
        return "nothing"
    shown = repr(found[:100] if isinstance(found, str) else found)
    return shown if len(shown) <= 80 else shown[:79] + "…"


def dotted(loc: Sequence[str | int]) -> str | None:
    """The path of a key as it is written in `--set`; None of the whole."""
    return ".".join(str(part) for part in loc) or None
