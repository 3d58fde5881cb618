"""Whether a run on a chip can be resumed: only where the state of its arrays can be saved."""

from __future__ import annotations

from pathlib import Path

from substrate.library import bench_class, custom_crossbar
from substrate.scenario.schema import BenchChip, CustomChip, Scenario


def without_state(scenario: Scenario) -> list[str]:
    """Say of every arm whose device cannot be saved why that is so; such a run is not resumed.

    Devices of a user's own may lack `state` and `restore`, and a chip on a bench commonly does. All
    shipped ones have them.
    """
    found = []
    for name, arm in scenario.all_arms.items():
        if isinstance(arm.chip, CustomChip | BenchChip):
            model: type
            if isinstance(arm.chip, BenchChip):
                model = bench_class(arm.chip.bench, Path())
            else:
                model = custom_crossbar(arm.chip.crossbar, Path())
            missing = [f"{each}()" for each in ("state", "restore") if not hasattr(model, each)]
            if missing:
                found.append(f"{model.__name__} of arm {name} has no {' and '.join(missing)}")
    return found
