"""What a field of a scenario means and its unit, from the one place where both are documented.

That place is the field's own description (`pydantic.Field`), or for aihwkit's settings the table of
`substrate.assemble.parameters`; it names the unit between commas, full stops or brackets:

    Highest conductance of a cell, siemens.                               S
    Standard deviation of a cell at g_max, …, a fraction of g_max.        of g_max
    Mean step of one pulse at weight 0, in units of the weight.           in units of the weight
    Resolution in bits, or exact: infinitely fine.                        bits
    Device-to-device standard deviation of w_max, a fraction of it.       a plain number
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from substrate.assemble.parameters import settings_of
from substrate.scenario.overrides import keys_of
from substrate.scenario.schema import Scenario

_SYMBOLS = {
    "siemens": "S",
    "ohm a cell": "Ω a cell",
    "seconds": "s",
    **{each: each for each in ("s", "Hz", "K", "Ω", "A", "V", "V or A", "pJ", "fJ", "ns", "nm")},
}
_COUNTED = re.compile(r".* in (bits|updates)")
_RELATIVE = re.compile(r"an? (?:fraction|part) (of .+)")
_IN_UNITS = re.compile(r"(?:in )?(units of .+)")
_POINTS_BACK = re.compile(r"\b(it|their|same)\b")


def meaning_of(scenario: Scenario, path: str) -> str:
    """Give the description of the field at a dotted path, as `--set` has it; empty without any."""
    keys = keys_of(path, {"arms": scenario.arms, "baselines": scenario.baselines})
    first, *rest = keys
    if first in ("arms", "baselines") and rest[1:2] == ["chip"] and rest[0] in scenario.all_arms:
        own = ".".join(rest[2:])
        chip = scenario.all_arms[rest[0]].chip
        for each in settings_of(chip):
            if each.path == own:
                return each.meaning
    at: Any = scenario
    *way, last = keys
    for part in way:
        at = _below(at, part)
    field = type(at).model_fields.get(last) if isinstance(at, BaseModel) else None
    return "" if field is None or field.description is None else field.description


def unit_of(meaning: str) -> str:
    """Give the unit that a description names, as it stands behind a number; empty without any."""
    for clause in re.split(r"[,;:()]\s*|\.(?:\s+|$)", meaning):
        clause = clause.strip()
        if clause in _SYMBOLS:
            return _SYMBOLS[clause]
        if found := _COUNTED.fullmatch(f" {clause}"):
            return found[1]
        if found := _RELATIVE.fullmatch(clause):
            return "" if _POINTS_BACK.search(found[1]) else found[1]
        if found := _IN_UNITS.fullmatch(clause):
            return f"in {found[1]}"
    return ""


def _below(at: Any, part: str) -> Any:
    if isinstance(at, BaseModel):
        return getattr(at, part, None)
    if isinstance(at, Mapping):
        return at.get(part)
    if isinstance(at, Sequence) and not isinstance(at, str) and part.isdecimal():
        return at[int(part)] if int(part) < len(at) else None
    return None
