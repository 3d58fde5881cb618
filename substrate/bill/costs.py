"""What operations cost by published figures: the one place where these numbers stand.

Every figure has a factor of uncertainty: the truth is taken to lie within so many times less and
more. Where a source gives a range, the figure is its geometric mean and the factor leads to its
ends. What nobody has published in a form that fits is left out, and the bill says so.

    DAC  0.39 pJ · bits            ADC  1.67 pJ · 2^((bits - 8) / 2)

An ADC's energy doubles every two bits, which is within a factor of two of the tables for 4 to 12
bits in `hwcomponents-library` (after Saberi et al., 2011) and `hwcomponents-adc`.

Sources were looked up: in the paper's abstract, in a copy of its table, or in the component library
`hwcomponents-library` 1.0.58, which says how it comes to its figures. What could be seen in none of
them says `UNCHECKED`.
"""

from __future__ import annotations

from typing import NamedTuple

from substrate.scenario.schema.costs import Cell, Costs

UNCHECKED = "not checked against the paper"
_ISAAC = "Shafiee et al., ISCA 2016 (ISAAC), 32 nm"
_LE_GALLO = "Le Gallo et al., Nat. Electron. 6:680 (2023), 64 cores of 256 × 256 PCM, 14 nm"
_YANG = "Yang, Strukov and Stewart, Nat. Nanotechnol. 8:13 (2013), Table 1"
_HOROWITZ = "Horowitz, ISSCC 2014, Fig. 1.1.9: float32 multiply and add, half a 64-bit read of 8 KB"
_JOUPPI = (
    "Jouppi et al., ISCA 2021, Table 2: float32 multiply and add, half a 64-bit read of 8 KB"
    f" ({UNCHECKED})"
)
_A100 = "NVIDIA A100 80 GB SXM data sheet: 156 TFLOP/s (TF32, dense) at 400 W"


class Cost(NamedTuple):
    """A unit cost.

    Attributes:
        value: in the unit that its name says.
        factor: of uncertainty, at least 1.
        source: where it comes from.
    """

    value: float
    factor: float
    source: str


class Published(NamedTuple):
    """A default of the key `name` in `costs`.

    Attributes:
        name: pJ, fJ, ns and cycles are in it.
        of: what it is the cost of, in words.
        scale: what the value is multiplied by.
        only: the material or node that it is for; None for all.
        cost: for one unit of the scale.
    """

    name: str
    of: str
    scale: str
    only: Cell | int | None
    cost: Cost


