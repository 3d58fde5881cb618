"""A whole scenario: arms, baselines, and what they are trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    Field,
    FiniteFloat,
    ModelWrapValidatorHandler,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from substrate.library import find_rule
from substrate.plugins import PluginError
from substrate.scenario.explain import from_validation_error
from substrate.scenario.schema.base import ArmName, Name, Settings, scenario_folder
from substrate.scenario.schema.chips import Chip, IdealChip, crossbar
from substrate.scenario.schema.costs import Costs
from substrate.scenario.schema.data import Data, Digits
from substrate.scenario.schema.learning import Learning
from substrate.scenario.schema.network import Network, Training
from substrate.scenario.source import Source


class Arm(Settings):
    """One chip trained by one rule."""

    chip: Chip = IdealChip()
    learning: Learning

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, data: Any, info: ValidationInfo) -> Any:
        """Fill in what depends on the chip and the rule, so that a resolved scenario shows it."""
        if not isinstance(data, dict) or not isinstance(data.get("learning"), dict):
            return data
        chip = data.get("chip", {"crossbar": "ideal"})
        learning = dict(data["learning"])
        ideal = not isinstance(chip, dict) or crossbar(chip) in (None, "ideal")
        try:
            rule, decorrelates = find_rule(str(learning.get("rule")), scenario_folder(info))
        except PluginError:
            return data  # what is wrong with the rule is said where it is read
        if decorrelates:
            learning["decorrelation"] = learning.get("decorrelation") or {}
        perturbs = rule.perturbs or bool(learning.get("perturbation"))  # the latter: refused later
        if perturbs and isinstance(learning.get("perturbation", {}), dict | None):
            noisy_source = "both" if rule.knows_perturbation else "intrinsic"
            defaults = {
                "source": "injected" if ideal else noisy_source,
                "baseline": "clean" if ideal else "noisy",
            }
            learning["perturbation"] = defaults | (learning.get("perturbation") or {})
        return data | {"learning": learning}


class Verdict(Settings):
    """When a device arm counts as feasible."""

    tolerance: FiniteFloat = Field(
        0.05,
        ge=0,
        description="Largest acceptable gap to a baseline: a fraction of accuracy, or in a"
        " regression units of the loss.",
    )
    confidence: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.95, description="Of the interval of the gap."
    )


class Alignment(Settings):
    """What `substrate align` measures."""

    inputs: PositiveInt = Field(4, description="Mean angle over so many inputs.")
    samples: PositiveInt = Field(10_000, description="Average up to so many noise samples.")
    sigma_samples: NonNegativeInt = Field(
        1000, description="Noise samples at every σ²; 0 leaves σ² alone."
    )


def _unique(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("a seed stands twice; every run needs its own")
    return seeds


class Scenario(Settings):
    """A device arm or several, clean baselines, and what they are trained on."""

    name: Name
    title: str = Field("", description="One line for people.")
    description: str = Field("", description="What is compared, and why.")
    data: Data = Digits()
    network: Network = Network()
    training: Training = Training()
    arms: dict[ArmName, Arm] = Field(min_length=1, description="Device arms by name.")
    baselines: dict[ArmName, Arm] = Field(min_length=1, description="Clean baselines by name.")
    seeds: Annotated[list[NonNegativeInt], AfterValidator(_unique)] = Field([0, 1, 2], min_length=1)
    verdict: Verdict = Verdict()
    costs: Costs = Field(
        Costs(), description="Unit costs of the bill, where they are known better."
    )
    alignment: Alignment | None = Field(
        None, description="Of scenarios that are there for `substrate align`: what it measures."
    )
    budget: str = Field("full", description="Written by `--budget`: what was chosen.")
    budgets: dict[str, dict[str, Any]] = Field(
        {}, exclude=True, description="Shorter settings by name: key paths and their values."
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        both = self.arms.keys() & self.baselines.keys()
        if both:
            raise ValueError(f"'{min(both)}' names an arm and a baseline; every arm needs its own")
        tolerance = self.verdict.tolerance
        if self.training.loss == "cross_entropy" and tolerance > 1:
            raise ValueError(
                f"verdict.tolerance is a fraction of accuracy, and {tolerance:g} is more than all"
                f" of it; {tolerance / 100:g} are {tolerance:g} points"
            )
        return self

    # the last, since it holds those before it
    @model_validator(mode="wrap")
    @classmethod
    def _built_in_python(
        cls, data: Any, validate: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        """Tell what is wrong as of a file, in one line; who reads one knows more of it."""
        try:
            return validate(data)
        except ValidationError as problem:
            if info.context is not None or not isinstance(data, dict):
                raise
            place = f"scenario {data.get('name', '')}".rstrip()
            source = Source(Path(), data, {(): (place, None)})
            raise from_validation_error(problem, source, cls) from None

    @property
    def all_arms(self) -> dict[str, Arm]:
        """Device arms, then baselines."""
        return {**self.arms, **self.baselines}
