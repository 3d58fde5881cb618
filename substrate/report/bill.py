"""The bill in words: energies and times with their intervals, wear, and what has no price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import floor, log10
from typing import Literal, NamedTuple

from substrate.record.bill import Amount, Bill, Item
from substrate.record.ledger import Ledger, total
from substrate.record.summary import Arm, Summary
from substrate.report.wording import NOTHING

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_YEAR = 365.25 * 86400

Kind = Literal["energy", "time"]


class Lacking(NamedTuple):
    """What a sum lacks, in the words of `substrate.record.bill.Bill`."""

    without_price: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()

    def of(self, kind: Kind) -> Lacking:
        """What is an energy, or a time."""
        return Lacking(*(tuple(one for one in names if one.startswith(kind)) for names in self))


def lacking(bill: Bill, kind: Kind) -> Lacking:
    """What the energy, or the time, of a training lacks."""
    return Lacking(tuple(bill.without_price), tuple(bill.untold)).of(kind)


def billed(summary: Summary) -> dict[str, tuple[Arm, Bill]]:
    """The arms that have a bill, device arms first."""
    return {name: (arm, arm.bill) for name, arm in summary.arms.items() if arm.bill is not None}


def energy(amount: Amount | None) -> str:
    """``1.2 mJ``."""
    return NOTHING if amount is None else _with_prefix(amount.value, "J")


def energy_interval(amount: Amount | None) -> str:
    """``0.12 mJ to 12 mJ``; nothing without a figure."""
    if amount is None:
        return ""
    return f"{_with_prefix(amount.low, 'J')} to {_with_prefix(amount.high, 'J')}"


def period(amount: Amount | None) -> str:
    """``3.1 s``, ``2.4 days``."""
    return NOTHING if amount is None else _seconds(amount.value)


def period_interval(amount: Amount | None) -> str:
    """``1 s to 9.3 s``; nothing without a figure."""
    return "" if amount is None else f"{_seconds(amount.low)} to {_seconds(amount.high)}"


def training_energy(bill: Bill) -> str:
    """``1.2 mJ``, or ``≥ 1.2 mJ`` where something is in no figure."""
    return at_least(energy(bill.training_joules), any(lacking(bill, "energy")))


def training_time(bill: Bill) -> str:
    """``3.1 s``, or ``≥ 3.1 s`` where something is in no figure."""
    return at_least(period(bill.training_seconds), any(lacking(bill, "time")))


def inference_energy(bill: Bill) -> str:
    """``1.2 nJ``, or ``≥ 1.2 nJ`` where something is in no figure."""
    unpriced = any(each.count_per_inference and each.picojoules is None for each in bill.items)
    return at_least(energy(bill.inference_joules), unpriced)


def inference_time(bill: Bill) -> str:
    """``1.2 µs``, or ``≥ 1.2 µs`` where something is in no figure."""
    done = [each.what for each in bill.items if each.count_per_inference]
    unpriced = any(f"time of {what}" in bill.without_price for what in done)
    return at_least(period(bill.inference_seconds), unpriced)


def at_least(written: str, lacks: bool) -> str:
    """``1.2 mJ``, or ``≥ 1.2 mJ`` where something is in no figure."""
    return f"≥ {written}" if lacks and written not in ("", NOTHING) else written


def share(bill: Bill) -> str:
    """``62 %``: of converters in the energy to train."""
    return NOTHING if bill.converters_share is None else f"{100 * bill.converters_share:.2g} %"


def wear(bill: Bill) -> str:
    """``worn out after 0.3 trainings``, or how often the worst cell is written, or a dash."""
    cycles, endured = bill.worst_cell_cycles, bill.trainings_endured
    if cycles is None:
        return NOTHING
    if endured is None:
        return "endurance unknown"
    if endured.value < 1:
        return f"worn out after {_two(endured.value)} trainings"
    return f"lasts for {_two(endured.value)} trainings"


def wear_interval(bill: Bill) -> str:
    """The most-written cell's pulses, and the interval of trainings."""
    if bill.worst_cell_cycles is None:
        return ""
    words = f"{_two(bill.worst_cell_cycles)} writes of the worst cell"
    endured = bill.trainings_endured
    return words + (f"; {_two(endured.low)} to {_two(endured.high)}" if endured else "")


def each(item: Item) -> str:
    """``1.67 pJ, within 10 times``."""
    if item.picojoules is None or item.factor is None:
        return "no figure"
    price = _with_prefix(item.picojoules * 1e-12, "J")
    return price if item.factor == 1 else f"{price}, within a factor of {item.factor:g}"


