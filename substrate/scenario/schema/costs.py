"""What operations of the hardware cost: a lab's own figures in place of published ones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat

from substrate.scenario.schema.base import Settings

Cell = Literal["reram", "pcm", "ecram", "mtj"]


class Costs(Settings):
    """Unit costs of the bill. What is left out is taken from published figures, where any are."""

    cell: Cell | None = Field(
        None, description="The material of the cells. Left out, that of each arm's preset."
    )
    digital_nm: Literal[45, 7] = Field(
        45, description="Technology node of the digital periphery, nm."
    )
    adc_pj: PositiveFloat | None = Field(None, description="One conversion of an ADC, pJ.")
    dac_pj: PositiveFloat | None = Field(None, description="One conversion of a DAC, pJ.")
    cell_read_fj: PositiveFloat | None = Field(None, description="One cell in one read, fJ.")
    read_ns: PositiveFloat | None = Field(
        None, description="One read of an array, converters included, ns."
    )
    pulse_pj: PositiveFloat | None = Field(None, description="One pulse on one cell, pJ.")
    pulse_ns: PositiveFloat | None = Field(None, description="One slot of a pulse train, ns.")
    programming_pj: PositiveFloat | None = Field(
        None, description="Programming one cell to a value, verification included, pJ."
    )
    programming_ns: PositiveFloat | None = Field(
        None, description="Programming one line of an array, ns; lines follow one another."
    )
    endurance_cycles: PositiveFloat | None = Field(
        None, description="Pulses or programming operations that a cell endures."
    )
    multiplication_pj: PositiveFloat | None = Field(
        None, description="One digital multiplication with its addition and operand, pJ."
    )
    multiplication_ns: PositiveFloat | None = Field(
        None,
        description="The periphery's time for one digital multiplication, ns, those that it "
        "makes side by side counted.",
    )
    processor_pj: PositiveFloat | None = Field(
        None,
        description="One operation of the processor that clean training runs on, pJ; a "
        "multiplication with its addition is two.",
    )
    processor_ns: PositiveFloat | None = Field(
        None,
        description="That processor's time for one operation, ns, those side by side counted; a "
        "small network is far from its peak rate.",
    )
    factor: Annotated[float, Field(ge=1)] = Field(
        1.0,
        description="Uncertainty of the figures given here: the truth lies within so many "
        "times less and more.",
    )
