"""Running a conformance class outside pytest, check by check."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from unittest import SkipTest


@dataclass(frozen=True)
class Outcome:
    """What one check found.

    Attributes:
        check: what was checked, in words.
        result: passed, failed, or skipped where it does not apply here.
        detail: what failed and why; why it was skipped; or what was measured.
    """

    check: str
    result: Literal["passed", "failed", "skipped"]
    detail: str = ""


def run_checks(conformance: object) -> Iterator[Outcome]:
    """Run every `test_` method of a conformance class, in the order in which they are written."""
    kind = type(conformance)
    names = [name for base in reversed(kind.__mro__) for name in vars(base)]
    for name in dict.fromkeys(names):
        if not name.startswith("test_"):
            continue
        title = (getattr(kind, name).__doc__ or name).strip().splitlines()[0].rstrip(".")
        try:
            getattr(conformance, name)()
            yield Outcome(title, "passed", vars(conformance).pop("measured", ""))
        except SkipTest as reason:
            yield Outcome(title, "skipped", str(reason))
        except Exception as problem:
            if isinstance(problem, AssertionError) and str(problem):
                yield Outcome(title, "failed", str(problem))
                continue
            # The model is somebody else's: whatever it raises is a finding, with its place.
            where = traceback.extract_tb(problem.__traceback__)[-1]
            place = f"{where.filename}:{where.lineno}"
            what = ": ".join(filter(None, (type(problem).__name__, str(problem))))
            yield Outcome(title, "failed", f"{what} ({place})")
