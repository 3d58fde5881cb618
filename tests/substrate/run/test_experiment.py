import json
import math
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
import yaml

from substrate.data import load_dataset
from substrate.record import RecordError
from substrate.record.folder import METRICS
from substrate.record.summary import Summary
from substrate.record.unit import CHECKPOINT, ENDED
from substrate.report.sentences import (
    cut_short_in_words,
)
from substrate.run.estimate import Estimate, sample_variance
from substrate.run.experiment import run_scenario
from substrate.run.outcomes import load_outcomes, save_outcomes
from substrate.run.workers import InProcess
from substrate.scenario.load import load_scenario
from tests.stores import store_at
from tests.substrate.conftest import TINY

CPU = torch.device("cpu")
FIGURES = {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}


class Silent:
    """A display that can stop the run as Ctrl-C does."""

    def __init__(self, interrupt_after: int | None = None) -> None:
        self.left = interrupt_after
        self.divergences: list[tuple[str, int]] = []

    def epoch(self, record) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    def ended(self, arm, seed, how) -> None:
        if how.startswith("diverged"):
            self.divergences.append((arm, seed))


def run(path, folder, *overrides, display=None, resume=False, tell=lambda *_: None):
    scenario, _ = load_scenario(path, overrides)
    dataset = load_dataset(scenario.data)
    told = run_scenario(
        scenario,
        dataset,
        folder,
        CPU,
        "substrate run",
        display or Silent(),
        tell,
        InProcess(),
        1,
        resumed=scenario if resume else None,
    )
    summary = json.loads((folder / "summary.json").read_text())
    assert summary == told.model_dump()
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return summary, [json.loads(line) for line in lines]


class Ran(NamedTuple):
    """A run that is looked at from several sides, and that nothing is done to."""

    folder: Path
    summary: dict
    metrics: list[dict]


def ran_once(folder: Path, *overrides: str, display: Silent | None = None) -> Ran:
    path = folder / "tiny.yaml"
    path.write_text(TINY)
    with store_at(folder / "store"):
        return Ran(folder / "run", *run(path, folder / "run", *overrides, display=display))


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Ran:
    return ran_once(tmp_path_factory.mktemp("ran"))


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory) -> Ran:
    """One that was stopped after the second epoch of its third arm's first seed."""
    return ran_once(tmp_path_factory.mktemp("interrupted"), display=Silent(interrupt_after=8))


