"""Columns of measurements: names, units, and what instruments write where they have no number.

A header says the unit as `I (µA)`, `I [µA]`, `I / µA`, `I in µA`, `I_uA` or `I uA`. The last two
are read so only where they cannot be a name: a unit of one letter, `min`, or a word such as
`seconds` follows what is measured in it, as in `I_A` and `time_min`; a column `D1_A` or `R_min` is
called so.
"""

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

_SMALL = {"": 1.0, "milli": 1e-3, "micro": 1e-6, "nano": 1e-9, "mikro": 1e-6}
_TIMES = {
    **{
        f"{p}{s}": (f, "s") for p, f in _SMALL.items() for s in ("sec", "secs", "second", "seconds")
    },
    **{f"{p}sekunden": (f, "s") for p, f in _SMALL.items()},
    **dict.fromkeys(("mins", "minute", "minutes", "minuten"), (60.0, "s")),
    **dict.fromkeys(("hr", "hrs", "hour", "hours", "stunden"), (3600.0, "s")),
    **dict.fromkeys(("day", "days", "tage"), (86400.0, "s")),
}
"""Units of time in words, in capitals or not."""

_CELLS = r"([ _]?(read|meas|cell))?"
QUANTITIES = {
    "s": r"t|times?|time[ _]?stamp|elapsed([ _]?time)?|time[ _]since[ _]programming|zeit"
    r"|secs?|seconds|sekunden",
    "S": rf"(g|conductance|leitwert){_CELLS}",
    "Ohm": rf"(r|resistance|widerstand){_CELLS}",
    "A": rf"(i|current|strom){_CELLS}",
    "V": r"v|u|voltage|bias|spannung",
}
"""What columns of a quantity are called, by its SI unit; in capitals or not."""


class MeasurementError(ValueError):
    """A file does not hold what is looked for; `str()` says what to do."""


@dataclass(frozen=True)
class Column:
    """A column's name and, where the header tells, the unit of its numbers."""

    name: str
    unit: str | None = None

    @property
    def called(self) -> str:
        """The name without a unit; names of Parquet files and archives keep theirs."""
        return column(self.name, None, 0).name

    def __str__(self) -> str:
        """As a header has it."""
        return f"{self.called} ({self.unit})" if self.unit else self.name


def factor(unit: str | None) -> tuple[float, str] | None:
    """Give a unit as so many of an SI unit: `µA` is (1e-6, "A"); None where it is not known."""
    if unit is None:
        return None
    text = unit.strip().strip("()[]").strip()
    if text in _WHOLE_UNITS:
        return _WHOLE_UNITS[text]
    if text.lower() in _TIMES:
        return _TIMES[text.lower()]
    for base, si in BASES.items():
        if text.endswith(base) and text[: -len(base)] in PREFIXES:
            return PREFIXES[text[: -len(base)]], si
    return None


def is_called(name: str, pattern: str) -> bool:
    """Whether a column's name is one of a pattern's, in capitals or not."""
    return re.fullmatch(pattern, name.strip(), re.IGNORECASE) is not None


def column(text: str, unit: str | None, number: int) -> Column:
    """Tell a name from the unit that a header gives behind it, as the module says."""
    if unit is None:
        match = re.fullmatch(
            r"(.+?)\s*(?:\(([^()]+)\)|\[([^\[\]]+)\]|/\s*([^/\s]+)|\sin\s+(\S+))", text
        )
        if match and factor(found := next(group for group in match.groups()[1:] if group)):
            return Column(match[1].strip(), found.strip())
        match = re.fullmatch(r"(.+)[ _](\S+)", text)
        if match and _is_unit_of(match[2], match[1]):
            return Column(match[1].strip(), match[2])
    return Column(text or str(number), unit)


def _is_unit_of(unit: str, name: str) -> bool:
    """Whether what follows a name without a bracket is its unit, and no part of the name."""
    known = factor(unit)
    if known is None or unit != unit.strip("()[]"):
        return False
    if len(unit) > 1 and unit not in _WHOLE_UNITS and unit.lower() not in _TIMES:
        return True
    # t_h and t_min may be a hold time and a shortest one, time_h is neither
    said = len(name) > 1 or unit not in _WHOLE_UNITS
    return said and is_called(name, QUANTITIES.get(known[1], "(?!)"))
