"""Bills of ledgers that are counted by hand, priced by hand."""

from pathlib import Path

import pytest

from devices.ledger import Counts, MatrixCounts
from substrate.bill.bill import bill_of
from substrate.bill.chips import cell_of, converters
from substrate.bill.costs import PUBLISHED, as_markdown, unit_cost
from substrate.record.ledger import Ledger, mean_ledger, per_sample
from substrate.report.bill import counted, training_energy, training_time
from substrate.scenario.schema import AihwkitChip, Costs, IdealChip, NativeChip

PRICES = Costs(
    adc_pj=2.0,
    dac_pj=1.0,
    cell_read_fj=5.0,
    read_ns=100.0,
    pulse_pj=3.0,
    pulse_ns=10.0,
    programming_pj=50.0,
    programming_ns=1000.0,
    endurance_cycles=300.0,
    multiplication_pj=4.0,
    multiplication_ns=2.0,
    processor_pj=0.5,
    processor_ns=0.25,
    factor=2.0,
)


def matrix(held: str = "arrays", **changes) -> MatrixCounts:
    arrays = held == "arrays"
    counts = {
        "layer": 1,
        "part": "weights",
        "held": held,
        "n_out": 3,
        "n_in": 5,
        "arrays": 1 if arrays else 0,
        "reads": 10.0,
        "transposed_reads": 2.0,
        "dac_conversions": 56.0 if arrays else 0.0,
        "adc_conversions": 40.0 if arrays else 0.0,
        "programmings": 2.0 if arrays else None,
        "trains": 8.0 if arrays else None,
        "trains_cut_short": 1.0 if arrays else None,
        "slots": 60.0 if arrays else None,
        "pulses": 700.0 if arrays else None,
        "worst_cell_pulses": 98.0 if arrays else None,
        "pulses_are": "counted" if arrays else None,
        "multiplications": 0.0 if arrays else 180.0,
        "words": 3.0,
    }
    return MatrixCounts(**(counts | changes))


def counts(*matrices: MatrixCounts) -> Counts:
    return Counts(
        passes=10.0, readout_conversions=0.0, activation_words=8.0, matrices=list(matrices)
    )


def ledger(*matrices: MatrixCounts) -> Ledger:
    once = [
        each.model_copy(update={"reads": 1.0, "transposed_reads": 0.0, "dac_conversions": 5.0})
        for each in matrices
    ]
    return Ledger(
        steps=4.0,
        training=counts(*matrices),
        inference=counts(*once),
        learner_multiplications=20.0,
        learner_words=7.0,
    )


def test_every_line_is_its_count_times_its_price():
    bill = bill_of(ledger(matrix()), NativeChip(crossbar="native"), PRICES)
    joules = {item.what: item.joules.value * 1e12 for item in bill.items}
    assert joules == pytest.approx(
        {
            "ADC conversions": 40 * 2,
            "DAC conversions": 56,
            "cells read": 12 * 15 * 0.005,
            "pulses on cells": 700 * 3,
            "cells programmed": 2 * 15 * 50,
            "digital multiplications": 20 * 4,
        }
    )
    whole = sum(joules.values())
    assert bill.training_joules.value * 1e12 == pytest.approx(whole)
    assert bill.training_joules.low * 1e12 == pytest.approx(whole / 2)
    assert bill.training_joules.high * 1e12 == pytest.approx(whole * 2)
    assert bill.converters_share == pytest.approx((80 + 56) / whole)
    nanoseconds = 12 * 100 + 60 * 10 + 2 * 5 * 1000 + 20 * 2
    assert bill.training_seconds.value * 1e9 == pytest.approx(nanoseconds)
    assert (bill.without_price, bill.untold) == ([], [])


def test_arrays_of_one_matrix_are_programmed_at_once():
    """Five rows on arrays of three and two: three lines a programming operation."""
    chip = NativeChip(crossbar="native")
    whole, split = (bill_of(ledger(matrix(array_rows=rows)), chip, PRICES) for rows in (5, 3))
    saved = whole.training_seconds.value - split.training_seconds.value
    assert saved * 1e9 == pytest.approx(2 * (5 - 3) * 1000)
    assert whole.training_joules == split.training_joules


@pytest.mark.parametrize("chip", [NativeChip(crossbar="native"), IdealChip()])
def test_what_the_count_of_a_learner_leaves_out_is_named(chip):
    told = ledger(matrix()).model_copy(update={"uncounted": ["_linalg_eigh", "_fft_r2c"]})
    bill = bill_of(told, chip, PRICES)
    names = "multiplications of _linalg_eigh, _fft_r2c"
    assert bill.untold == [f"energy of {names}", f"time of {names}"]
    assert training_energy(bill).startswith("≥ ")
    assert training_time(bill).startswith("≥ ")
    assert "digital multiplications, at least" in dict(counted(told))
    assert mean_ledger([told, ledger(matrix())]).uncounted == ["_fft_r2c", "_linalg_eigh"]


def test_all_cells_of_a_pair_are_read_and_programmed():
    bill = bill_of(ledger(matrix(cells_per_weight=2)), NativeChip(crossbar="native"), PRICES)
    count = {item.what: item.count for item in bill.items}
    assert count["cells read"] == 12 * 30
    assert count["cells programmed"] == 2 * 30
    assert count["pulses on cells"] == 700


def test_a_cell_is_worn_by_pulses_and_by_programming():
    other = matrix(layer=2, worst_cell_pulses=50.0, programmings=40.0)
    bill = bill_of(ledger(matrix(), other), NativeChip(crossbar="native"), PRICES)
    assert bill.worst_cell_cycles == 98 + 2
    assert bill.trainings_endured.value == pytest.approx(3)
    assert (bill.trainings_endured.low, bill.trainings_endured.high) == pytest.approx((1.5, 6))


