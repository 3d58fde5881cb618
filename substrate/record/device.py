"""The device of an arm as the run had it: parameters with units, and where they come from."""

from __future__ import annotations

from substrate.record.base import Part


class Parameter(Part):
    """One parameter: its name in the scenario, its value as text, its meaning with the unit."""

    name: str
    value: str
    meaning: str


class Device(Part):
    """What stands for the device in the simulation."""

    source: str
    parameters: list[Parameter]
