"""The bill as it is written in the report and in the terminal."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from devices.ledger import Counts, MatrixCounts
from substrate.record.bill import Amount, Bill, Item
from substrate.record.ledger import Ledger
from substrate.record.summary import Summary
from substrate.report import bill as wording
from substrate.report.table import run_result
from tests.substrate.report.pages import page_of


def amount(value: float, factor: float = 10.0) -> Amount:
    return Amount(value=value, low=value / factor, high=value * factor)


BILL = Bill(
    items=[
        Item(
            what="ADC conversions",
            count=1.2e6,
            count_per_inference=300.0,
            picojoules=1.67,
            factor=10.0,
            source="A paper, <Table> 1",
            joules=amount(2.004e-6),
        )
    ],
    without_price=["energy of cells programmed"],
    untold=["time of slots of pulse trains"],
    training_joules=amount(2.004e-6),
    training_seconds=amount(200.0),
    inference_joules=amount(5e-10),
    inference_seconds=amount(4e-7),
    converters_share=0.625,
    worst_cell_cycles=3e9,
    endurance_cycles=1e9,
    trainings_endured=amount(1 / 3),
)
NOTHING = Counts(passes=0.0, readout_conversions=0.0, activation_words=0.0, matrices=[])
LEDGER = Ledger(
    steps=1.0,
    training=NOTHING,
    inference=NOTHING,
    learner_multiplications=5.0,
    learner_words=7.0,
)


@pytest.fixture
def with_bill(summary) -> Summary:
    summary["arms"]["crossbar"] |= {"bill": BILL.model_dump(), "ledger": LEDGER.model_dump()}
    summary["arms"]["crossbar"]["device"] = {
        "source": "A <b>paper</b> of 2018",
        "parameters": [{"name": "update.dw_min", "value": "0.001", "meaning": "step, weight"}],
    }
    return Summary.model_validate_json(json.dumps(summary))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1.5e-3, "1.5 mJ"),
        (999.6e-6, "1 mJ"),
        (3.14159e-18, "3.14 aJ"),
        (12.0, "12 J"),
        (0.0, "0 J"),
    ],
)
def test_energies_have_prefixes(value, written):
    assert wording.energy(amount(value)) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2.5e-9, "2.5 ns"),
        (90.0, "1.5 min"),
        (7200.0, "2 h"),
        (3 * 86400.0, "3 days"),
        (1e9, "32 years"),
    ],
)
def test_times_have_units_that_people_use(value, written):
    assert wording.period(amount(value)) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.333, "0.33"),
        (12.0, "12"),
        (99.6, "100"),
        (999.6, "1,000"),
        (123456.0, "123,000"),
        (999_600.0, "1 million"),
        (999.6e6, "1 billion"),
        (5.24e6, "5.24 million"),
        (2.5e14, "250 trillion"),
        (999.6e12, "10¹⁵"),
        (1e17, "10¹⁷"),
        (2.5e17, "2.5 · 10¹⁷"),
        (1e23, "10²³"),
    ],
)
def test_numbers_have_names_as_far_as_people_know_them(value, written):
    assert wording.number(value) == written


def test_a_sum_that_lacks_something_is_a_least():
    assert wording.training_energy(BILL) == "≥ 2 µJ"
    assert wording.training_time(BILL) == "≥ 3.3 min"
    assert wording.inference_energy(BILL) == "500 pJ"
    whole = BILL.model_copy(update={"without_price": [], "untold": []})
    assert (wording.training_energy(whole), wording.training_time(whole)) == ("2 µJ", "3.3 min")


def test_the_time_of_an_inference_lacks_what_is_done_in_one():
    assert wording.inference_time(BILL) == "400 ns"
    names = ["time of lines programmed"]
    assert wording.inference_time(BILL.model_copy(update={"without_price": names})) == "400 ns"
    names = ["time of ADC conversions"]
    assert wording.inference_time(BILL.model_copy(update={"without_price": names})) == "≥ 400 ns"


def test_wear_says_when_a_device_is_worn_out():
    assert wording.wear(BILL) == "worn out after 0.33 trainings"
    lasting = BILL.model_copy(update={"trainings_endured": amount(4.2e6)})
    assert wording.wear(lasting) == "lasts for 4.2 million trainings"
    unknown = BILL.model_copy(update={"trainings_endured": None})
    assert wording.wear(unknown) == "endurance unknown"


def test_the_page_shows_the_bill_behind_the_verdict(with_bill):
    page = page_of(with_bill)
    verdict, bill, arms = (
        page.index(mark) for mark in ("verdict tone", "bill-title", "arms-title")
    )
    assert verdict < bill < page.index("devices-title") < arms
    assert "2 µJ" in page
    assert "Time an inference" in page
    assert "40 ns to 4 µs" in page
    assert "worn out after 0.33 trainings" in page
    assert "for want of a published figure that fits: energy of cells programmed" in page
    assert "does not tell how many there were: time of slots of pulse trains" in page
    assert "A paper, &lt;Table&gt; 1" in page
    assert "A &lt;b&gt;paper&lt;/b&gt; of 2018" in page


def test_a_baseline_on_arrays_that_do_not_tell_their_wear_is_no_digital_processor(summary):
    figures = ("layer", "n_out", "n_in", "arrays", "reads", "transposed_reads", "dac_conversions")
    figures += ("adc_conversions", "multiplications", "words")
    untold = ("programmings", "trains", "trains_cut_short", "slots", "pulses", "worst_cell_pulses")
    counts = dict.fromkeys(figures, 1) | dict.fromkeys((*untold, "pulses_are"))
    bill = BILL.model_copy(update={"worst_cell_cycles": None}).model_dump()

    def page(held: str) -> str:
        matrix = MatrixCounts.model_validate({**counts, "part": "weights", "held": held})
        training = NOTHING.model_copy(update={"matrices": [matrix]})
        ledger = LEDGER.model_copy(update={"training": training}).model_dump()
        summary["arms"]["bp"] |= {"bill": bill, "ledger": ledger}
        return page_of(Summary.model_validate_json(json.dumps(summary)))

    assert "<small>digital processor" in page("digital")
    assert "<small>digital processor" not in page("arrays")


def test_a_run_of_before_has_no_bill_and_its_page_no_empty_one(summary):
    page = page_of(Summary.model_validate_json(json.dumps(summary)))
    assert "bill-title" not in page
    assert "devices-title" not in page


def test_the_terminal_shows_the_bill(with_bill):
    console = Console(width=100, record=True, file=StringIO())
    console.print(run_result(with_bill, Path("runs/x")))
    text = console.export_text()
    assert "200 nJ to 20 µJ" in text
    assert "62 %" in text
    assert "400 ns" in text
    assert text.index("The bill") < text.rindex("? Undecided")
