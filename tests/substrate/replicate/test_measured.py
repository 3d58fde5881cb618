"""Figures of folders against hand-made metrics."""

import json
from statistics import mean, stdev

import numpy as np
import pytest

from substrate.record import RecordError
from substrate.replicate.angles import AngleRun
from substrate.replicate.measured import is_measured, read_run
from substrate.replicate.statements import Spread, check
from substrate.run.estimate import Estimate, sample_variance
from substrate.run.outcomes import save_outcomes

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
    assert check("np worse than bp", run).note == "one seed"


def test_arms_without_a_seed_in_common_are_not_compared(leave):
    rows = [row for row in WHOLE if row[:2] in (("np", 1), ("bp", 0))]
    run = read_run(leave("r", rows), "full")
    assert check("bp better than np", run).answer == "not measured"


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
    assert check("bp better than np", run).difference == "ahead by 0.1000"
    assert run.written(run.final("bp", "test_loss")) == "0.7000"


def test_angles(tmp_path):
    folder = tmp_path / "angles"
    folder.mkdir()
    arm = {
        "rule": "np",
        "passes": [1, 10],
        "angles": [[80.0, 70.0], [50.0, 60.0]],
        "angles_by_input": [[[81.0, 70.0], [50.0, 59.0]], [[79.0, 70.0], [50.0, 61.0]]],
    }
    inp = {
        "angles": [[75.0, 72.0], [20.0, 30.0]],
        "angles_by_input": [[[75.0, 72.01], [20.0, 31.0]], [[75.0, 71.99], [20.0, 29.0]]],
    }
    content = {
        "layers": ["4→3", "3→2"],
        "inputs": 2,
        "noise_samples": [1, 10],
        "sigmas_squared": [1e-6, 1e-3],
        "arms": {
            "np": {
                **arm,
                "by_sigma": [[40.0, 50.0], [42.0, 50.0]],
                "by_sigma_by_input": [[[40.0, 50.0], [42.1, 50.0]], [[40.0, 50.0], [41.9, 50.0]]],
            },
            "inp": {**arm, **inp, "by_sigma": None, "by_sigma_by_input": None},
        },
    }
    (folder / "align.json").write_text(json.dumps(content))
    run = read_run(folder, "full")
    assert isinstance(run, AngleRun)
    assert is_measured(folder)
    assert run.compared(["np", "inp"], None, None)["inp"].mean == 25
    assert check("inp better than np", run).figures == "inp 25.0°, np 55.0°"
    layer = check("inp better than np in layer 2 at 1 samples", run)
    assert (layer.answer, layer.difference) == ("refuted", "ahead by −2.0")
    assert check("inp better than np at 7 samples", run).answer == "not measured"
    assert check("inp better than np in layer 3", run).answer == "not measured"
    assert check("np steady over 3 decades", run).answer == "confirmed"
    assert check("inp steady over 3 decades", run).answer == "not measured"

    # over inputs, np less inp is 29 and 31 degrees: 30 ± t · √2 / √2, one degree of freedom
    told = check("inp better than np", run)
    assert (told.low, told.high) == pytest.approx((30 - 12.706, 30 + 12.706), abs=1e-3)
    for arm in content["arms"].values():  # as it was written before
        del arm["angles_by_input"], arm["by_sigma_by_input"]
    (folder / "align.json").write_text(json.dumps(content))
    old = check("inp better than np", read_run(folder, "full"))
    assert (old.answer, old.note) == ("not told apart", "spread over inputs unknown")
    assert old.figures == told.figures


def outcomes(rng, folder, seeds=(0, 1), samples=400):
    """What `np` and `bp` made of the samples: bp is ahead by a tenth of them, in every seed."""
    place = rng.random(samples)
    kept = {
        arm: {seed: place + 0.01 * rng.random(samples) < share for seed in seeds}
        for arm, share in (("np", 0.5), ("bp", 0.6))
    }
    save_outcomes(folder, kept)
    return kept


def ended(kept, epochs=3):
    return [
        (arm, seed, epoch, 0.9, float(right.mean()) if epoch else 0.1)
        for seed in (0, 1)
        for arm, by_seed in kept.items()
        for epoch, right in ((each, by_seed[seed]) for each in range(epochs + 1))
    ]


def test_an_interval_is_over_seeds_and_over_samples_where_these_are_known(leave):
    kept = outcomes(np.random.default_rng(0), leave("r", []))
    folder = leave("full", ended(kept))
    save_outcomes(folder, kept)
    told = check("bp better than np", read_run(folder, "full"))
    difference = np.stack([kept["bp"][seed] * 1.0 - kept["np"][seed] for seed in (0, 1)])
    truth = Estimate(difference.mean(1).tolist(), 400, sample_variance(difference, 1.0))
    interval = truth.interval(0.95)
    assert (told.low, told.high) == pytest.approx((100 * interval.low, 100 * interval.high))
    assert (told.answer, told.note) == ("confirmed", "")


def test_a_run_without_outcomes_has_a_wider_interval_and_says_why(leave, summary):
    kept = outcomes(np.random.default_rng(0), leave("r", []))
    folder = leave("full", ended(kept))
    unknown = check("bp better than np", read_run(folder, "full"))
    assert (unknown.answer, unknown.note) == ("not told apart", "test samples unknown")
    (folder / "summary.json").write_text(summary.as_json())
    bound = check("bp better than np", read_run(folder, "full"))
    assert bound.note == "errors of the arms as if independent"
    save_outcomes(folder, kept)
    told = check("bp better than np", read_run(folder, "full"))
    assert bound.high - bound.low > 1.2 * (told.high - told.low)
    assert bound.difference == told.difference


def test_damaged_outcomes_are_named(leave):
    folder = leave("full", WHOLE)
    (folder / "outcomes.safetensors").write_bytes(b"{}")
    with pytest.raises(RecordError, match="holds no readable outcomes"):
        read_run(folder, "full")
