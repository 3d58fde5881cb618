"""Naming units: what of a scenario the training of an arm depends on, and its hash.

A unit is told to a worker as plain text, since it may be done on another machine.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import torch

from substrate.plugins import told_trust
from substrate.record.unit import ARM, UnitRecord
from substrate.run.origin import origin_of
from substrate.scenario.capabilities import backpropagates
from substrate.scenario.schema import Arm, BenchChip, Data, Network, RemoteChip, Scenario, Training
from substrate.scenario.schema.base import Settings


class UnitSettings(Settings):
    """What of a scenario the training of one arm depends on."""

    data: Data
    network: Network
    training: Training
    arm: Arm

    @classmethod
    def of(cls, scenario: Scenario, arm: str) -> UnitSettings:
        """Take these from a scenario."""
        return cls.model_construct(
            data=scenario.data,
            network=scenario.network,
            training=scenario.training,
            arm=scenario.all_arms[arm],
        )

    def scenario(self, seed: int) -> Scenario:
        """Give a scenario of this arm alone, checked when the one it came from was."""
        return Scenario.model_construct(
            name="unit",
            data=self.data,
            network=self.network,
            training=self.training,
            arms={ARM: self.arm},
            baselines={},
            seeds=[seed],
        )


@dataclass(frozen=True)
class Unit:
    """One arm with one seed.

    Attributes:
        arm: its name in the scenario that asks for it.
        seed: of all its streams.
        key: its name in the store.
        record: the text of its `unit.json`.
        trust: which of the user's own code it may run, in the words of `told_trust`.
    """

    arm: str
    seed: int
    key: str
    record: str
    trust: str


def units_of(
    scenario: Scenario,
    arm: str,
    seeds: list[int],
    data: str,
    device: torch.device,
    *,
    held_out: bool = False,
    isolated: bool = False,
    once: str = "",
) -> list[Unit]:
    """Name the units of an arm.

    Args:
        scenario: checked.
        arm: of the scenario.
        seeds: one unit each.
        data: the checksum of the scenario's data (`substrate.run.origin.data_checksum`).
        device: where to compute.
        held_out: test on held-out training samples.
        isolated: simulate the chip in a process of its own, where the arm's rule lets it.
        once: of the run that asks, for chips behind a wire or on a bench: these are trained for it
            alone.
    """
    chip = scenario.all_arms[arm].chip
    isolated &= not isinstance(chip, RemoteChip) and not backpropagates(scenario, arm)
    once = (once or secrets.token_hex(8)) if isinstance(chip, RemoteChip | BenchChip) else ""
    settings = UnitSettings.of(scenario, arm)
    text = settings.model_dump_json(exclude_none=True)
    named = settings.model_dump(mode="json", exclude={"data"})
    about = origin_of(text, named, data, device)
    found = []
    for seed in seeds:
        record = UnitRecord(
            origin=about, seed=seed, held_out=held_out, isolated=isolated, once=once
        )
        found.append(Unit(arm, seed, record.key, record.as_json() + "\n", told_trust()))
    return found
