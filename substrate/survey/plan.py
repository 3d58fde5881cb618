"""What a survey trains: every preset by every device arm of a scenario, and the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from substrate.nearest import did_you_mean
from substrate.scenario.aihwkit_check import check_aihwkit_chip
from substrate.scenario.schema import AihwkitChip, Arm, Scenario
from substrate.scenario.schema.chips import crossbar
from substrate.scenario.source import ScenarioError, Source


class Place(NamedTuple):
    """Where a cell stands: row and column. A baseline has no preset."""

    preset: str | None
    arm: str


@dataclass(frozen=True)
class Plan:
    """A survey before anything is trained.

    Attributes:
        scenario: its device arms are the columns, whatever presets they name.
        presets: the rows.
        rates: learning rates to choose from, of the device arms; baselines keep their own.
    """

    scenario: Scenario
    presets: tuple[str, ...]
    rates: tuple[float, ...]

    @property
    def places(self) -> list[Place]:
        """Baselines first, then row by row."""
        baselines = [Place(None, name) for name in self.scenario.baselines]
        return baselines + [
            Place(preset, name) for preset in self.presets for name in self.scenario.arms
        ]

    def scenario_of(self, place: Place) -> Scenario:
        """Put the place's preset into its arm; the other arms stay as they are."""
        if place.preset is None:
            return self.scenario
        changed = with_preset(self.scenario.arms[place.arm], place.preset)
        return self.scenario.model_copy(update={"arms": {**self.scenario.arms, place.arm: changed}})


def with_preset(arm: Arm, preset: str) -> Arm:
    """Put another preset into an aihwkit arm.

    Presets without noise of their own (`FloatingPointPreset`) cannot be trained by it: there, a
    rule that compares passes has noise injected as well.
    """
    assert isinstance(arm.chip, AihwkitChip)
    chip, learning = arm.chip.model_copy(update={"preset": preset}), arm.learning
    if learning.perturbation and _is_perfect(chip):
        chip = chip.model_copy(update={"inject": True})
        perturbation = learning.perturbation.model_copy(update={"source": "both"})
        learning = learning.model_copy(update={"perturbation": perturbation})
    return arm.model_copy(update={"chip": chip, "learning": learning})


def _is_perfect(chip: AihwkitChip) -> bool:
    from devices.crossbars.aihwkit_config import ConfigProblem, preset_config

    try:
        return bool(preset_config(chip.preset, chip.config).forward.is_perfect)
    except ConfigProblem:
        return False  # what is wrong with the settings is said when the plan is checked


def plan_survey(
    scenario: Scenario, source: Source, presets: Sequence[str], rates: Sequence[float]
) -> Plan:
    """Check that every chosen preset, or all, can be trained by every device arm.

    Raises:
        ScenarioError: a device arm is no aihwkit chip, aihwkit has no such preset or refuses it
            with the arm's settings.
    """
    from devices.crossbars.aihwkit_config import PRESETS

    for preset in presets:
        if preset not in PRESETS:
            hint = did_you_mean(preset, PRESETS, "see `substrate list devices`")
            raise ScenarioError(
                "aihwkit has no such preset", file="--presets", found=preset, hint=hint
            )
    for name, arm in scenario.arms.items():
        if not isinstance(arm.chip, AihwkitChip):
            raise source.error(
                ("arms", name, "chip", "crossbar"),
                "a survey goes through aihwkit's presets, and needs aihwkit chips",
                found=crossbar(arm.chip),
            )
        for preset in presets or PRESETS:
            changed = with_preset(arm, preset)
            assert isinstance(changed.chip, AihwkitChip)
            try:
                check_aihwkit_chip(changed.chip, changed.learning, source, ("arms", name))
            except ScenarioError as problem:
                raise ScenarioError(f"{problem}; with the preset {preset}") from None
    return Plan(scenario, tuple(presets or PRESETS), tuple(rates))
