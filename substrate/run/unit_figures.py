"""What a unit has measured, read from its folder and held to its checksums."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from substrate.record import RecordError
from substrate.record.folder import METRICS, epochs
from substrate.record.metrics import Epoch
from substrate.record.summary import DivergedSeed
from substrate.record.unit import ENDED, OUTCOME, UNIT, UnitEnd
from substrate.run.outcomes import BySample, read_outcome
from substrate.run.store import is_ended


class Done(NamedTuple):
    """A unit's figures.

    Attributes:
        epochs: with the arm's name in the run that asked.
        by_sample: None where it diverged, or is not done.
        end: None where it is not done.
    """

    epochs: list[Epoch]
    by_sample: BySample | None
    end: UnitEnd | None

    @property
    def diverged(self) -> DivergedSeed | None:
        """Where its loss stopped being finite."""
        return None if self.end is None else self.end.diverged


def read_unit(folder: Path, key: str, arm: str) -> Done:
    """Read a unit's figures: all of one that is done, whole lines of one that is not.

    Args:
        folder: of the unit.
        key: of the unit.
        arm: what the run that asks calls the arm.

    Raises:
        RecordError: it is damaged.
    """
    path = folder / METRICS
    content = path.read_bytes() if path.exists() else b""
    if not is_ended(folder):
        whole = content[: content.rfind(b"\n") + 1]
        return Done(_named(whole, path, arm), None, None)
    with suppress(OSError):
        os.utime(folder / UNIT)  # for pruning: it was used now
    end = UnitEnd.read_sealed((folder / ENDED).read_bytes(), folder / ENDED)
    outcome = b"" if end.diverged else read_bytes(folder / OUTCOME)
    for found, stated, name in (
        (key, end.key, ENDED),
        (sha256_of(content), end.metrics_sha256, METRICS),
        (sha256_of(outcome), end.outcome_sha256, OUTCOME),
    ):
        if found != stated:
            hint = f"remove the folder {folder}, and it is done anew"
            raise RecordError(f"{folder / name}: is damaged, or of another unit; {hint}")
    by_sample = read_outcome(outcome, folder / OUTCOME) if outcome else None
    return Done(_named(content, path, arm), by_sample, end)


def _named(content: bytes, path: Path, arm: str) -> list[Epoch]:
    return [each.model_copy(update={"arm": arm}) for each in epochs(content, path)]


def read_bytes(path: Path) -> bytes:
    """Read a file of a unit.

    Raises:
        RecordError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as problem:
        raise RecordError(f"{path}: cannot be read: {problem.strerror}") from None


def sha256_of(content: bytes) -> str:
    """Give the SHA-256, as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
