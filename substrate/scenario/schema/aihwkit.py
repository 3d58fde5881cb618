"""aihwkit's crossbars."""

from typing import Any, Literal

from pydantic import Field, NonNegativeFloat

from substrate.scenario.schema.arrays import ArrayChip


class AihwkitChip(ArrayChip):
    """Every weight matrix on aihwkit tiles of its own."""

    crossbar: Literal["aihwkit"]
    preset: str = Field(
        "IdealizedPreset",
        description="aihwkit preset, or a configuration class such as InferenceRPUConfig; "
        "see `substrate list devices`.",
    )
    config: dict[str, Any] = Field(
        {},
        description="Fields of the aihwkit configuration by their aihwkit names, nested as there; "
        "`class` names the class where aihwkit has several. The rest is as the preset has it.",
    )
    seconds_per_read: NonNegativeFloat = Field(
        0.0,
        description="Time from one pass of a batch to the next, in which devices drift: pulsed "
        "tiles by `device.drift`, inference tiles by their noise model.",
    )
    seconds_after_programming: NonNegativeFloat | None = Field(
        None,
        description="Inference tiles: time from programming to the first read. Left out, and with "
        "seconds_per_read 0, weights stay as programmed.",
    )
