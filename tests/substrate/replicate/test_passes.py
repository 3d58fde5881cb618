"""Passes until an accuracy is reached, counted from metrics and ledger."""

from dataclasses import replace

import pytest

from devices.ledger import Counts
from substrate.record.ledger import Ledger
from substrate.replicate.measured import JPEG_COPY, read_run
from substrate.replicate.passes import first_epochs, passes_table

ROWS = [
    (arm, seed, epoch, 0.2, accuracy)
    for arm, seed, peaks in (
        ("np", 0, (0.1, 0.41, 0.39, 0.46)),
        ("np", 1, (0.1, 0.3, 0.3, 0.45)),
        ("bp", 0, (0.1, 0.2, 0.3, 0.3)),
        ("bp", 1, (0.1, 0.2, 0.4, 0.4)),
    )
    for epoch, accuracy in enumerate(peaks)
]


@pytest.fixture
def run(leave, summary):
    counts = Counts(passes=600.0, readout_conversions=0.0, activation_words=0.0, matrices=[])
    ledger = Ledger(
        steps=30.0,
        training=counts,
        inference=counts,
        learner_multiplications=0.0,
        learner_words=0.0,
    )
    arms = {name: arm.model_copy(update={"ledger": ledger}) for name, arm in summary.arms.items()}
    found = read_run(leave("r", ROWS), "full")
    return replace(found, summary=summary.model_copy(update={"arms": arms}), data=JPEG_COPY)


def test_the_first_epoch_counts_whatever_comes_after(run):
    assert first_epochs(run, "np", 40) == [1, 3]
    assert first_epochs(run, "np", 46) == [3, None]
    assert first_epochs(run, "bp", 40) == [None, 2]


def test_passes_are_epochs_by_those_of_one(run):
    table, note = passes_table(run)
    # 600 in three epochs; (1 + 3) / 2 epochs to 40 %, three to 45 %
    assert "| np | 200 | 400 | 600 | – |" in table
    assert "| bp | 200 | 400 (1 of 2) | – | – |" in table
    assert "ledger" in note


def test_other_data_and_runs_without_a_ledger_have_no_table(run, summary):
    assert passes_table(replace(run, data="digits")) == []
    assert passes_table(replace(run, classes=5)) == []
    assert passes_table(replace(run, summary=None)) == []
    assert passes_table(replace(run, summary=summary)) == []
