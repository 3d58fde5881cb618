"""Figures of folders against hand-made metrics."""

import json
from statistics import mean, stdev

import pytest

from substrate.replicate.measured import AngleRun, is_measured, read_run
from substrate.replicate.statements import Spread, check

WHOLE = [
    ("np", 0, 0, 0.0, 0.90),  # before training: no peak, however high
    ("np", 0, 1, 0.20, 0.30),
    ("np", 0, 2, 0.40, 0.35),
    ("np", 0, 3, 0.30, 0.33),
    ("bp", 0, 0, 0.0, 0.10),
    ("bp", 0, 1, 0.50, 0.50),
    ("bp", 0, 2, 0.60, 0.60),
    ("bp", 0, 3, 0.70, 0.55),
    ("np", 1, 0, 0.0, 0.10),
    ("np", 1, 1, 0.10, 0.20),
    ("np", 1, 2, 0.20, 0.21),
    ("np", 1, 3, 0.30, 0.25),
    ("bp", 1, 0, 0.0, 0.10),
    ("bp", 1, 1, 0.10, 0.20),
    ("bp", 1, 2, 0.20, 0.41),
    ("bp", 1, 3, 0.30, 0.45),
]


def test_peaks_are_of_each_seed_then_averaged(leave):
    run = read_run(leave("r", WHOLE), "full")
    test, train = run.best("np", "test_accuracy"), run.best("np", "train_accuracy")
    assert test == Spread(pytest.approx(mean([35, 25])), pytest.approx(stdev([35, 25])), 2)
    assert train.mean == pytest.approx(mean([40, 30]))
    assert run.final("bp", "test_accuracy").mean == pytest.approx(mean([55, 45]))
    assert run.written(test) == "30.0 ± 7.1 %"


def test_a_killed_run_shows_the_seeds_that_came_to_their_end(leave):
    run = read_run(leave("r", WHOLE[:-2]), "full")  # bp's second seed stopped after its first epoch
    assert not run.complete
    assert run.trained("np") == [0, 1]
    assert run.trained("bp") == [0]
    assert run.reached("bp") == 3
    assert run.best("bp", "test_accuracy") == Spread(pytest.approx(60), None, 1)
    assert run.diverged == {"np": [], "bp": []}


def test_arms_are_compared_over_the_seeds_and_epochs_that_they_share(leave):
    # bp stopped after its first epoch: np's peak in the second would not be fair
    run = read_run(leave("r", WHOLE[:6]), "full")
    assert run.trained("bp") == [0]
    found = run.compared(["np", "bp"])
    assert {arm: (each.mean, each.seeds) for arm, each in found.items()} == {
        "np": (pytest.approx(30), 1),
        "bp": (pytest.approx(50), 1),
    }
    assert run.best("np", "test_accuracy").mean == pytest.approx(35)
    assert check("np worse than bp", run).holds is True


def test_arms_without_a_seed_in_common_are_not_compared(leave):
    rows = [row for row in WHOLE if row[:2] in (("np", 1), ("bp", 0))]
    run = read_run(leave("r", rows), "full")
    assert check("bp better than np", run).holds is None


def test_where_a_run_went_on_without_a_seed_that_seed_diverged(leave):
    rows = [row for row in WHOLE if row[:3] not in (("np", 0, 2), ("np", 0, 3))]
    run = read_run(leave("r", rows), "full")
    (lost,) = run.diverged["np"]
    assert (lost.seed, lost.epoch) == (0, 2)
    assert run.trained("np") == [1]
    assert run.best("np", "test_accuracy") == Spread(pytest.approx(25), None, 1)


def test_a_line_cut_by_a_kill_is_passed_over(leave):
    folder = leave("r", WHOLE[:3])
    with (folder / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"arm": "np", "se')
    assert len(read_run(folder, "full").rows) == 3


def test_nothing_was_run(tmp_path):
    assert read_run(tmp_path / "nowhere", "full") is None
    assert not is_measured(tmp_path)


def test_regressions_have_losses_and_lower_is_better(leave):
    folder = leave("r", [], seeds=[0], epochs=2)
    lines = [
        {"arm": arm, "seed": 0, "epoch": epoch, "train_loss": 1.0, "test_loss": loss, "seconds": 1}
        for arm, losses in (("np", [3.0, 0.5, 0.8]), ("bp", [3.0, 0.6, 0.7]))
        for epoch, loss in enumerate(losses)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = read_run(folder, "full")
    assert run.metric == "test_loss"
    assert run.best("np", "test_loss").mean == 0.5
    assert run.best("np", "test_accuracy") is None
    # final losses are compared, as the paper gives them
    assert check("bp better than np", run).holds is True
    assert run.written(run.final("bp", "test_loss")) == "0.7000"


def test_angles(tmp_path):
    folder = tmp_path / "angles"
    folder.mkdir()
    arm = {"rule": "np", "passes": [1, 10], "angles": [[80.0, 70.0], [50.0, 60.0]]}
    content = {
        "layers": ["4→3", "3→2"],
        "inputs": 2,
        "noise_samples": [1, 10],
        "sigmas_squared": [1e-6, 1e-3],
        "arms": {
            "np": {**arm, "by_sigma": [[40.0, 50.0], [42.0, 50.0]]},
            "inp": {**arm, "angles": [[75.0, 72.0], [20.0, 30.0]], "by_sigma": None},
        },
    }
    (folder / "align.json").write_text(json.dumps(content))
    run = read_run(folder, "full")
    assert isinstance(run, AngleRun)
    assert is_measured(folder)
    assert run.compared(["np", "inp"], None, None)["inp"].mean == 25
    assert check("inp better than np", run).figures == "inp 25.0°, np 55.0°"
    assert check("inp better than np in layer 2 at 1 samples", run).holds is False
    assert check("inp better than np at 7 samples", run).holds is None
    assert check("inp better than np in layer 3", run).holds is None
    assert check("np steady over 3 decades", run).holds is True
    assert check("inp steady over 3 decades", run).holds is None
