"""The learning rule of an arm, and everything that goes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from learning.rules import RULES, Rule
from substrate.library import find_rule
from substrate.plugins import NotRunError
from substrate.scenario.schema.base import Settings
from substrate.scenario.schema.owned import existing, fitted

OptimiserName = Literal["sgd", "momentum", "adam"]


class Perturbation(Settings):
    """How the passes are perturbed. Defaults depend on the chip and the rule."""

    source: Literal["intrinsic", "injected", "both"] = Field(
        description="The noise that makes two passes differ: the device's own, injected, or both."
    )
    baseline: Literal["clean", "noisy"] = Field(
        description="The first pass: noise-free, or as noisy as the others (Section 3.4)."
    )
    sigma: PositiveFloat = Field(
        1e-3, description="Standard deviation of injected noise; the paper's σ² is 1e-6."
    )
    resamples: PositiveInt = Field(
        1, description="K perturbed passes for one baseline pass (Section 3.5)."
    )


class Decorrelation(Settings):
    """The decorrelation matrices R in front of the crossbars (Section 2.2)."""

    rate: PositiveFloat = Field(1e-3, description="ε of R's update.")
    sample_fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="Part of the mini-batch that R's update is taken from."
    )
    every: PositiveInt = Field(1, description="Steps from one update of R to the next.")
    on: Literal["digital", "crossbar"] = Field(
        "digital",
        description="Where R is: exact in the digital periphery, or on a crossbar of the same kind "
        "as the weights, read through its own noise.",
    )


class Optimiser(Settings):
    """From estimated gradients to weight changes."""

    name: OptimiserName = "sgd"
    learning_rate: PositiveFloat = Field(description="η.")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Of `momentum` alone.")
    write: Literal["pulses", "dense"] = Field(
        "dense",
        description="How the change reaches the device: pulses of the outer product in place "
        "(sgd only), or a dense ΔW.",
    )


class Learning(Settings):
    """A rule with everything that goes with it."""

    rule: str = Field(
        description="See `substrate list rules`; one of your own is `my_file.py:MyRule`."
    )
    settings: dict[str, Any] | None = Field(
        None, description="Of the rule itself, where it has any."
    )
    perturbation: Perturbation | None = Field(
        None, description="Not with rules that compare no passes, such as bp."
    )
    decorrelation: Decorrelation | None = Field(
        None,
        description="With any rule; the paper's names danp, dnp, dinp and dbp imply it.",
    )
    optimiser: Optimiser

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Offer editors the names of shipped rules, and to each its own settings."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        names = [each for rule in RULES.values() for each in _names(rule)]
        schema["properties"]["rule"]["anyOf"] = [{"enum": names}, {"type": "string"}]
        schema["allOf"] = [
            {
                "if": {"properties": {"rule": {"enum": _names(rule)}}, "required": ["rule"]},
                "then": {
                    "properties": {
                        "settings": {
                            "anyOf": [handler(rule.__pydantic_core_schema__), {"type": "null"}]
                        }
                    }
                },
            }
            for rule in RULES.values()
        ]
        return schema

    @field_validator("rule")
    @classmethod
    def _rule_exists(cls, rule: str, info: ValidationInfo) -> str:
        return existing(rule, info, find_rule)

    @model_validator(mode="after")
    def _settings_fit(self, info: ValidationInfo) -> Learning:
        """Check the rule's own settings, and write out their defaults."""
        try:
            model = self.rule_class
        except NotRunError:
            return self
        rule = fitted(model, self.settings or {}, "settings", f"the rule {self.rule}", info)
        object.__setattr__(self, "settings", rule.model_dump(mode="json") or None)
        return self

    @property
    def rule_class(self) -> type[Rule]:
        """The rule without its settings."""
        return find_rule(self.rule, Path()).rule

    def make_rule(self) -> Rule:
        """Give the rule with its settings."""
        return self.rule_class.model_validate(self.settings or {})


def _names(rule: type[Rule]) -> list[str]:
    return [each for each in (rule.name, rule.decorrelated_name) if each is not None]
