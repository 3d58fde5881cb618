"""The colours of the report, shared by its pictures and its page so that an arm keeps its colour.

The arm colours keep at least 4.5:1 contrast to the surface, and stay apart for readers with
protanopia, deuteranopia and tritanopia (simulated after Machado, Oliveira and Fernandes,
"A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009).
"""

from collections.abc import Iterable
from typing import NamedTuple

Dash = tuple[float, ...]


class Theme(NamedTuple):
    """Colours as ``#rrggbb``; ``feasible``, ``not_feasible`` and ``undecided`` colour text."""

    surface: str
    raised: str
    ink: str
    muted: str
    rule: str
    feasible: str
    feasible_surface: str
    not_feasible: str
    not_feasible_surface: str
    undecided: str
    undecided_surface: str
    arms: tuple[str, ...]


LIGHT = Theme(
    surface="#ffffff",
    raised="#f5f6f8",
    ink="#16191d",
    muted="#5a6370",
    rule="#d9dde3",
    feasible="#176b3a",
    feasible_surface="#eaf6ee",
    not_feasible="#a3241b",
    not_feasible_surface="#fdeeec",
    undecided="#805300",
    undecided_surface="#fff5df",
    arms=("#0b5cad", "#cb4708", "#2e3239", "#b94892", "#18835c"),
)
DARK = Theme(
    surface="#14171c",
    raised="#1d2128",
    ink="#eceff3",
    muted="#a4adb9",
    rule="#353b45",
    feasible="#7fdda5",
    feasible_surface="#15261d",
    not_feasible="#ff9c92",
    not_feasible_surface="#2c1816",
    undecided="#f4c766",
    undecided_surface="#2a2212",
    arms=("#4fa3ee", "#f0763a", "#f1f3f6", "#d277b5", "#6be3b9"),
)

# Each round through the colours takes the next dash, so that a sixth arm differs from the first.
DASHES: tuple[Dash, ...] = ((), (6.0, 2.0), (2.0, 1.6), (6.0, 2.0, 1.5, 2.0))


def arm_styles(theme: Theme, arms: Iterable[str]) -> dict[str, tuple[str, Dash]]:
    """Colour and line dash (in line widths, empty for a solid line) of every arm, by its place."""
    count = len(theme.arms)
    return {
        arm: (theme.arms[place % count], DASHES[place // count % len(DASHES)])
        for place, arm in enumerate(arms)
    }
