"""Whether a run on a chip can be resumed: only where the state of its arrays can be saved."""

from __future__ import annotations

from pathlib import Path

from substrate.library import bench_class, custom_crossbar
from substrate.scenario.schema import Arm, BenchChip, CustomChip, Scenario


def without_state(scenario: Scenario) -> list[str]:
    """Say of every arm whose device cannot be saved why that is so; such a run is not resumed.

    Devices of a user's own may lack `state` and `restore`, and a chip on a bench commonly does. All
    shipped ones have them.
    """
    lacking = {name: lacks_state(arm) for name, arm in scenario.all_arms.items()}
    return [f"{why.format(arm=name)}" for name, why in lacking.items() if why]


def lacks_state(arm: Arm) -> str:
    """Say why an arm's device cannot be saved, with {arm} for the arm's name; empty if it can."""
    model: type
    if isinstance(arm.chip, BenchChip):
        model = bench_class(arm.chip.bench, Path())
    elif isinstance(arm.chip, CustomChip):
        model = custom_crossbar(arm.chip.crossbar, Path())
    else:
        return ""
    missing = [f"{each}()" for each in ("state", "restore") if not hasattr(model, each)]
    return f"{model.__name__} of arm {{arm}} has no {' and '.join(missing)}" if missing else ""
