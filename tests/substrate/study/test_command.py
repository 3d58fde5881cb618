"""`substrate study` and `substrate spec`: folders, tables, and the same again after a stop."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from substrate.cli.main import app
from substrate.run.store import Store
from substrate.study.energy import LACKING
from tests.stores import store_at
from tests.torture.runs import write_scenario

STUDY = """\
name: small
scenario: torture.yaml
set: {training.epochs: 2}
axes:
  bits: {field: arms.native.chip.output_converter.bits, values: [3, 5, 8]}
  noise: {field: arms.native.chip.conductance.read_noise, range: [0.005, 0.1], scale: log, steps: 2}
"""
BITS = ["--vary", "arms.native.chip.output_converter.bits=2:8"]
TABLES = ("points.csv", "runs.csv", "points.parquet", "runs.parquet")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUBSTRATE_STORE", str(tmp_path / "store"))
    write_scenario(tmp_path)
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def command(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was made into `out`; its file and its store lie beside that."""
    home = tmp_path_factory.mktemp("made")
    write_scenario(home)
    (home / "study.yaml").write_text(STUDY)
    with store_at(home / "store"):
        status, _ = command("study", home / "study.yaml", "--out", home / "out", "--jobs", 1)
    assert status == 0
    return home


def test_a_study_writes_tables_and_a_page_and_makes_nothing_twice(made: Path) -> None:
    folder = made / "out"
    points = pd.read_csv(folder / "points.csv", dtype=dict.fromkeys(LACKING, "str"))
    runs = pd.read_csv(folder / "runs.csv")
    assert len(points) == 6 * 2
    assert len(runs) == 6 * 3 * 2
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "points.parquet"), points)
    # the baseline and the arm that the axes do not concern are trained once for all points
    units = {each.key for each in Store(made / "store").units()}
    assert len(units) == 6 * 2 + 2 + 2
    own = runs[(runs["arm"] == "native") & (runs["point"] == 0)]["test_accuracy"].mean()
    found = points[(points["arm"] == "native") & (points["point"] == 0)]
    assert found["mean"].item() == pytest.approx(own)
    assert found["gap"].item() == pytest.approx(found["baseline_mean"].item() - own)
    page = (folder / "report.html").read_text()
    assert "What matters most" in page
    told = re.search(r"native: \d of 6 points feasible", page)  # there is another arm
    assert told
    assert "Left out, since no axis sets anything of theirs: hot." in page
    # an ADC's energy doubles with every bit, and more of nothing else is done
    energies = points[points["arm"] == "native"].groupby("bits")["training_joules"].mean()
    assert energies.is_monotonic_increasing
    assert "What training takes" in page
    assert "Not in the bill, for want of a published figure that fits: energy of cells read" in page
    assert points[points["arm"] == "native"]["without_price"].str.contains("cells read").all()
    before = {name: (folder / name).read_bytes() for name in TABLES}
    with store_at(made / "store"):
        status, output = command("study", made / "study.yaml", "--out", folder, "--jobs", 1)
    assert status == 0
    output = " ".join(output.split())
    assert f"{told.group()}" in output
    assert "Left out, since no axis sets anything of theirs: hot." in output
    assert {name: (folder / name).read_bytes() for name in TABLES} == before
    assert {each.key for each in Store(made / "store").units()} == units


