"""What drivers of chips reported in words: temperatures, and the latency and bytes of calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from substrate.record.summary import Reported, Summary

HEADINGS: Final = ("Arm", "What", "Last", "Lowest", "Highest")


def reporting(summary: Summary) -> dict[str, dict[str, Reported]]:
    """Arms whose chip's driver reported anything."""
    return {name: arm.reported for name, arm in summary.arms.items() if arm.reported}


def rows(arms: Mapping[str, Mapping[str, Reported]]) -> list[tuple[str, ...]]:
    """A row a figure, below `HEADINGS`."""
    return [
        (arm, what, *(f"{value:.5g}" for value in (found.last, found.lowest, found.highest)))
        for arm, figures in arms.items()
        for what, found in figures.items()
    ]


def lines(summary: Summary) -> Iterator[str]:
    """One line an arm, of the last epoch."""
    for arm, figures in reporting(summary).items():
        told = (f"{what} {found.last:.5g}" for what, found in figures.items())
        yield f"{arm}: the driver reported {', '.join(told)}"
