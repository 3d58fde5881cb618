"""The bill of an arm.

    energy = Σ count · cost          ADC and DAC conversions, cells read, pulses, cells programmed,
                                     digital multiplications
    time   = Σ reads of matrices · read_ns + slots · pulse_ns + lines programmed · programming_ns
             + multiplications · multiplication_ns
    wear   = pulses and programming operations of the most-written cell, over endurance

Reads follow one another, matrix by matrix and sample by sample; the arrays of one matrix are read,
pulsed and programmed at once, so that the lines programmed are those of the largest. Every pulse is
taken to wear as much as a full cycle. Not in it are idle and standing power, wires, drivers of
half-selected lines, and energy for moving data on and off the chip. An arm on the ideal chip is
computed by a digital processor, and is priced as that alone:

    energy = 2 · multiplications · processor_pj
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from devices.ledger import Counts, MatrixCounts
from substrate.bill.chips import cell_of, converters
from substrate.bill.costs import Cost, unit_cost
from substrate.record.bill import Amount, Bill, Item
from substrate.record.ledger import Ledger, total
from substrate.scenario.schema import Chip, IdealChip
from substrate.scenario.schema.costs import Cell, Costs

_PULSES = "pulses on cells"
_CONVERTERS = ("ADC conversions", "DAC conversions", "read-out conversions")


class _Work(NamedTuple):
    """Something that is done so often: in a training, in an inference; None if that is unknown."""

    what: str
    training: float | None
    inference: float | None
    cost: Cost | None
    unit: float = 1e-12


def bill_of(ledger: Ledger, chip: Chip, costs: Costs) -> Bill:
    """Price the ledger of an arm on a chip."""
    if isinstance(chip, IdealChip):
        return _processor_bill(ledger, costs)
    cell = costs.cell or cell_of(chip)
    energies = _energies(ledger, chip, costs, cell)
    times = _times(ledger, costs, cell)
    cycles = _worst_cell(ledger.training)
    endurance = unit_cost(costs, "endurance_cycles", cell)
    joules = _sum(energies, lambda work: work.training)
    converting = [each for each in energies if each.what in _CONVERTERS and each.training]
    of_converters = _sum(converting, lambda work: work.training)
    share = None
    if joules is not None and of_converters is not None and joules.value > 0:
        priced = all(each.cost is not None for each in converting)
        share = of_converters.value / joules.value if priced else None
    return Bill(
        items=[_item(each) for each in energies if each.training != 0 or each.inference != 0],
        **_left_out(energies, times, ledger.uncounted),
        training_joules=joules,
        training_seconds=_sum(times, lambda work: work.training),
        inference_joules=_sum(energies, lambda work: work.inference),
        inference_seconds=_sum(times, lambda work: work.inference),
        converters_share=share,
        worst_cell_cycles=cycles,
        endurance_cycles=None if endurance is None else endurance.value,
        trainings_endured=None
        if endurance is None or not cycles
        else _amount(endurance.value / cycles, endurance.factor),
    )


def _energies(ledger: Ledger, chip: Chip, costs: Costs, cell: Cell | None) -> list[_Work]:
    bits = converters(chip)

    def cost(name: str, bits: float | None = None) -> Cost | None:
        return unit_cost(costs, name, cell, bits)

    def both(figure: Callable[[Counts], float | None]) -> tuple[float | None, float | None]:
        return figure(ledger.training), figure(ledger.inference)

    return [
        _Work("ADC conversions", *both(_adc), cost("adc_pj", bits.adc)),
        _Work("DAC conversions", *both(_dac), cost("dac_pj", bits.dac)),
        _Work(
            "read-out conversions",
            ledger.training.readout_conversions,
            ledger.inference.readout_conversions,
            cost("adc_pj", bits.readout),
        ),
        _Work("cells read", *both(_cells_read), cost("cell_read_fj"), 1e-15),
        _Work(_PULSES, _pulses(ledger.training), 0.0, cost("pulse_pj")),
        _Work("cells programmed", _cells_programmed(ledger), 0.0, cost("programming_pj")),
        _Work(
            "digital multiplications",
            ledger.multiplications,
            total(ledger.inference.matrices, lambda each: each.multiplications) or 0.0,
            cost("multiplication_pj"),
        ),
    ]


def _times(ledger: Ledger, costs: Costs, cell: Cell | None) -> list[_Work]:
    def reads(counts: Counts) -> float:
        return sum(each.reads + each.transposed_reads for each in _arrays(counts))

    def cost(name: str) -> Cost | None:
        return unit_cost(costs, name, cell)

    lines = [
        None
        if each.programmings is None
        else each.programmings * (each.n_in if each.array_rows is None else each.array_rows)
        for each in _arrays(ledger.training)
    ]
    slots = [each.slots for each in _arrays(ledger.training)]
    multiplied = total(ledger.inference.matrices, lambda each: each.multiplications) or 0.0
    return [
        _Work(
            "array reads", reads(ledger.training), reads(ledger.inference), cost("read_ns"), 1e-9
        ),
        _Work(
            "slots of pulse trains",
            _all(slots),
            0.0,
            cost("pulse_ns"),
            1e-9,
        ),
        _Work("lines programmed", _all(lines), 0.0, cost("programming_ns"), 1e-9),
        _Work(
            "digital multiplications",
            ledger.multiplications,
            multiplied,
            cost("multiplication_ns"),
            1e-9,
        ),
    ]


def _processor_bill(ledger: Ledger, costs: Costs) -> Bill:
    operations = 2 * ledger.multiplications
    per_inference = 2 * (total(ledger.inference.matrices, lambda each: each.multiplications) or 0.0)
    what = "operations of a digital processor"
    energy = _Work(what, operations, per_inference, unit_cost(costs, "processor_pj", None))
    time = _Work(what, operations, per_inference, unit_cost(costs, "processor_ns", None), 1e-9)
    return Bill(
        items=[_item(energy)],
        **_left_out([energy], [time], ledger.uncounted),
        training_joules=_sum([energy], lambda work: work.training),
        training_seconds=_sum([time], lambda work: work.training),
        inference_joules=_sum([energy], lambda work: work.inference),
        inference_seconds=_sum([time], lambda work: work.inference),
        converters_share=None,
        worst_cell_cycles=None,
        endurance_cycles=None,
        trainings_endured=None,
    )


def _arrays(counts: Counts) -> list[MatrixCounts]:
    return [each for each in counts.matrices if each.held == "arrays"]


def _adc(counts: Counts) -> float:
    return sum(each.adc_conversions for each in _arrays(counts))


def _dac(counts: Counts) -> float:
    return sum(each.dac_conversions for each in _arrays(counts))


def _cells(matrix: MatrixCounts) -> int:
    return matrix.n_out * matrix.n_in * matrix.cells_per_weight


def _cells_read(counts: Counts) -> float:
    return sum((each.reads + each.transposed_reads) * _cells(each) for each in _arrays(counts))


def _pulses(counts: Counts) -> float | None:
    """None where an array is pulsed, or may be, and does not tell how often."""
    return _all([each.pulses for each in _arrays(counts)])


def _cells_programmed(ledger: Ledger) -> float | None:
    return _all(
        [
            None if each.programmings is None else each.programmings * _cells(each)
            for each in _arrays(ledger.training)
        ]
    )


def _worst_cell(counts: Counts) -> float | None:
    cycles = []
    for each in _arrays(counts):
        if each.programmings is None or each.pulses is None:
            return None
        cycles.append(each.programmings + (each.worst_cell_pulses or 0.0))
    return max(cycles, default=None)


def _all(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _item(work: _Work) -> Item:
    cost = work.cost
    joules = None
    if cost is not None and work.training is not None:
        joules = _amount(work.training * cost.value * work.unit, cost.factor)
    return Item(
        what=work.what,
        count=work.training,
        count_per_inference=work.inference,
        picojoules=None if cost is None else cost.value * work.unit * 1e12,
        factor=None if cost is None else cost.factor,
        source=None if cost is None else cost.source,
        joules=joules,
    )


def _sum(works: Sequence[_Work], count: Callable[[_Work], float | None]) -> Amount | None:
    """Add up what has a figure; None where nothing that occurred has one."""
    amounts = [
        _amount(done * work.cost.value * work.unit, work.cost.factor)
        for work in works
        if (done := count(work)) and work.cost is not None
    ]
    if not amounts:
        return None
    return Amount(
        value=sum(each.value for each in amounts),
        low=sum(each.low for each in amounts),
        high=sum(each.high for each in amounts),
    )


def _left_out(
    energies: Sequence[_Work], times: Sequence[_Work], uncounted: Sequence[str]
) -> dict[str, list[str]]:
    """Name what occurred and has no price, and what the simulation does not tell."""
    untold = [f"multiplications of {', '.join(uncounted)}"] if uncounted else []
    if any(work.what == _PULSES and work.training is None for work in energies):
        untold.append("what arrays that do not tell their pulses read and compute of their own")
    named = [(f"energy of {work.what}", work) for work in energies]
    named += [(f"time of {work.what}", work) for work in times]
    return {
        "without_price": [
            name for name, work in named if work.cost is None and (work.training or work.inference)
        ],
        "untold": [
            *(name for name, work in named if work.training is None),
            *(f"{figure} of {what}" for what in untold for figure in ("energy", "time")),
        ],
    }


def _amount(value: float, factor: float) -> Amount:
    return Amount(value=value, low=value / factor, high=value * factor)
