"""A chip on crossbars of the user's own."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from substrate.library import custom_crossbar, registered_crossbars
from substrate.plugins import NotRunError, PluginError, absolute_spec, names_plugin
from substrate.scenario.schema.arrays import ArrayChip
from substrate.scenario.schema.base import scenario_folder


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
        folder = scenario_folder(info)
        try:
            with suppress(NotRunError):
                custom_crossbar(crossbar, folder)
            return absolute_spec(crossbar, folder) if names_plugin(crossbar) else crossbar
        except PluginError as problem:
            # Not as a ValueError: pydantic would put its own words in front.
            error = PydanticCustomError("crossbar", "{message}", {"message": str(problem)})
            raise error from None

    @model_validator(mode="after")
    def _parameters_fit(self) -> CustomChip:
        """Check the parameters, and write out their defaults."""
        try:
            model = custom_crossbar(self.crossbar, folder=scenario_folder(None)).Parameters
        except NotRunError:
            return self
        try:
            parameters = model.model_validate(self.parameters)
        except ValidationError as problem:
            raise ValidationError.from_exception_data(
                "parameters",
                [
                    InitErrorDetails(
                        type=PydanticCustomError("parameter", "{m}", {"m": each["msg"]}),
                        loc=("parameters", *each["loc"]),
                        input=each["input"],
                    )
                    for each in problem.errors()
                ],
            ) from None
        object.__setattr__(self, "parameters", parameters.model_dump(mode="json"))
        return self


def is_custom(crossbar: str) -> bool:
    """Whether a crossbar's name is one of the user's own, or of an installed package."""
    return names_plugin(crossbar) or crossbar in registered_crossbars()