def test_what_the_simulation_does_not_tell_is_named_and_in_no_sum():
    blind = matrix(pulses=None, slots=None, worst_cell_pulses=None, trains=None)
    bill = bill_of(ledger(matrix(), blind), NativeChip(crossbar="native"), PRICES)
    own = "what arrays that do not tell their pulses read and compute of their own"
    assert bill.untold == [
        *("energy of pulses on cells", "time of slots of pulse trains"),
        *(f"energy of {own}", f"time of {own}"),
    ]
    assert bill.worst_cell_cycles is None
    assert bill.trainings_endured is None
    pulses = next(item for item in bill.items if item.what == "pulses on cells")
    assert (pulses.count, pulses.joules) == (None, None)


def test_what_nobody_has_a_figure_for_is_named_and_in_no_sum():
    """A device of no one material has no published price of a pulse, and no endurance."""
    bill = bill_of(ledger(matrix()), NativeChip(crossbar="native"), Costs())
    assert "energy of pulses on cells" in bill.without_price
    assert "energy of cells read" in bill.without_price
    assert (bill.endurance_cycles, bill.trainings_endured) == (None, None)
    assert bill.worst_cell_cycles == 100
    # 7 and 9 bits
    conversions = 40 * 1.67 * 2**0.5 + 56 * 0.39 * 7
    assert bill.training_joules.value * 1e12 == pytest.approx(conversions + 20 * 9.6)


def test_ideal_arms_are_priced_as_operations_of_a_processor():
    bill = bill_of(ledger(matrix("digital")), IdealChip(), PRICES)
    # a multiplication with its addition is two operations
    assert bill.training_joules.value * 1e12 == pytest.approx(2 * (180 + 20) * 0.5)
    assert bill.training_seconds.value * 1e9 == pytest.approx(2 * (180 + 20) * 0.25)
    assert (bill.worst_cell_cycles, bill.converters_share) == (None, None)


def test_a_labs_own_figure_stands_in_place_of_the_published_one():
    own = unit_cost(Costs(pulse_pj=0.2, factor=1.5), "pulse_pj", "pcm")
    assert (own.value, own.factor, own.source) == (0.2, 1.5, "the scenario")
    assert unit_cost(Costs(), "pulse_pj", "pcm").value == 7.1
    assert unit_cost(Costs(), "pulse_pj", None) is None
    assert unit_cost(Costs(digital_nm=7), "multiplication_pj", None).value == 5.44
    # an exact converter is nothing that could be bought
    assert unit_cost(Costs(), "adc_pj", None, bits=None) is None


def test_published_figures_are_keys_of_costs_with_a_source_and_a_range():
    for name, _, _, only, (value, factor, source) in PUBLISHED:
        assert name in Costs.model_fields
        assert name.endswith(("_pj", "_fj", "_ns", "_cycles"))
        assert only in (None, "reram", "pcm", "ecram", "mtj", 45, 7)
        assert value > 0
        assert factor > 1
        assert len(source) > 20


def test_the_page_has_the_table_of_the_code():
    page = Path(__file__).parents[3] / "docs/bill.md"
    assert as_markdown() in page.read_text()


def test_the_share_of_converters_is_unknown_where_some_have_no_price():
    exact = NativeChip.model_validate({"crossbar": "native", "output_converter": {"bits": "exact"}})
    bill = bill_of(ledger(matrix()), exact, Costs(cell="reram"))
    assert "energy of ADC conversions" in bill.without_price
    assert bill.converters_share is None
    unused = bill_of(ledger(matrix(adc_conversions=0.0)), exact, Costs(cell="reram"))
    assert unused.converters_share is not None


@pytest.mark.parametrize(
    ("chip", "cell", "bits"),
    [
        (NativeChip(crossbar="native", preset="gong_2018"), "reram", (7, 9)),
        (NativeChip(crossbar="native"), None, (7, 9)),
        (AihwkitChip(crossbar="aihwkit", preset="EcRamPreset"), "ecram", (7, 9)),
        (AihwkitChip(crossbar="aihwkit", preset="TikiTakaReRamSBPreset"), "reram", (7, 9)),
        (AihwkitChip(crossbar="aihwkit", preset="InferenceRPUConfig"), "pcm", (7, 9)),
        (AihwkitChip(crossbar="aihwkit", preset="IdealizedPreset"), None, (7, 9)),
        (AihwkitChip(crossbar="aihwkit", preset="FloatingPointPreset"), None, (None, None)),
    ],
)
def test_converters_and_material_are_those_of_the_chip(chip, cell, bits):
    assert cell_of(chip) == cell
    found = converters(chip)
    assert found[:2] == (bits if bits[0] is None else pytest.approx(bits))


def test_ledgers_are_averaged_figure_by_figure():
    first, second = ledger(matrix(pulses=100.0)), ledger(matrix(pulses=300.0))
    mean = mean_ledger([first, second])
    assert mean.pulses == 200
    assert mean.training.matrices[0].pulses_are == "counted"
    assert mean_ledger([first]) == first


def test_an_inference_is_charged_reads_alone():
    before = counts(matrix())
    after = counts(matrix(reads=30.0, adc_conversions=100.0))
    one = per_sample(after, before, 20)
    assert one.matrices[0].reads == 1
    assert one.matrices[0].adc_conversions == 3
    assert one.matrices[0].pulses is None