def test_a_study_that_lost_its_units_makes_the_same_tables_anew(
    made: Path, own_store: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    assert not own_store.exists()
    assert command("study", made / "study.yaml", "--out", again, "--jobs", 1)[0] == 0
    for name in TABLES:
        assert (made / "out" / name).read_bytes() == (again / name).read_bytes()


def test_seeds_are_added_until_verdicts_stand(study: Path) -> None:
    text = STUDY.replace("[3, 5, 8]", "[8]")
    study.write_text(text + "stopping: {until: decided, at_most: 4}\n")
    folder = study.parent / "out"
    assert command("study", study, "--out", folder, "--jobs", 1)[0] == 0
    points = pd.read_csv(folder / "points.csv")
    assert set(points["seeds"]) <= {2, 4}
    assert points[points["verdict"] == "undecided"]["seeds"].max() in (4, np.nan)


def test_a_folder_of_another_study_is_refused(made: Path, tmp_path: Path) -> None:
    from substrate.scenario.source import ScenarioError

    folder = tmp_path / "out"
    shutil.copytree(made / "out", folder)
    other = made / "other.yaml"
    other.write_text(STUDY.replace("[3, 5, 8]", "[3, 5]"))
    with pytest.raises(ScenarioError, match=r"axes\.bits\.values"):
        command("study", other, "--out", folder, "--jobs", 1)


def test_spec_ends_in_a_sentence_and_repeats_itself(study: Path) -> None:
    words = ["spec", study.parent / "torture.yaml", "--within", "30 points", "--runs", 12]
    words += ["--vary", "arms.native.chip.output_converter.bits=2:8", "--jobs", 1]
    words += ["--least", "energy", "--set", "costs.pulse_pj=1"]
    status, output = command(*words, "--out", study.parent / "a")
    assert status == 0
    assert "output_converter.bits: " in output
    assert "runs." in output
    record = json.loads((study.parent / "a" / "limit.json").read_text())
    assert [each["seed"] for each in record["runs"]] == list(range(len(record["runs"])))
    assert all(2 <= each["at"][0] <= 8 for each in record["runs"])
    assert record["against"] == "backpropagation"
    assert "Least energy within 30 points: ≥ " in output
    assert "energy of cells read, energy of cells programmed." in output.replace("\n", " ")
    assert all("energy of cells read" in each["without_price"] for each in record["runs"])
    energies = {each["at"][0]: each["training_joules"] for each in record["runs"]}
    least, limit = record["least"], record["limits"][0]
    (bits,) = least["at"]
    higher = record["better_when"] == "higher"
    assert bits >= limit["limit"] if higher else bits <= limit["limit"]
    assert least["low"] <= least["value"] <= least["high"]
    if bits in energies:  # what was measured there, as far as a surrogate tells
        assert least["value"] == pytest.approx(energies[bits], rel=0.2)
    Store(study.parent / "store").prune(older_than=0.0)
    assert command(*words, "--out", study.parent / "b")[0] == 0
    assert json.loads((study.parent / "b" / "limit.json").read_text()) == record


def test_spec_names_no_least_of_sums_that_lack_different_things(study: Path) -> None:
    words = ["spec", study.parent / "torture.yaml", "--within", "30 points", "--runs", 12, *BITS]
    words += ["--jobs", 1, "--least", "energy", "--out", study.parent / "a"]
    # of two bits no update is a pulse, so that pulses without a price are not missed there
    status, output = command(*words)
    assert status == 0
    assert "The least energy is not known, since the sums of the runs lack different" in output
    assert "energy of pulses on cells (in" in output
    assert "least" not in json.loads((study.parent / "a" / "limit.json").read_text())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--vary", "arms.nativ.chip.output_converter.bits", "--within", "1 point"], "'native'"),
        (["--vary", "arms.native.chip.output_converter.bit", "--within", "1 point"], "'bits'"),
        (["--vary", "arms.native.chip.output_converter.bits=9:2", "--within", "1"], "goes up"),
        (["--vary", "arms.native.chip.output_converter.bits", "--within", "near"], "--within"),
        (["--vary", "training.epochs=1:3", "--within", "1 point"], "--arm"),
        ([*BITS, "--within", "1 point", "--least", "enregy"], "--least"),
    ],
)
def test_what_makes_no_question_is_refused(study: Path, words: list[str], said: str) -> None:
    from substrate.scenario.source import ScenarioError

    with pytest.raises(ScenarioError) as problem:
        command("spec", study.parent / "torture.yaml", *words)
    assert said in str(problem.value)
