"""The learning rule of an arm, and everything that goes with it."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from learning.rules import RULES, Rule
from substrate.library import find_rule
from substrate.nearest import nearest
from substrate.plugins import NotRunError, PluginError, absolute_spec, names_plugin
from substrate.scenario.schema.base import Settings, scenario_folder

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
        folder = scenario_folder(info)
        try:
            with suppress(NotRunError):
                find_rule(rule, folder)
            return absolute_spec(rule, folder) if names_plugin(rule) else rule
        except PluginError as problem:
            # Not as a ValueError: pydantic would put its own words in front.
            error = PydanticCustomError("rule", "{message}", {"message": str(problem)})
            raise error from None

    @model_validator(mode="after")
    def _settings_fit(self) -> Learning:
        """Check the rule's own settings, and write out their defaults."""
        try:
            model = self.rule_class
        except NotRunError:
            return self
        given = self.settings or {}
        for key in given:
            if key not in model.model_fields:
                meant = nearest(key, model.model_fields)
                known = ", ".join(model.model_fields) or "none"
                hint = f"did you mean {meant!r}?" if meant else f"its settings are {known}"
                raise _at((key,), key, f"the rule {self.rule} has no such setting; {hint}")
        try:
            rule = model.model_validate(given)
        except ValidationError as problem:
            each = problem.errors()[0]
            allowed = re.findall(r"'([^']+)'", each.get("ctx", {}).get("expected", ""))
            meant = nearest(str(each["input"]), allowed)
            hint = f"; did you mean {meant!r}?" if meant else ""
            raise _at(each["loc"], each["input"], each["msg"] + hint) from None
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


def _at(loc: tuple[str | int, ...], found: Any, message: str) -> ValidationError:
    error = PydanticCustomError("rule_setting", "{message}", {"message": message})
    details = InitErrorDetails(type=error, loc=("settings", *loc), input=found)
    return ValidationError.from_exception_data("settings", [details])
