"""`substrate verify`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from devices.crossbars.base import Crossbar
from devices.interface import LayerShape
from devices.noise.base import NoiseModel
from learning.rules import Rule
from substrate.assemble.chip import chip_reproducibility
from substrate.assemble.crossbar import build_crossbar
from substrate.library import custom_crossbar
from substrate.scenario.schema import AihwkitChip, Chip, CustomChip
from substrate.target import describe, find_target
from substrate.terminal import Console, tell
from substrate.verify import CrossbarConformance, NoiseConformance, RuleConformance, run_checks

MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}


def verify_command(name: str, settings: Sequence[str], seed: int, as_json: bool) -> int:
    """Hold a noise model, crossbar or learning rule to the conformance kit; gives the exit status.

    Raises:
        ScenarioError: there is nothing of that name, or a parameter is wrong.
    """
    target = find_target(name, settings)
    kit: type[NoiseConformance | CrossbarConformance | RuleConformance]
    if isinstance(target, NoiseModel):
        kit = type("Verify", (NoiseConformance,), {"model": target, "seed": seed})
    elif isinstance(target, Rule):
        kit = type("Verify", (RuleConformance,), {"rule": target, "seed": seed})
    else:
        kit = _of_crossbar(target, seed)
    console = Console(stderr=as_json)
    title = describe(target)[0]
    console.print(f"{name}: {title}")
    outcomes = []
    for outcome in run_checks(kit()):
        outcomes.append(outcome)
        detail = f": {outcome.detail}" if outcome.detail else ""
        line = f"{MARKS[outcome.result]} {outcome.check}{detail}"
        colour = {"passed": None, "failed": "red", "skipped": "dim"}[outcome.result]
        console.print(line, style=colour, soft_wrap=True)
    failed = sum(outcome.result == "failed" for outcome in outcomes)
    skipped = sum(outcome.result == "skipped" for outcome in outcomes)
    passed = len(outcomes) - failed - skipped
    console.print(f"{passed} passed, {failed} failed, {skipped} skipped")
    if as_json:
        result = {"model": name, "title": title, "seed": seed, "failed": failed}
        checks = [asdict(outcome) for outcome in outcomes]
        tell(json.dumps(result | {"checks": checks}, indent=2, ensure_ascii=False))
    return 1 if failed else 0


def _of_crossbar(chip: Chip, number: int) -> type[CrossbarConformance]:
    if isinstance(chip, CustomChip):
        made = custom_crossbar(chip.crossbar, Path())
        own = {"model": made, "parameters": chip.parameters, "seed": number}
        return type("Verify", (CrossbarConformance,), own)

    class Verify(CrossbarConformance):
        seed = number
        bitwise = chip_reproducibility(chip) == "bitwise"
        runs_on_meta = not isinstance(chip, AihwkitChip)
        # aihwkit's tiles take some ten times the product on an idle machine, and more on a busy one
        max_cost = 100.0 if isinstance(chip, AihwkitChip) else CrossbarConformance.max_cost
        # aihwkit's phase-change pair writes some seven times what its granularity says, and cells
        # of several devices that take turns write a fraction of it
        update_size = (
            (0.15, 12.0) if isinstance(chip, AihwkitChip) else CrossbarConformance.update_size
        )

        def make(
            self, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None
        ) -> Crossbar:
            of = self.seed if seed is None else seed
            return build_crossbar(chip, LayerShape(n_out, n_in), of, "verify", torch.device(device))

    return Verify