def test_a_run_folder_holds_what_was_measured(ran):
    _, summary, metrics = ran
    assert [(row["seed"], row["arm"], row["epoch"]) for row in metrics] == [
        (seed, arm, epoch)
        for seed in (0, 1)
        for arm in ("crossbar", "backpropagation", "clean_danp")
        for epoch in range(3)
    ]
    for arm, outcome in summary["arms"].items():
        last = [row for row in metrics if row["arm"] == arm and row["epoch"] == 2]
        for figure in FIGURES:
            values = [row[figure] for row in last]
            assert outcome[figure]["values"] == values
            assert outcome[figure]["mean"] == pytest.approx(sum(values) / 2)
            assert outcome[figure]["std"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    for comparison in summary["comparisons"]:
        arm, baseline = (
            summary["arms"][comparison[role]]["test_accuracy"]["mean"]
            for role in ("arm", "baseline")
        )
        assert comparison["gap"] == pytest.approx(baseline - arm)
    assert summary["arms"]["crossbar"]["reproducibility"] == "statistical"


def test_every_arm_has_a_ledger_of_its_training_and_none_of_its_evaluations(ran):
    summary = ran.summary
    samples = 2 * summary["data"]["train"]
    passes = {name: arm["ledger"]["training"]["passes"] for name, arm in summary["arms"].items()}
    assert passes == {
        "crossbar": 2 * samples,
        "backpropagation": samples,
        "clean_danp": 2 * samples,
    }
    for arm in summary["arms"].values():
        assert arm["ledger"]["inference"]["passes"] == 1
        assert arm["bill"]["training_joules"]["value"] > 0
    assert summary["arms"]["crossbar"]["ledger"]["training"]["matrices"][0]["pulses"] > 0
    assert "device" not in summary["arms"]["backpropagation"]
    assert summary["arms"]["clean_danp"]["reproducibility"] == "bitwise"
    assert summary["status"] == "complete"
    assert set(summary["versions"]) >= {"substrate", "torch", "aihwkit", "python"}


def test_outcomes_of_every_sample_are_kept_and_give_the_interval(ran):
    folder, summary, _ = ran
    outcomes = load_outcomes(folder)
    for arm, entry in summary["arms"].items():
        means = [outcomes[arm][seed].mean() for seed in (0, 1)]
        assert means == pytest.approx(entry["test_accuracy"]["values"])
    for comparison in summary["comparisons"]:
        arm, baseline = (
            np.stack([outcomes[comparison[role]][seed] for seed in (0, 1)]).astype(float)
            for role in ("arm", "baseline")
        )
        gaps = (baseline - arm).mean(1)
        found = Estimate(gaps.tolist(), 360, sample_variance(baseline - arm, 1.0)).interval(0.95)
        assert (comparison["ci_low"], comparison["ci_high"]) == pytest.approx(
            (found.low, found.high)
        )


@pytest.mark.parametrize("change", ["another outcome", "a seed less", "no file", "cut"])
def test_outcomes_that_the_run_did_not_count_are_refused_where_the_store_has_none(
    interrupted, tmp_path, own_store, change
):
    folder = tmp_path / "run"
    shutil.copytree(interrupted.folder, folder)
    assert not own_store.exists()
    file = folder / "outcomes.safetensors"
    outcomes = load_outcomes(folder)
    if change == "another outcome":
        outcomes["crossbar"][0][7] ^= True
    elif change == "a seed less":
        del outcomes["crossbar"][0]
    save_outcomes(folder, outcomes)
    if change == "no file":
        file.unlink()
    elif change == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    damage = "is damaged|holds no readable outcomes"
    with pytest.raises(RecordError, match=rf"outcomes\.safetensors: ({damage})"):
        run(folder / "scenario.yaml", folder, resume=True)


def test_the_resolved_scenario_runs_as_the_original(ran, tiny):
    resolved = ran.folder / "scenario.yaml"
    assert load_scenario(resolved)[0] == load_scenario(tiny)[0]
    assert yaml.safe_load(resolved.read_text())["verdict"] == {
        "tolerance": 0.05,
        "confidence": 0.95,
    }


def test_native_arms_repeat_bitwise_and_a_new_arm_shifts_none(ran, tiny, tmp_path):
    first = ran.metrics
    _, again = run(
        tiny,
        tmp_path / "again",
        "baselines.more={learning: {rule: np, optimiser: {learning_rate: 0.01}}}",
    )

    def figures(rows, arm):
        return [[row[figure] for figure in sorted(FIGURES)] for row in rows if row["arm"] == arm]

    for arm in ("backpropagation", "clean_danp"):
        assert figures(first, arm) == figures(again, arm)


def test_arms_share_initial_weights_and_data_order(tiny, tmp_path):
    twins = "baselines.backpropagation={learning: {rule: danp, optimiser: {learning_rate: 0.05}}}"
    _, metrics = run(tiny, tmp_path / "run", twins)
    by_arm = {
        arm: [row["train_loss"] for row in metrics if row["arm"] == arm]
        for arm in ("backpropagation", "clean_danp")
    }
    assert by_arm["backpropagation"] == by_arm["clean_danp"]


@pytest.mark.parametrize(
    "chip", ["{crossbar: native, max_rows: 20}", "{crossbar: aihwkit, preset: IdealizedPreset}"]
)
def test_trains_that_were_cut_short_are_counted_and_shown(tiny, tmp_path, chip):
    rates = {"gentle": 1e-6, "hot": 10.0}
    arms = [
        f"arms.{name}={{chip: {chip}, learning: {{rule: anp, optimiser: {{write: pulses,"
        f" learning_rate: {rate}}}}}}}"
        for name, rate in rates.items()
    ]
    folder = tmp_path / "run"
    summary, metrics = run(tiny, folder, *arms, "data={name: digits, limit_train: 100}")
    gentle, hot = (summary["arms"][name]["pulse_trains"] for name in rates)
    assert gentle["cut_short"] == 0 < gentle["looked_at"]
    assert 0 < hot["cut_short"] <= hot["looked_at"]
    last = [row for row in metrics if row["arm"] == "hot" and row["epoch"] == 2]
    assert hot["cut_short"] == sum(row["trains_cut_short"] for row in last)
    if "native" in chip:
        # every sample of two epochs and two seeds, in each of 4 + 1 arrays
        assert hot["looked_at"] == 2 * 2 * 100 * 5
    assert "pulse_trains" not in summary["arms"]["backpropagation"]
    shown = cut_short_in_words(Summary.model_validate(summary))
    assert any(said.startswith("hot: ") for said in shown)
    assert not any(said.startswith("gentle: ") for said in shown)


def test_a_diverging_arm_stops_and_the_others_go_on(tiny, tmp_path):
    display = Silent()
    summary, metrics = run(
        tiny,
        tmp_path / "run",
        "arms.hot={learning: {rule: anp, optimiser: {learning_rate: 1e30}}}",
        display=display,
    )
    hot = summary["arms"]["hot"]
    assert display.divergences == [("hot", 0), ("hot", 1)]
    assert [each["seed"] for each in hot["diverged"]] == [0, 1]
    assert hot["test_accuracy"] == {"mean": None, "std": None, "values": [None, None]}
    assert summary["arms"]["crossbar"]["test_accuracy"]["mean"] > 0
    assert {c["verdict"] for c in summary["comparisons"] if c["arm"] == "hot"} == {"not feasible"}
    assert all(
        row[figure] is None or math.isfinite(row[figure]) for row in metrics for figure in FIGURES
    )


@pytest.mark.parametrize(
    ("stop", "epoch", "seeds"),
    [
        (5, 0, [0]),  # no arm but the first two has begun
        (8, 1, [0]),  # the third arm is an epoch behind
        (9, 2, [0]),
        (11, 2, [0]),  # the second seed has begun
        (17, 2, [0]),  # its last arm is an epoch behind, which the first seed is not
    ],
)
def test_an_interrupted_run_compares_at_an_epoch_that_all_arms_share(
    tiny, tmp_path, stop, epoch, seeds
):
    native = "arms.crossbar={learning: {rule: anp, optimiser: {learning_rate: 0.01}}}"
    summary, metrics = run(tiny, tmp_path / "run", native, display=Silent(interrupt_after=stop))
    at = {
        (row["arm"], row["seed"]): row["test_accuracy"] for row in metrics if row["epoch"] == epoch
    }
    for comparison in summary["comparisons"]:
        assert comparison["verdict"] == "undecided"
        if epoch == 0:
            assert comparison["gap"] is None
            assert "before all arms had an epoch in common" in comparison["reason"]
            continue
        gaps = [at[comparison["baseline"], seed] - at[comparison["arm"], seed] for seed in seeds]
        assert comparison["gap"] == pytest.approx(sum(gaps) / len(gaps))
        assert f"after epoch {epoch}, the last that all arms share, in seed" in comparison["reason"]
    assert summary["comparisons"][0]["reason"] in summary["verdict_reason"]


def test_ctrl_c_leaves_what_was_measured(interrupted):
    _, summary, metrics = interrupted
    assert summary["status"] == "interrupted"
    assert len(metrics) == 8
    assert summary["arms"]["crossbar"]["test_accuracy"]["values"][0] is not None
    half_way = [row["test_accuracy"] for row in metrics if row["arm"] == "clean_danp"][-1]
    assert summary["arms"]["clean_danp"]["test_accuracy"]["values"] == [half_way, None]
    assert {comparison["verdict"] for comparison in summary["comparisons"]} == {"undecided"}


REPEATING = (
    "arms.crossbar={learning: {rule: anp, optimiser: {name: adam, learning_rate: 0.01}}}",
    "arms.hot={learning: {rule: anp, optimiser: {learning_rate: 1e30}}}",
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Ran:
    return ran_once(tmp_path_factory.mktemp("undisturbed"), *REPEATING)


@pytest.mark.parametrize("stop", [1, 3, 4, 5, 9, 14])
def test_a_resumed_run_is_the_undisturbed_one_bitwise(undisturbed, tiny, tmp_path, own_store, stop):
    """On chips that repeat; the first arm is replaced by one of these."""
    whole_folder, whole, whole_metrics = undisturbed
    folder, store = tmp_path / "stopped", own_store
    run(tiny, folder, *REPEATING, display=Silent(interrupt_after=stop))
    # what a kill leaves: figures of an epoch of which there is no checkpoint yet
    (stopped,) = {path.parent for path in store.rglob(METRICS)} - {
        path.parent for path in store.rglob(ENDED)
    }
    assert (stopped / CHECKPOINT).exists()
    with (stopped / METRICS).open("a") as metrics:
        metrics.write("{half a li")
    resumed, resumed_metrics = run(folder / "scenario.yaml", folder, resume=True)

    def without_time(value):
        if isinstance(value, dict):
            timed = {"seconds", "wall_seconds", "started"}
            return {key: without_time(each) for key, each in value.items() if key not in timed}
        return [without_time(each) for each in value] if isinstance(value, list) else value

    assert without_time(resumed_metrics) == without_time(whole_metrics)
    assert without_time(resumed) == without_time(whole)
    files = [each / "outcomes.safetensors" for each in (folder, whole_folder)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert not list(store.rglob(CHECKPOINT))


def test_no_saved_file_gives_away_weights_or_noise_draws(ran):
    """Files hold figures of each epoch and layer, and of a test sample if it came out right."""
    folder = ran.folder
    assert {path.name for path in folder.iterdir()} == {
        "scenario.yaml",
        "metrics.jsonl",
        "outcomes.safetensors",
        "summary.json",
        "units.json",
    }
    for seeds in load_outcomes(folder).values():
        for by_sample in seeds.values():
            assert (by_sample.shape, by_sample.dtype) == ((360,), bool)

    def longest_list(value) -> int:
        if isinstance(value, dict):
            return max(map(longest_list, value.values()), default=0)
        if isinstance(value, list):
            return max(len(value), *map(longest_list, value), 0)
        return 0

    smallest_matrix = 8 * 10
    for name in ("summary.json", "units.json"):
        assert longest_list(json.loads((folder / name).read_text())) < smallest_matrix
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        counted = {"trains", "trains_cut_short"} if row["arm"] == "crossbar" else set()
        assert set(row) == {"format", "arm", "seed", "epoch", "seconds"} | FIGURES | counted
