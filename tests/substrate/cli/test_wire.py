"""`substrate serve` and `run` with chips behind wires, as a user calls them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

NATIVE = {
    "chip": {"crossbar": "native", "preset": "rasch_2019", "conductance": {"read_noise": 0.01}},
    "learning": {
        "rule": "danp",
        "perturbation": {"source": "intrinsic", "baseline": "noisy"},
        "decorrelation": {"rate": 0.001},
        "optimiser": {"name": "sgd", "learning_rate": 0.01, "write": "pulses"},
    },
}
BP = {"learning": {"rule": "bp", "optimiser": {"name": "adam", "learning_rate": 0.003}}}


def write(folder: Path, arm: dict, **other) -> Path:
    scenario = {
        "name": "tiny",
        "data": {"name": "digits"},
        "network": {"layers": [8]},
        "training": {"epochs": 2, "batch_size": 500},
        "arms": {"arm": arm},
        "baselines": {"clean": BP},
        "seeds": [0],
        **other,
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(scenario))
    return path


Call = Callable[..., str]


@pytest.fixture
def called(substrate_here) -> Call:
    """Run a command that ends with a status, and give all that it showed."""

    def call(*arguments: object, status: int = 0) -> str:
        done = substrate_here(*arguments)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return call


def figures(folder: Path) -> list[tuple]:
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [(each["arm"], each["epoch"], each["test_loss"], each["train_loss"]) for each in lines]


def test_an_isolated_run_ends_as_one_in_process(called, tmp_path, own_store):
    path = write(tmp_path, NATIVE)
    called("run", path, "--out", "here", "--jobs", 1)
    told = called("run", path, "--out", "apart", "--jobs", 1, "--isolated")
    assert figures(tmp_path / "here") == figures(tmp_path / "apart")
    assert "not isolated, since gradients lead to the weights: clean" in told
    assert re.search(r"arm: native rasch_2019 in a process of its own; latency .* ms", told)
    here, apart = (
        json.loads((tmp_path / each / "summary.json").read_text()) for each in ("here", "apart")
    )
    wire = apart["arms"]["arm"].pop("wire")
    assert wire["latency_p99"] >= wire["latency_p50"] > 0
    assert wire["bytes_sent"] > 10_000
    assert 0 < wire["waiting"] <= 1
    assert "wire" not in here["arms"]["arm"]
    assert here["arms"]["arm"]["ledger"] == apart["arms"]["arm"]["ledger"]
    page = (tmp_path / "apart" / "report.html").read_text()
    assert "The wire to the chip" in page
    assert "The wire to the chip" not in (tmp_path / "here" / "report.html").read_text()
    # weights do not stay behind
    assert not list(own_store.rglob("chip-states"))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    path = write(folder, NATIVE)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "substrate", "serve", str(path), "--arm", "arm"),
            *("--listen", "localhost:0", "--states", str(folder / "states"), "--repeatable"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    line = process.stdout.readline()
    found = re.search(r"at (\S+)\.", line)
    assert found, line
    yield found[1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(300) == 0


def test_a_scenario_trains_on_whatever_answers_and_never_out_of_the_store(
    served, called, tmp_path, own_store
):
    here = write(tmp_path, NATIVE)
    called("run", here, "--out", "here", "--jobs", 1)
    there = write(tmp_path, {**NATIVE, "chip": {"remote": served}})
    called("check", there)
    told = called("run", there, "--out", "there", "--jobs", 1)
    assert f"native rasch_2019 at {served}" in told
    # the served chip is told to repeat, so that its figures are those of one process
    assert figures(tmp_path / "here") == figures(tmp_path / "there")
    before = len(list(own_store.rglob("ended.json")))
    called("run", there, "--out", "again", "--jobs", 1)
    assert len(list(own_store.rglob("ended.json"))) == before + 1
    # what the run itself has done is not done again where it goes on
    called("run", "--resume", "again", "--seeds", "0,1", "--jobs", 1)
    assert len(list(own_store.rglob("ended.json"))) == before + 3


def test_what_does_not_fit_the_chip_is_said_before_anything_is_trained(served, called, tmp_path):
    remote = {**NATIVE, "chip": {"remote": served}}
    told = called("run", write(tmp_path, remote, network={"layers": [9]}), "--out", "r", status=2)
    assert "the chip has other layers than the network: 64→8, 8→10, and not 64→9, 9→10" in told
    plain = {**remote, "learning": {**NATIVE["learning"], "decorrelation": None, "rule": "anp"}}
    told = called("run", write(tmp_path, plain), "--out", "r", status=2)
    assert "the chip has decorrelation matrices, and the arm does not" in told
    backward = {**remote, "learning": {**BP["learning"], "decorrelation": {}}}
    told = called("run", write(tmp_path, backward), "--out", "r", status=2)
    assert "bp with these settings needs the capability 'transposed_read'" in told
    assert not (tmp_path / "r").exists()


def test_tune_and_study_train_on_a_remote_chip_and_a_survey_says_why_not(served, called, tmp_path):
    remote = {**NATIVE, "chip": {"remote": served}}
    path = write(tmp_path, remote, training={"epochs": 1, "batch_size": 500})
    rate = "arms.arm.learning.optimiser.learning_rate"
    told = called("tune", path, "--arm", "arm", "--start", 1e5, "--out", "t", "--jobs", 1)
    assert "arm  learning rate 100000  validation loss" in told
    study = tmp_path / "study.yaml"
    study.write_text(
        f"name: rates\nscenario: {path.name}\n"
        f"axes: {{rate: {{field: {rate}, values: [0.01, 0.02]}}}}\n"
    )
    called("study", study, "--out", "study", "--jobs", 1)
    rows = (tmp_path / "study" / "points.csv").read_text().splitlines()[1:]
    assert len([each for each in rows if ",arm," in each]) == 2
    told = called("survey", path, "--out", "s", status=2)
    assert "a survey goes through aihwkit's presets, and needs aihwkit chips" in told
    wide = write(tmp_path, remote, network={"layers": [9]})
    for command, file in (("tune", wide), ("study", study)):
        told = called(command, file, "--out", "x", status=2)
        assert "the chip has other layers than the network" in told


def test_a_token_of_a_scenario_that_is_not_there_is_named_with_its_key(called, tmp_path):
    path = write(tmp_path, {**NATIVE, "chip": {"remote": "localhost:9", "token": "lab.token"}})
    told = called("run", path, "--out", "r", status=2)
    assert "arms.arm.chip.token: no such file (found '" in told
    assert "`openssl rand -hex 16 >" in told
    told = called("watch", "localhost:9", "--token", "lab.token", status=2)
    assert told.startswith("error: --token lab.token: no such file; `openssl rand -hex 16 >")


def test_nobody_answers(called, tmp_path):
    path = write(tmp_path, {**NATIVE, "chip": {"remote": "localhost:9"}})
    told = called("run", path, "--out", "r", status=2)
    assert "localhost:9: no answer" in told
    assert "is `substrate serve` running there?" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--arm", "am"], "did you mean 'arm'?"),
        (["--arm", "arm", "--listen", "0.0.0.0:0"], "can be reached from other machines"),
        (["--arm", "arm", "--listen", "here"], "is no address"),
        (
            ["--arm", "arm", "--token", "mine"],
            "--token mine: no such file; `openssl rand -hex 16 > mine` makes one; server and",
        ),
        (["--arm", "arm", "--token", "lab.tokn"], "no such file; did you mean lab.token?"),
        (["--arm", "arm", "--token", "."], "--token .: cannot be read: Is a directory"),
        (
            ["--arm", "arm", "--token", "lab.token"],
            "--token lab.token: a token has at least 16 printable characters; `openssl rand",
        ),
        (
            ["--arm", "arm", "--certificate", "x.pem", "--key", "lab.token"],
            "--certificate x.pem: no such file",
        ),
    ],
)
def test_serving_is_refused_in_one_line(arguments, said, called, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.token").write_text("short")
    told = called("serve", write(tmp_path, NATIVE), *arguments, status=2)
    assert said in told
    assert len(told.strip().splitlines()) == 1
