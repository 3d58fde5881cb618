"""A chip on crossbars of the user's own."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from substrate.library import custom_crossbar, registered_crossbars
from substrate.plugins import NotRunError, names_plugin
from substrate.scenario.schema.arrays import ArrayChip
from substrate.scenario.schema.base import scenario_folder
from substrate.scenario.schema.owned import existing, fitted


class CustomChip(ArrayChip):
    """Every weight matrix on a crossbar of your own: `crossbar: "my_lab.py:MyCrossbar"`."""

    crossbar: str = Field(
        description="`my_file.py:MyCrossbar`, `my_module:MyCrossbar`, or a name that an installed "
        "package registers."
    )
    parameters: dict[str, Any] = Field({}, description="Of the crossbar's own `Parameters`.")

    @field_validator("crossbar")
    @classmethod
    def _crossbar_exists(cls, crossbar: str, info: ValidationInfo) -> str:
        return existing(crossbar, info, custom_crossbar)

    @model_validator(mode="after")
    def _parameters_fit(self, info: ValidationInfo) -> CustomChip:
        """Check the parameters, and write out their defaults."""
        try:
            model = custom_crossbar(self.crossbar, folder=scenario_folder(None)).Parameters
        except NotRunError:
            return self
        owner = f"the crossbar {self.crossbar}"
        parameters = fitted(model, self.parameters, "parameters", owner, info)
        object.__setattr__(self, "parameters", parameters.model_dump(mode="json"))
        return self


def is_custom(crossbar: str) -> bool:
    """Whether a crossbar's name is one of the user's own, or of an installed package."""
    return names_plugin(crossbar) or crossbar in registered_crossbars()
