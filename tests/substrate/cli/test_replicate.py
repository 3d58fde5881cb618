"""`substrate replicate` from a run to the page; experiments are those of the test's own."""

import json
from pathlib import Path

import pytest

from substrate.replicate import experiments
from substrate.replicate.reported import Reported

SMALL = """\
name: small
title: A small experiment
network: {layers: [8]}
training: {epochs: 3}
arms:
  danp: {learning: {rule: danp, optimiser: {learning_rate: 0.01}}}
baselines:
  bp: {learning: {rule: bp, optimiser: {name: adam, learning_rate: 0.003}}}
seeds: [0, 1]
budgets:
  short: {training.epochs: 2}
"""
ANGLES = SMALL.replace("name: small", "name: angles").replace(
    "  short: {training.epochs: 2}", "  short: {alignment.inputs: 1}"
) + ("alignment: {inputs: 2, samples: 20, sigma_samples: 0}\n")


@pytest.fixture(autouse=True)
def scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "scenarios" / "paper"
    folder.mkdir(parents=True)
    (folder / "small.yaml").write_text(SMALL)
    (folder / "angles.yaml").write_text(ANGLES)
    known = {
        "paper/small": Reported.model_validate(
            {"paper": {"bp": {"train": 1, "test": 1}}, "statements": ["bp best"]}
        ),
        "paper/angles": Reported(),
    }
    monkeypatch.setattr("substrate.scenario.shipped.scenarios_folder", lambda: folder.parent)
    monkeypatch.setattr(experiments, "reported", lambda: known)


def measured(folder: Path) -> list[dict]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{**json.loads(line), "seconds": None} for line in lines]


def test_all_are_run_and_shown_and_run_only_once(substrate_here, tmp_path):
    done = substrate_here("replicate", "--json")
    assert done.returncode == 0, done.stderr
    small, angles = json.loads(done.stdout)
    assert small["experiment"] == "paper/small"
    assert small["runs"][0]["complete"] is True
    bp = next(cell for cell in small["cells"] if cell["arm"] == "bp")
    rows = measured(tmp_path / "runs" / "replication" / "paper-small-short")
    peaks = [
        max(row["test_accuracy"] for row in rows if (row["arm"], row["seed"]) == ("bp", seed))
        for seed in (0, 1)
    ]
    assert bp["test_accuracy"]["mean"] == pytest.approx(100 * sum(peaks) / 2)
    assert bp["difference"] == pytest.approx(bp["test_accuracy"]["mean"] - 1)
    assert (bp["epochs"], bp["epochs_planned"], bp["images"]) == (2, 2, 1437)
    (statement,) = small["statements"]
    assert statement["answer"] in ("confirmed", "refuted", "not told apart")
    assert statement["low"] < statement["high"]
    assert {*angles["runs"][0]["angles"]} == {"danp"}
    page = (tmp_path / "docs" / "replication.md").read_text()
    pictures = tmp_path / "docs" / "images" / "replication"
    assert {path.name for path in pictures.iterdir()} == {
        "paper-small-short.png",
        "paper-angles-short-angle_noise_samples.png",
        "paper-angles-short-angle_passes.png",
    }
    assert all(f"(images/replication/{path.name})" in page for path in pictures.iterdir())

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.*")}
    again = substrate_here("replicate", "small")
    assert again.returncode == 0
    assert "complete, left as it is" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.*")} == before

    assert "Not run with the file's settings" not in page
    scenario = tmp_path / "scenarios" / "paper" / "angles.yaml"
    scenario.write_text(ANGLES.replace("samples: 20", "samples: 30"))
    assert substrate_here("replicate", "--page-only").returncode == 0
    changed = "**Not run with the file's settings:** `alignment.samples` (20, now 30)."
    assert changed in (tmp_path / "docs" / "replication.md").read_text()


def test_a_stopped_run_is_shown_and_goes_on_as_if_undisturbed(
    substrate_here, tmp_path, monkeypatch
):
    assert substrate_here("replicate", "small", "--runs", "whole").returncode == 0
    shown = 0

    def ctrl_c(*_: object) -> None:
        nonlocal shown
        shown += 1
        if shown == 5:  # bp's second epoch with its first seed
            raise KeyboardInterrupt

    monkeypatch.setenv("SUBSTRATE_STORE", str(tmp_path / "another store"))
    with monkeypatch.context() as stopped:
        stopped.setattr("substrate.run.progress._Lines.epoch", ctrl_c)
        stop = substrate_here("replicate", "--runs", "stopped", "--page", "apart/page.md")
        assert stop.returncode == 130
    page = (tmp_path / "apart" / "page.md").read_text()
    assert "[paper/small](#papersmall) | `short`, **unfinished**" in page
    assert "| bp | `short` | 1.0 / 1.0 |" in page
    assert "**1 of 2** | **1 of 2** | 1,437 |" in page
    assert not (tmp_path / "stopped" / "paper-angles-short").exists()

    went_on = substrate_here("replicate", "small", "--runs", "stopped")
    assert went_on.returncode == 0, went_on.stderr
    assert "goes on from where it was stopped" in went_on.stderr
    assert measured(tmp_path / "stopped" / "paper-small-short") == measured(
        tmp_path / "whole" / "paper-small-short"
    )


def test_the_page_alone_runs_nothing(substrate_here, tmp_path):
    done = substrate_here("replicate", "--page-only", "--page", "here.md")
    assert done.returncode == 0
    assert "not run" in done.stdout
    assert "Not run: budget `full`, `short`." in (tmp_path / "here.md").read_text()
    assert not (tmp_path / "runs").exists()


def test_wrong_words_are_refused_before_anything_runs(substrate_here, tmp_path):
    for words, message in (
        (["smal"], "did you mean 'small'?"),
        (["--budget", "shrt"], "did you mean 'short'?"),
    ):
        done = substrate_here("replicate", *words)
        assert done.returncode == 2
        assert message in done.stderr
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "docs").exists()


def test_what_is_no_run_is_not_written_over(substrate_here, tmp_path):
    folder = tmp_path / "runs" / "replication" / "paper-small-short"
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("precious")
    done = substrate_here("replicate", "small")
    assert done.returncode == 2
    assert "is not an empty folder" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]
