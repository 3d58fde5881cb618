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
from substrate.library import bench_class, custom_crossbar
from substrate.scenario.schema import AihwkitChip, BenchChip, Chip, CustomChip, NativeChip
from substrate.target import describe, find_target
from substrate.terminal import Console, tell
from substrate.verify import (
    BenchConformance,
    CrossbarConformance,
    NoiseConformance,
    RuleConformance,
    run_checks,
)
from substrate.verify.updates import (
    BESIDE_WRITE_NOISE,
    LARGEST,
    MIXED_PRECISION,
    ORDINARY,
    PULSED,
    SHORT_TRAINS,
    TRANSFER,
    TWICE_THE_LARGEST,
    WRITE_NOISE,
    Amount,
)

MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}


def verify_command(name: str, settings: Sequence[str], seed: int, as_json: bool) -> int:
    """Hold a model, crossbar, rule or bench to the conformance kit; gives the exit status.

    Raises:
        ScenarioError: there is nothing of that name, or a parameter is wrong.
    """
    target = find_target(name, settings)
    kit: type[NoiseConformance | CrossbarConformance | RuleConformance | BenchConformance]
    if isinstance(target, NoiseModel):
        kit = type("Verify", (NoiseConformance,), {"model": target, "seed": seed})
    elif isinstance(target, Rule):
        kit = type("Verify", (RuleConformance,), {"rule": target, "seed": seed})
    elif isinstance(target, BenchChip):
        own = {"model": bench_class(target.bench, Path()), "settings": target.settings}
        kit = type("Verify", (BenchConformance,), own | {"seed": seed})
    else:
        kit = kit_of_chip(target, seed)
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


def kit_of_chip(chip: Chip, number: int) -> type[CrossbarConformance]:
    """Give the kit for a chip's crossbars, under a seed."""
    if isinstance(chip, CustomChip):
        made = custom_crossbar(chip.crossbar, Path())
        own = {"model": made, "parameters": chip.parameters, "seed": number}
        return type("Verify", (CrossbarConformance,), own)

    if isinstance(chip, AihwkitChip):
        return _of_aihwkit(chip, number)

    class Verify(CrossbarConformance):
        seed = number
        bitwise = chip_reproducibility(chip) == "bitwise"
        update_size = (0.8, 1.25)
        amount = _amount(chip)

        def make(
            self, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None
        ) -> Crossbar:
            of = self.seed if seed is None else seed
            return build_crossbar(chip, LayerShape(n_out, n_in), of, "verify", torch.device(device))

    return Verify


def _amount(chip: Chip) -> Amount:
    """More where write noise hides it; in parts where twice the whole is longer than trains are."""
    if not isinstance(chip, NativeChip):
        return ORDINARY
    update = chip.device.update
    if update.write_noise * update.dw_min > LARGEST:
        return BESIDE_WRITE_NOISE
    return SHORT_TRAINS if update.dw_min * update.pulses < TWICE_THE_LARGEST else ORDINARY


def _of_aihwkit(chip: AihwkitChip, number: int) -> type[CrossbarConformance]:
    """A kit whose updates are held to aihwkit's own, where it pulses."""
    from aihwkit.simulator.configs import MixedPrecisionCompound

    from devices.crossbars.aihwkit_config import preset_config
    from devices.crossbars.aihwkit_inference import is_programmed
    from substrate.verify.bare_tile import BareTile, has_write_noise, is_compound

    config = preset_config(chip.preset, chip.config)
    mixed = isinstance(getattr(config, "device", None), MixedPrecisionCompound)
    if is_programmed(config):
        asked = ORDINARY
    elif is_compound(config):
        asked = MIXED_PRECISION if mixed else TRANSFER
    else:
        asked = WRITE_NOISE if has_write_noise(config) else PULSED
    input_range = config.pre_post.input_range

    class Verify(CrossbarConformance):
        seed = number
        bitwise = chip_reproducibility(chip) == "bitwise"
        # what a device shows beside its persistent weight, and the digital accumulator: see
        # `AihwkitCrossbar.state`
        redrawn = frozenset(["weights"] * has_write_noise(config) + ["devices"] * mixed)
        runs_on_meta = False
        # aihwkit's tiles take some ten times the product on an idle machine, and more on a busy one
        max_cost = 100.0
        update_size = (0.8, 1.25)
        amount = asked
        warm_up = input_range.init_from_data + 1 if input_range.enable else 0

        def make(
            self, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None
        ) -> Crossbar:
            of = self.seed if seed is None else seed
            return build_crossbar(chip, LayerShape(n_out, n_in), of, "verify", torch.device(device))

        def make_reference(self, n_out: int, n_in: int, seed: int) -> Crossbar | None:
            return None if is_programmed(config) else BareTile(n_out, n_in, config, seed)

    return Verify
