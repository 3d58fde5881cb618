"""The base of all settings, and the types that several of them share."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

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


PluginSpec = Annotated[str, AfterValidator(_absolute_spec)]
"""An object of a user's own (`substrate.plugins`); its file is made absolute."""

FilePath = Annotated[str, AfterValidator(_absolute_path)]
"""A file or folder: absolute, or with `~` or a variable such as `$SUBSTRATE_DATA` in front."""
