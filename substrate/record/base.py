"""What every model of the record shares: its format version, and how it is read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from substrate.record import RecordError

FORMAT: Final = 1
"""Goes up by one when a reader of the old format could misunderstand the new one."""


class Part(BaseModel):
    """A part of a record; numbers are finite, and nothing is converted or left unread."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Record(Part):
    """A record on its own: a file, or a line of one."""

    format: Literal[1] = FORMAT

    def as_json(self) -> str:
        """Give the whole record for people and programs; `read` takes it."""
        return json.dumps(self.model_dump(), indent=2, ensure_ascii=False, allow_nan=False)

    @classmethod
    def read(cls, text: str | bytes, path: Path, line: int | None = None) -> Self:
        """Check JSON against this model.

        Args:
            text: the JSON.
            path: where it stands, for errors.
            line: in which line, where every line is a record.

        Raises:
            RecordError: it is not JSON, or not this record.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_context=False)[0]
            place = f"{path}, line {line}" if line else str(path)
            if first["type"] == "json_invalid":
                reason = first["msg"].removeprefix("Invalid JSON: ")
                raise RecordError(f"{place}: not valid JSON: {reason}") from None
            if first["loc"] == ("format",):
                found = f"is in format {first['input']!r}, and this version reads format {FORMAT}"
                raise RecordError(f"{place}: {found}") from None
            field = ".".join(map(str, first["loc"])) or "the whole"
            found = repr(first["input"])
            shown = found if len(found) <= 80 else f"{found[:79]}…"
            raise RecordError(f"{place}: {field}: {first['msg']} (found {shown})") from None


class SealedRecord(Record):
    """A record that carries a checksum over itself, so that a change of any figure is seen."""

    sha256: str = ""

    def sealed(self) -> str:
        """Give it as JSON with its checksum; `read_sealed` takes it."""
        return self.model_copy(update={"sha256": self._checksum()}).as_json() + "\n"

    @classmethod
    def read_sealed(cls, text: str | bytes, path: Path) -> Self:
        """As `read`, and check the checksum.

        Raises:
            RecordError: it is not JSON, not this record, or was changed after it was written.
        """
        found = cls.read(text, path)
        # what has joined the record since it was written is no part of what was summed
        if found.sha256 != found._checksum(as_found=True):
            raise RecordError(f"{path}: is damaged: its content does not fit the checksum in it")
        return found

    def _checksum(self, *, as_found: bool = False) -> str:
        told = self.model_dump_json(exclude={"sha256"}, exclude_unset=as_found)
        return hashlib.sha256(told.encode()).hexdigest()
