"""Records of runs beside the page outlive the run folders."""

import shutil
import zipfile

import numpy as np
import pytest

from substrate.record import RecordError
from substrate.replicate.experiments import experiments
from substrate.replicate.kept import keep, unpack
from substrate.replicate.measured import read_run
from substrate.replicate.write import write_page
from substrate.run.outcomes import save_outcomes
from tests.substrate.replicate.test_measured import WHOLE


@pytest.fixture
def run(leave, summary):
    folder = leave("paper-small-full", WHOLE)
    (folder / "summary.json").write_text(summary.as_json())
    save_outcomes(folder, {"np": {0: np.array([True, False]), 1: np.array([True, True])}})
    (folder / "report.html").write_text("not of the record")
    return folder


def test_a_record_says_all_that_the_folder_said(run, tmp_path):
    records, into = tmp_path / "records", tmp_path / "into"
    into.mkdir()
    keep(run, records)
    assert [path.name for path in records.iterdir()] == ["paper-small-full-20261123-130000.zip"]
    (folder,) = unpack("paper-small-full", records, into)
    assert not (folder / "report.html").exists()
    before, after = read_run(run, "full"), read_run(folder, "full")
    assert after.rows == before.rows
    assert after.summary == before.summary
    assert after.scenario == before.scenario
    assert after.outcomes.keys() == {"np"}
    assert np.array_equal(after.outcomes["np"][0], before.outcomes["np"][0])


def test_the_same_record_is_the_same_bytes(run, tmp_path):
    for name in ("a", "b"):
        keep(run, tmp_path / name)
    first, second = (next((tmp_path / name).iterdir()).read_bytes() for name in ("a", "b"))
    assert first == second


def test_a_killed_run_and_no_run_leave_no_record(leave, tmp_path):
    keep(leave("paper-small-full", WHOLE), tmp_path / "records")
    keep(tmp_path / "nowhere", tmp_path / "records")
    assert not (tmp_path / "records").exists()


def test_other_experiments_and_budgets_have_records_of_their_own(run, tmp_path):
    keep(run, tmp_path)
    for name in ("paper-small-short", "paper-small", "small-full"):
        assert unpack(name, tmp_path, tmp_path / "into") == []


def test_nothing_is_unpacked_elsewhere(tmp_path):
    with zipfile.ZipFile(tmp_path / "paper-small-full-20261123-130000.zip", "w") as archive:
        archive.writestr("../metrics.jsonl", "outside")
        archive.writestr("../angle_sigma.png", "outside")
        archive.writestr("report.html", "unknown")
    into = tmp_path / "into"
    into.mkdir()
    (folder,) = unpack("paper-small-full", tmp_path, into)
    assert [path.name for path in folder.iterdir()] == ["angle_sigma.png"]
    assert not (into / "angle_sigma.png").exists()
    assert not (into / "metrics.jsonl").exists()


def test_a_damaged_record_is_named(tmp_path):
    path = tmp_path / "paper-small-full-20261123-130000.zip"
    path.write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "into").mkdir()
    with pytest.raises(RecordError, match=r"130000\.zip: is damaged"):
        unpack("paper-small-full", tmp_path, tmp_path / "into")


def test_the_page_is_the_same_without_the_folder(run, shipped, tmp_path):
    page = tmp_path / "docs" / "replication.md"
    first = write_page(experiments(), tmp_path / "runs", page) and page.read_text()
    assert "Run on 2026-11-23" in first
    shutil.rmtree(run)
    write_page(experiments(), tmp_path / "runs", page)
    assert page.read_text() == first


def test_a_run_that_has_measured_nothing_takes_no_place(run, leave, shipped, tmp_path):
    page = tmp_path / "docs" / "replication.md"
    write_page(experiments(), tmp_path / "runs", page)
    before = page.read_text()
    shutil.rmtree(run)
    leave("paper-small-full", [])
    write_page(experiments(), tmp_path / "runs", page)
    assert page.read_text() == before
