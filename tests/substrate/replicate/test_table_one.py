import numpy as np
import pytest
from scipy import stats

from substrate.replicate import table_one
from substrate.replicate.experiments import experiments
from substrate.replicate.measured import read_run
from substrate.run.outcomes import save_outcomes

ROWS = [
    (arm, seed, epoch, accuracy, accuracy)
    for arm, accuracies in (("np", (0.30, 0.34)), ("bp", (0.50, 0.51)))
    for seed, accuracy in enumerate(accuracies)
    for epoch in range(4)
]
PAPER = {"np": {"train": 40, "test": 45.0}, "bp": {"train": 60, "test": 50.0}}


@pytest.fixture
def rows(report, monkeypatch):
    """The table's lines of `paper/small`, by arm."""
    monkeypatch.setattr(table_one, "COLUMNS", {"paper/small": "small"})

    def of(folder=None, why=None) -> dict[str, list[str]]:
        report(small={"paper": PAPER, "why": why or {}})
        (small,) = [each for each in experiments() if each.name == "paper/small"]
        run = None if folder is None else read_run(folder, "full")
        lines = table_one.table_one({"paper/small": (small, run)}).splitlines()[2:]
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        return {line[1]: line[2:] for line in cells}

    return of


def test_what_was_not_run_says_so(rows):
    assert rows()["np"] == ["45.0 ± 1.0", "not run", "–", "–", "–", "–"]


def test_ours_with_its_interval_over_seeds_and_images(rows, leave):
    folder = leave("paper-small-full", ROWS)
    right = {"np": (0.30, 0.34), "bp": (0.50, 0.51)}
    generator = np.random.default_rng(0)
    kept = {
        arm: {seed: generator.permutation(4000) < 4000 * share for seed, share in enumerate(each)}
        for arm, each in right.items()
    }
    save_outcomes(folder, kept)
    found = rows(folder)
    # t(1) at 97.5 % times the standard error over the two seeds: the images add next to nothing
    half_width = stats.t.ppf(0.975, 1) * 1.0 * (0.5)
    ours, of_mean, seeds, difference, beyond = found["bp"][1:]
    assert of_mean == "50.5"
    assert ours.startswith("50.5 ± ")
    assert float(ours.split()[2]) == pytest.approx(half_width, abs=0.3)
    assert (seeds, difference, beyond) == ("2 seeds", "+0.5", "no")
    assert found["np"][4:] == ["−13.0", "no"]  # beyond the paper's interval, not beyond ours: ± 25


def test_one_seed_is_marked_and_a_difference_beyond_both_wants_a_reason(rows, leave):
    folder = leave("paper-small-full", [row for row in ROWS if row[1] == 0], seeds=(0,))
    assert rows(folder)["np"][2:] == ["–", "**one seed**", "**−15.0**", "not explained"]
    assert rows(folder, {"all": "short budget"})["np"][5] == "not explained"
    assert rows(folder, {"np": "the rate:\n  0.1"})["np"][5] == "the rate: 0.1"


def test_what_was_stopped_is_not_held_against_the_paper(rows, leave):
    begun = [row for row in ROWS if row[0] == "np" and row[1:3] < (0, 2)]
    folder = leave("paper-small-full", begun, seeds=(0,))
    assert rows(folder)["np"][2:] == [
        "–",
        "**one seed**, **1 of 3 epochs**",
        "−15.0",
        "not run to its end",
    ]


def test_the_peak_of_the_mean_is_that_of_epochs_which_all_seeds_have(rows, leave):
    curves = {0: (0.1, 0.50, 0.30, 0.40), 1: (0.1, 0.20, 0.46, 0.30), 2: (0.1, 0.30, 0.34, 0.35)}
    np_rows = [
        ("np", seed, epoch, accuracy, accuracy)
        for seed, curve in curves.items()
        for epoch, accuracy in enumerate(curve)
    ]
    bp_rows = [("bp", seed, epoch, 0.5, 0.5) for seed in curves for epoch in range(4)]
    folder = leave("paper-small-full", [*np_rows, *bp_rows], seeds=(0, 1, 2))
    ours, of_mean = rows(folder)["np"][1:3]
    assert ours.startswith("43.7")  # of 50, 46 and 35
    assert of_mean == "36.7"  # of 33.3, 36.7 and 35.0
