"""The base of all settings, and the types that several of them share."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from substrate.plugins import absolute_spec


class Settings(BaseModel):
    """Unknown keys are errors, and values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def scenario_folder(info: ValidationInfo | None) -> Path:
    """The scenario's folder, which its relative paths start from."""
    context: dict[str, Path] = (info and info.context) or {}
    return context.get("folder", Path())


def _absolute_spec(spec: str, info: ValidationInfo) -> str:
    return absolute_spec(spec, scenario_folder(info))


def _absolute_path(path: str, info: ValidationInfo) -> str:
    return path if path.startswith(("~", "$")) else str((scenario_folder(info) / path).absolute())


def _arm_name(name: str) -> str:
    if not re.fullmatch(r"[^\W_][\w .,+=()%-]{0,79}", name):
        raise ValueError(
            "the name of an arm begins with a letter or digit, and goes on with at most 79 letters,"
            " digits, spaces and _ . , + - = ( ) %"
        )
    return name


def _name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError(
            "a name, which files are called by, begins with a letter or digit of plain ASCII, and"
            " goes on with letters, digits and _ . -"
        )
    return name


_NAME = "[A-Za-z0-9][A-Za-z0-9_.-]*"

Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{_NAME}$"})]
"""Of a scenario or study: what its run folders and files are called by."""

ArmName = Annotated[str, AfterValidator(_arm_name)]
"""What the arm is called in options, tables, pictures and pages."""

PluginSpec = Annotated[str, AfterValidator(_absolute_spec)]
"""An object of a user's own (`substrate.plugins`); its file is made absolute."""

FilePath = Annotated[str, AfterValidator(_absolute_path)]
"""A file or folder: absolute, or with `~` or a variable such as `$SUBSTRATE_DATA` in front."""
