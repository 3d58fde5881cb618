"""Columns of measurements: names, units, and what instruments write where they have no number."""

from __future__ import annotations

import re
from dataclasses import dataclass

NOT_A_NUMBER = ("", "nan", "n/a", "na", "null", "none", "inf", "-inf", "+inf", "--", "---", "-")
OVERFLOW = ("ovld", "overload", "overflow", "ol", "o.l", "+ovld", "-ovld")
SCPI_LIMIT = 9.89e37
"""SCPI instruments send 9.9e37 for an overload and 9.91e37 for no number."""

PREFIXES = {
    "": 1.0,
    "f": 1e-15,
    "p": 1e-12,
    "n": 1e-9,
    "u": 1e-6,
    "\N{MICRO SIGN}": 1e-6,
    "\N{GREEK SMALL LETTER MU}": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
}
BASES = {
    "s": "s",
    "sec": "s",
    "A": "A",
    "V": "V",
    "S": "S",
    "Ohm": "Ohm",
    "ohm": "Ohm",
    "\N{GREEK CAPITAL LETTER OMEGA}": "Ohm",
    "\N{OHM SIGN}": "Ohm",
    "Hz": "Hz",
}
_WHOLE_UNITS = {"min": (60.0, "s"), "h": (3600.0, "s"), "d": (86400.0, "s"), "1": (1.0, "1")}


class MeasurementError(ValueError):
    """A file does not hold what is looked for; `str()` says what to do."""


@dataclass(frozen=True)
class Column:
    """A column's name and, where the header tells, the unit of its numbers."""

    name: str
    unit: str | None = None


def factor(unit: str | None) -> tuple[float, str] | None:
    """Give a unit as so many of an SI unit: `µA` is (1e-6, "A"); None where it is not known."""
    if unit is None:
        return None
    text = unit.strip().strip("()[]").strip()
    if text in _WHOLE_UNITS:
        return _WHOLE_UNITS[text]
    for base, si in BASES.items():
        if text.endswith(base) and text[: -len(base)] in PREFIXES:
            return PREFIXES[text[: -len(base)]], si
    return None


def column(text: str, unit: str | None, number: int) -> Column:
    """`I (µA)`, `I [µA]` and `I / µA` are I in µA."""
    if unit is None:
        match = re.fullmatch(r"(.+?)\s*(?:\(([^()]+)\)|\[([^\[\]]+)\]|/\s*([^/\s]+))", text)
        if match and factor(found := next(group for group in match.groups()[1:] if group)):
            return Column(match[1].strip(), found.strip())
    return Column(text or str(number), unit)
