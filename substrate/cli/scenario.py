"""Opening a scenario for a command that runs it: what of its code is run is said beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from substrate.plugins import Trust, trust_now, trusting
from substrate.scenario.budgets import FULL
from substrate.scenario.load import load_scenario
from substrate.scenario.schema import Scenario
from substrate.scenario.shipped import find_scenario
from substrate.scenario.source import Source
from substrate.terminal import tell


def open_scenario(
    path: Path, overrides: Sequence[str] = (), budget: str = FULL
) -> tuple[Scenario, Source]:
    """As `load_scenario`; where code from anywhere may be run, it is listed before any of it is.

    Raises:
        ScenarioError: the first thing that is wrong with the scenario, and where.
    """
    path = find_scenario(path)
    if trust_now() is Trust.EVERYTHING:
        with trusting(Trust.NOTHING) as named:
            load_scenario(path, overrides, budget)
        for each in named:
            tell(f"trusted, and run now: {each}", err=True)
    return load_scenario(path, overrides, budget)


def inspect_scenario(
    path: Path, overrides: Sequence[str], budget: str
) -> tuple[Scenario, Source, list[str]]:
    """Check a scenario; gives also the objects of the user's own that were not run for it.

    Raises:
        ScenarioError: the first thing that is wrong with the scenario, and where.
    """
    if trust_now() is Trust.EVERYTHING:
        return *open_scenario(path, overrides, budget), []
    with trusting(Trust.NOTHING) as named:
        return *load_scenario(find_scenario(path), overrides, budget), named
