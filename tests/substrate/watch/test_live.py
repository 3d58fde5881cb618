"""What is read of a run that goes on: every figure as soon as it is on the disk."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from substrate.record import RecordError
from substrate.record.folder import METRICS, SUMMARY, UNITS
from substrate.watch.live import read_live
from substrate.watch.page import draw, render
from tests.substrate.watch.conftest import Going

Run = Callable[..., CompletedProcess[str]]


def test_figures_are_read_from_the_units_as_they_come(going: Going) -> None:
    assert read_live(going.folder).rows == []
    home = going.reaches("bench", 0, [0.1, 0.3])
    with (home / METRICS).open("ab") as file:
        file.write(b'{"format": 1, "arm": "arm", "se')  # the epoch that is being written
    live = read_live(going.folder)
    assert [(row.arm, row.seed, row.epoch) for row in live.rows] == [
        ("bench", 0, 0),
        ("bench", 0, 1),
    ]
    assert (live.ended, live.units, live.epochs) == (0, 4, 4)
    assert live.changed == (home / METRICS).stat().st_mtime
    going.ends(home, noise=0.25)
    live = read_live(going.folder)
    assert live.ended == 1
    assert live.noise["bench"][0].noise_std == 0.25


def test_arms_are_compared_where_both_have_come(going: Going) -> None:
    going.reaches("bench", 0, [0.1, 0.3, 0.5, 0.6])
    going.reaches("clean", 0, [0.1, 0.7, 0.9])
    (so_far,) = read_live(going.folder).comparisons
    assert so_far.gap == pytest.approx(0.9 - 0.5)
    assert so_far.verdict == "undecided"
    going.reaches("bench", 1, [0.1, 0.2])  # less far: it would not be compared fairly
    going.reaches("clean", 1, [0.1, 0.7, 0.9])
    (so_far,) = read_live(going.folder).comparisons
    assert so_far.gap == pytest.approx(0.9 - 0.5)


def test_the_page_shows_arms_gaps_noise_and_the_bench(going: Going) -> None:
    told = {"temperature (K)": 4.25, "driver call p99 (ms)": 12.5}
    going.ends(going.reaches("bench", 0, [0.1, 0.5], reported=told), noise=0.25)
    going.reaches("clean", 0, [0.1, 0.9])
    live = read_live(going.folder)
    page = render(live, "run", draw(live), now=live.changed + 7)
    for shown in (
        "In training",
        "1 of 4 trainings have ended; the last figure was written 7 s ago.",
        "40.0 points",
        "25.0 %",
        "temperature (K)",
        "4.25",
        "driver call p99 (ms)",
        "12.5",
        "data:image/png;base64,",
    ):
        assert shown in page, shown
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_before_the_first_figure_there_is_a_page_too(going: Going) -> None:
    live = read_live(going.folder)
    assert draw(live) is None
    assert "0 of 4 trainings have ended; no figure is there yet." in render(live, "run", None)


def test_what_is_no_run_or_damaged_is_said(going: Going, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="there is no run"):
        read_live(tmp_path)
    (going.folder / UNITS).write_text((going.folder / UNITS).read_text().replace("watched", "x"))
    with pytest.raises(RecordError, match="is damaged"):
        read_live(going.folder)


def test_a_run_of_ours_can_be_watched_at_every_stage(
    tmp_path: Path, substrate_here: Run, own_store: Path
) -> None:
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        """\
name: small
network: {layers: [8]}
training: {epochs: 2}
arms:
  np: {chip: {crossbar: native}, learning: {rule: danp, optimiser: {learning_rate: 0.05}}}
baselines:
  clean: {learning: {rule: bp, optimiser: {learning_rate: 0.003}}}
seeds: [0]
"""
    )
    done = substrate_here("run", scenario, "--out", "run", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "run"
    live = read_live(folder)
    assert live.summary is not None
    assert live.comparisons == live.summary.comparisons
    assert "In training" not in render(live, "run", None)
    # as it stood before it was merged: the units alone have figures
    for name in (SUMMARY, METRICS):
        (folder / name).unlink()
    going = read_live(folder)
    assert going.summary is None
    assert {(row.arm, row.epoch) for row in going.rows} == {
        (arm, epoch) for arm in ("np", "clean") for epoch in range(3)
    }
    assert going.ended == 2
    assert going.noise["np"][0].noise_std is not None