PUBLISHED: tuple[Published, ...] = (
    Published(
        "adc_pj",
        "ADC conversion",
        "2^((bits - 8) / 2)",
        None,
        Cost(1.67, 10, f"{_ISAAC}: 16 mW for 8 ADCs of 8 bits at 1.2 GS/s"),
    ),
    Published(
        "dac_pj",
        "DAC conversion",
        "bits",
        None,
        Cost(0.39, 10, f"{_ISAAC}: 4 mW for 1024 one-bit DACs, 100 ns a bit"),
    ),
    Published(
        "read_ns",
        "array read with its conversions",
        "",
        None,
        Cost(133, 3, f"{_LE_GALLO}: 63.1 TOP/s at 8 bits, in one phase"),
    ),
    Published(
        "cell_read_fj",
        "cell in one read",
        "",
        "reram",
        Cost(1.8, 30, f"{_ISAAC}: 2.4 mW for 8 arrays of 128 × 128, 100 ns ({UNCHECKED})"),
    ),
    Published("pulse_pj", "pulse on a cell", "", "reram", Cost(0.55, 5.5, f"{_YANG}: 0.1 to 3 pJ")),
    Published("pulse_pj", "pulse on a cell", "", "pcm", Cost(7.1, 3.5, f"{_YANG}: 2 to 25 pJ")),
    Published("pulse_pj", "pulse on a cell", "", "mtj", Cost(0.5, 5, f"{_YANG}: 0.1 to 2.5 pJ")),
    Published(
        "pulse_pj",
        "pulse on a cell",
        "",
        "ecram",
        Cost(
            0.1,
            100,
            "Tang et al., IEDM 2018: 1 fJ projected for 100 × 100 nm²; van de Burgt et al., Nat."
            " Mater. 16:414 (2017): below 10 pJ for 1000 µm²; between them 80 fJ (Melianas et al.,"
            " Sci. Adv. 6:eabb2958, 2020)",
        ),
    ),
    Published("pulse_ns", "slot of a pulse train", "", "reram", Cost(10, 3, f"{_YANG}: 10 ns")),
    Published(
        "pulse_ns", "slot of a pulse train", "", "pcm", Cost(158, 3.2, f"{_YANG}: 50 to 500 ns")
    ),
    Published("pulse_ns", "slot of a pulse train", "", "mtj", Cost(30, 3, f"{_YANG}: 10 to 90 ns")),
    Published(
        "pulse_ns",
        "slot of a pulse train",
        "",
        "ecram",
        Cost(
            10,
            10,
            "Tang et al., IEDM 2018: pulses down to 5 ns; Melianas et al., Sci. Adv. 6:eabb2958"
            " (2020): switches in 20 ns",
        ),
    ),
    Published(
        "endurance_cycles",
        "pulses that a cell endures",
        "",
        "reram",
        Cost(
            1e9,
            1000,
            f"{_YANG}: 10¹² at best; from 10⁶ on, Wong et al., Proc. IEEE 100:1951 (2012)"
            f" ({UNCHECKED})",
        ),
    ),
    Published(
        "endurance_cycles", "pulses that a cell endures", "", "pcm", Cost(1e9, 10, f"{_YANG}: 10⁹")
    ),
    Published(
        "endurance_cycles",
        "pulses that a cell endures",
        "",
        "mtj",
        Cost(1e15, 1000, f"{_YANG}: 10¹⁵"),
    ),
    Published(
        "endurance_cycles",
        "pulses that a cell endures",
        "",
        "ecram",
        Cost(1e9, 10, "Fuller et al., Science 364:570 (2019): more than 10⁹ write-read operations"),
    ),
    Published("multiplication_pj", "digital multiplication", "", 45, Cost(9.6, 3, _HOROWITZ)),
    Published("multiplication_pj", "digital multiplication", "", 7, Cost(5.44, 3, _JOUPPI)),
    Published("processor_pj", "operation of a processor", "", None, Cost(2.56, 3, _A100)),
)


def unit_cost(costs: Costs, name: str, cell: Cell | None, bits: float | None = None) -> Cost | None:
    """Give what one operation costs: the lab's own figure, or the published one, or None.

    Args:
        costs: the scenario's.
        name: a key of `costs`.
        cell: the material of the arm's cells, None where it is of no one material.
        bits: resolution of the converter that is asked for; None where it is exact.
    """
    own: float | None = getattr(costs, name)
    if own is not None:
        return Cost(own, costs.factor, "the scenario")
    for published in PUBLISHED:
        if published.name != name or published.only not in (None, cell, costs.digital_nm):
            continue
        value, factor, source = published.cost
        if not published.scale:
            return published.cost
        if bits is None:
            return None
        times = bits if published.scale == "bits" else 2 ** ((bits - 8) / 2)
        return Cost(value * times, factor, source)
    return None


def as_markdown() -> str:
    """Give the table of published figures, for the documentation."""
    lines = ["| key of `costs` | what | for | figure | factor | source |", "| --- " * 6 + "|"]
    for name, of, scale, only, (value, factor, source) in PUBLISHED:
        which = f"{only} nm" if isinstance(only, int) else only or "all"
        figure = f"{value:g}" + (f" · {scale}" if scale else "")
        lines.append(f"| `{name}` | {of} | {which} | {figure} | {factor:g} | {source} |")
    return "\n".join(lines)
