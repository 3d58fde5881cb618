"""The paper's claims, each decided by statements that runs confirm or refute.

    holds            all of its statements are confirmed
    holds in part    some are confirmed
    does not hold    none is confirmed, and some are refuted
    not settled      the arms are not told apart
    not measured     no run that it needs is at hand

What a statement says of the largest budget that was run counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from substrate.replicate.statements import Check
from substrate.replicate.tables import table

CLAIMS = Path(__file__).with_name("claims.yaml")

Fate = Literal["holds", "holds in part", "does not hold", "not settled", "not measured"]
Checks = Mapping[str, Mapping[str, Sequence[Check]]]
"""What became of the statements, by experiment and by budget, the largest first."""


class Claim(BaseModel):
    """A claim of the paper.

    Attributes:
        says: it in a sentence.
        by: the statements that decide it, by experiment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    says: str
    by: dict[str, list[str]]


@cache
def claims() -> list[Claim]:
    """All of them, in the order of the page."""
    return TypeAdapter(list[Claim]).validate_python(yaml.safe_load(CLAIMS.read_text("utf-8")))


def claims_table(checks: Checks) -> str:
    """One line a claim: what became of it, and by what."""
    rows = [[claim.says, *_decided(claim, checks)] for claim in claims()]
    return table(["the paper's claim", "", "statements confirmed"], rows)


def _decided(claim: Claim, checks: Checks) -> list[str]:
    found: list[Check] = []
    short: dict[str, None] = {}
    for experiment, statements in claim.by.items():
        for budget, made in list(checks.get(experiment, {}).items())[:1]:
            found += [each for each in made if each.statement in statements]
            if budget != "full":
                short[f"{experiment} at `{budget}` alone"] = None
    wanted = sum(map(len, claim.by.values()))
    text = f"{sum(each.answer == 'confirmed' for each in found)} of {wanted}"
    notes = list(short)
    if any(each.note == "one seed" for each in found):
        notes.append("some known from one seed alone")
    return [f"**{fate(found, wanted)}**", "; ".join([text, *notes])]


def fate(found: Sequence[Check], wanted: int) -> Fate:
    """What becomes of a claim of so many statements by what was found of some of them."""
    answers = [each.answer for each in found if each.answer != "not measured"]
    confirmed = answers.count("confirmed")
    if not answers:
        return "not measured"
    if confirmed == wanted:
        return "holds"
    if confirmed:
        return "holds in part"
    return "does not hold" if "refuted" in answers else "not settled"
