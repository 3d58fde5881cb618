"""Everything that describes a native crossbar."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from devices.converters import Converter
from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.drift import Drift
from devices.crossbars.native.faults import Faults
from devices.crossbars.native.line_resistance import LineResistance
from devices.crossbars.native.response import PulseResponse


class NativeDevice(BaseModel):
    """A generic device with the periphery of a generic chip.

    The converters' defaults are those of aihwkit's `IOParameters` (7-bit DAC that follows the
    largest input, 9-bit ADC of ±12), after Gokmen and Vlasov, Front. Neurosci. 10:333, 2016.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    input_converter: Converter = Field(
        Converter(bits=7), description="DACs at the rows; the signal is the layer's input."
    )
    output_converter: Converter = Field(
        Converter(bits=9, range=12.0),
        description="ADCs at the columns. The unit of their range is weight × range of the input "
        "converter, which is what a fixed full-scale current amounts to.",
    )
    conductance: Conductance = Conductance()
    update: PulseResponse = PulseResponse()
    drift: Drift = Drift()
    faults: Faults = Faults()
    line_resistance: LineResistance = LineResistance()
