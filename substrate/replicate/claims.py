"""The paper's claims, each decided by statements that runs confirm or refute.

    holds            all of its statements are confirmed
    holds in part    some are confirmed
    does not hold    none is confirmed, and some are refuted
    not settled      the arms are not told apart
    not measured     no run that it needs is at hand

A statement counts as the largest budget has it at which it was measured by more than one seed,
since one seed tells no arms apart; where there is none, as the largest has it.
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
        for statement in statements:
            budget, check = _counting(statement, checks.get(experiment, {}))
            if check is None:
                continue
            found.append(check)
            if budget != "full":
                short[f"{experiment} at `{budget}` alone"] = None
    wanted = sum(map(len, claim.by.values()))
    text = f"{sum(each.answer == 'confirmed' for each in found)} of {wanted}"
    notes = list(short)
    if any(each.note == "one seed" for each in found):
        notes.append("some known from one seed alone")
    return [f"**{fate(found, wanted)}**", "; ".join([text, *notes])]


def _counting(statement: str, made: Mapping[str, Sequence[Check]]) -> tuple[str, Check | None]:
    """Give the check that counts, with its budget."""
    measured = [
        (budget, each)
        for budget, checks in made.items()
        for each in checks
        if each.statement == statement and each.answer != "not measured"
    ]
    by_several = [each for each in measured if each[1].note != "one seed"]
    return next(iter(by_several or measured), ("", None))


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
