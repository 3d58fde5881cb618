"""The base of all settings."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Unknown keys are errors, and values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
