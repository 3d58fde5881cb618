"""The native crossbar.

chip:
  crossbar: native
  preset: tang_2018            # a published device; left out, the generic one
  conductance: {read_noise: 0.02}
  device: {...}                # what `substrate fit-device` prints; keys beside it change it
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from devices.converters import Converter
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.presets import PRESETS
from substrate.nearest import did_you_mean
from substrate.scenario.schema.arrays import ArrayChip


class NativeChip(NativeDevice, ArrayChip):
    """Every weight matrix on native crossbars of its own."""

    crossbar: Literal["native"]
    preset: str = Field(
        "generic",
        description="A published device, or the generic one; see `substrate list devices`. Keys "
        "given beside it change its figures.",
    )
    readout_converter: Converter = Field(
        Converter(),
        description="Converter through which pre-activations are observed, behind the noise of the "
        "readout; it does not act on what travels on. The signal is the pre-activation.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_preset(cls, data: Any) -> Any:
        """Write out the preset's figures, so that a resolved scenario shows them."""
        if not isinstance(data, dict):
            return data
        preset = data.get("preset", "generic")
        if not isinstance(preset, str):
            return data  # the field says what it must be
        if preset not in PRESETS:
            hint = did_you_mean(preset, PRESETS)
            raise ValueError(f"there is no native preset {preset!r}; {hint}")
        base = PRESETS[preset].model_dump(mode="json")
        measured = data.get("device", {})
        if not isinstance(measured, dict):
            raise ValueError("device must be a mapping, as `substrate fit-device` prints it")
        unknown = [name for name in measured if name not in NativeDevice.model_fields]
        if unknown:
            hint = did_you_mean(str(unknown[0]), NativeDevice.model_fields)
            raise ValueError(f"device has no part {unknown[0]!r}; {hint}")
        rest = {name: value for name, value in data.items() if name != "device"}
        return _merged(_merged(base, measured), rest)

    @property
    def device(self) -> NativeDevice:
        """The device without its periphery's other settings."""
        return NativeDevice(**{name: getattr(self, name) for name in NativeDevice.model_fields})


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = base.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merged(below, value) if both and below is not None else value
    return merged
