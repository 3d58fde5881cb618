"""The chips that a scenario can name, told apart by `crossbar`."""

from typing import Annotated, Literal

from pydantic import Field

from substrate.scenario.schema.base import Settings


class IdealChip(Settings):
    """The ideal chip: noise-free float32, with clean passes and gradients."""

    crossbar: Literal["ideal"] = "ideal"


class AihwkitChip(Settings):
    """Every weight matrix on an aihwkit tile of its own."""

    crossbar: Literal["aihwkit"]
    preset: str = Field(
        "IdealizedPreset", description="aihwkit preset; see `substrate list devices`."
    )
    inject: bool = Field(
        False, description="Whether the periphery can add known perturbations to pre-activations."
    )


Chip = Annotated[IdealChip | AihwkitChip, Field(discriminator="crossbar")]