def number(value: float | None) -> str:
    """``1.2 million``; a dash for what the simulation does not tell."""
    return "not told" if value is None else _two(value)


def counted(ledger: Ledger) -> list[tuple[str, str]]:
    """What was counted in a training, in words and numbers."""
    training = ledger.training
    rows: list[tuple[str, float | None]] = [
        ("passes of a sample through the chip", training.passes),
        ("vectors read forwards, all matrices", total(training.matrices, lambda m: m.reads)),
        (
            "vectors read from the other side",
            total(training.matrices, lambda m: m.transposed_reads),
        ),
    ]
    arrays = [m for m in training.matrices if m.held == "arrays"]
    if arrays:
        rows += [
            ("pulses", ledger.pulses),
            ("pulses on the most-written cell", ledger.worst_cell_pulses),
            ("pulse trains", total(arrays, lambda m: m.trains)),
            ("of them cut short", total(arrays, lambda m: m.trains_cut_short)),
            ("programming operations of a cell, at most", ledger.programmings),
        ]
    rows += [
        (
            f"digital multiplications{', at least' if ledger.uncounted else ''}",
            ledger.multiplications,
        ),
        ("words of digital memory", ledger.words),
        ("words that a sample's observations take", training.activation_words),
    ]
    computed = any(m.pulses_are == "computed" for m in arrays)
    return [
        (
            f"{what}, computed from the requests" if computed and what == "pulses" else what,
            number(n),
        )
        for what, n in rows
    ]


def _seconds(value: float) -> str:
    if value < 60:
        return _with_prefix(value, "s")
    for unit, length in (("years", _YEAR), ("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if value >= length:
            return f"{_two(value / length)} {unit}"
    raise AssertionError(value)


def _with_prefix(value: float, unit: str) -> str:
    if value == 0:
        return f"0 {unit}"
    power = max(-18, min(9, 3 * floor(log10(value) / 3)))
    scaled = value / 10.0**power
    if scaled >= 999.5:
        power, scaled = power + 3, scaled / 1000
    return f"{scaled:.3g} {_PREFIXES.get(power, f'e{power} ')}{unit}"


def _two(value: float) -> str:
    """Two or three figures: ``0.3``, ``12``, ``5.2 million``, ``2.5 · 10¹⁷``."""
    rounded = float(f"{value:.3g}")
    if rounded >= 1e15:
        power = floor(log10(rounded))
        figures, raised = f"{rounded / 10.0**power:.3g}", str(power).translate(_RAISED)
        return f"10{raised}" if figures == "1" else f"{figures} · 10{raised}"
    for name, size in (("trillion", 1e12), ("billion", 1e9), ("million", 1e6)):
        if rounded >= size:
            return f"{rounded / size:.3g} {name}"
    if rounded >= 99.5:
        return f"{rounded:,.0f}"
    return f"{value:.3g}" if value == int(value) else f"{value:.2g}"


def left_out(summary: Summary) -> list[str]:
    """What is in no figure of the bill, a sentence a reason and the arms that it is true of."""
    arms: dict[str, list[str]] = {}
    for name, (_, bill) in billed(summary).items():
        for why in _reasons(bill.without_price, bill.untold):
            arms.setdefault(why, []).append(name)
    return [f"Not in the bill of {', '.join(names)}, {why}." for why, names in arms.items()]


def left_out_of(sums: Sequence[Lacking], what: str) -> str:
    """What is not in some sums; empty where nothing lacks.

    Args:
        sums: what each lacks.
        what: they are of, such as points: ``Not in the bill, for want of a published figure that
            fits: energy of pulses on cells (in 2 of 4 points).``
    """
    counted = [
        Counter(name for names in kind for name in names) for kind in zip(*sums, strict=True)
    ]
    return " ".join(
        f"Not in the bill, {why}."
        for why in _reasons(
            *(
                [
                    name if many == len(sums) else f"{name} (in {many} of {len(sums)} {what})"
                    for name, many in names.items()
                ]
                for names in counted
            )
        )
    )


def _reasons(without_price: Sequence[str] = (), untold: Sequence[str] = ()) -> list[str]:
    return [
        f"{why}: {', '.join(what)}"
        for why, what in (
            ("for want of a published figure that fits", without_price),
            ("since the simulation does not tell how many there were", untold),
        )
        if what
    ]
