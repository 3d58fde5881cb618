"""The bill of an arm: what one training and one inference cost."""

from __future__ import annotations

from substrate.record.base import Part


class Amount(Part):
    """A figure with the interval that the factors of its unit costs leave.

    Of a sum the ends are the sums of the ends: as if all figures were off in the same direction.
    """

    value: float
    low: float
    high: float


class Item(Part):
    """One line of the bill.

    Attributes:
        what: in words, such as "ADC conversions".
        count: in one training; None where the simulation does not tell.
        count_per_inference: in one inference.
        picojoules: what one costs; None where nobody has a figure.
        factor: its uncertainty.
        source: where the figure comes from.
        joules: of one training; None where there is no figure.
    """

    what: str
    count: float | None
    count_per_inference: float | None
    picojoules: float | None
    factor: float | None
    source: str | None
    joules: Amount | None


class Bill(Part):
    """What an arm costs. What is None nobody has the figures for.

    Attributes:
        items: the lines; energies are their sums.
        without_price: what occurred and is in no sum, since nobody has a figure for it, in words.
        untold: what is in no sum, since the simulation does not tell how often it occurred.
        training_joules: of one training.
        training_seconds: likewise, one operation after the other.
        inference_joules: of one inference.
        inference_seconds: likewise.
        converters_share: ADCs and DACs, part of the energy of training; None where conversions of
            some kind have no price.
        worst_cell_cycles: pulses and programming operations of the cell that is written most.
        endurance_cycles: what a cell endures.
        trainings_endured: endurance over these cycles.
    """

    items: list[Item]
    without_price: list[str]
    untold: list[str]
    training_joules: Amount | None
    training_seconds: Amount | None
    inference_joules: Amount | None
    inference_seconds: Amount | None
    converters_share: float | None
    worst_cell_cycles: float | None
    endurance_cycles: float | None
    trainings_endured: Amount | None
