"""What lies in a run folder, and what `--resume` and `report` make of it."""

import json
import shutil

import pytest

from substrate.new.write import write_new
from substrate.record.metrics import Epoch
from substrate.run import experiment
from substrate.run.training import ArmRun
from tests.torture.damaged_folders import Folders
from tests.torture.damages import random_damages, systematic
from tests.torture.runs import FILES, store_of, write_scenario


def one_line(shown) -> str:
    assert shown.returncode == 2
    assert shown.stderr.startswith("error: ")
    assert shown.stderr.count("\n") == 1
    return shown.stderr


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Folders:
    return Folders(tmp_path_factory.mktemp("folders"))


@pytest.fixture(scope="module")
def damages(folders) -> dict:
    return dict(systematic(folders))


def test_no_damaged_folder_goes_on_wrongly_or_ends_in_a_traceback(folders, damages):
    """Some damages of every kind; `python -m tests.torture.damages` tries all of them."""
    chosen = [*list(damages.items())[::9], *random_damages(folders, 15, seed=1)]
    outcomes = {name: folders.outcome(damage) for name, damage in chosen}
    short = {name: each for name, each in outcomes.items() if each not in ("refused", "same")}
    assert not short
    assert list(outcomes.values()).count("refused") > len(outcomes) / 2


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("nothing", ""),
        ("checkpoint.safetensors of another rate", "checkpoint.safetensors: is of another unit"),
        ("units.json of another seed", "seeds ([7, 1], now [0, 1])"),
        ("training.epochs: 3 -> 4", "training.epochs (3, now 4)"),
        ("line 2 doubled", "metrics.jsonl: is damaged"),
        ("line 2: test_accuracy", "metrics.jsonl: is damaged"),
        ("checkpoint.safetensors is missing", ""),
        ("units.json is missing", "units.json: no such file"),
        ("the store is missing", ""),
        ("checkpoint.safetensors is a folder", "checkpoint.safetensors: is not a readable"),
        ("metrics.jsonl is missing", "metrics.jsonl: no such file"),
        ("summary.json is '{'", "summary.json: not valid JSON"),
        ("a value of x_train", "the data that the scenario names"),
        ("an unfinished checkpoint", ""),
    ],
)
def test_what_differs_is_named(
    folders, damages, substrate_here, tmp_path, monkeypatch, damage, words
):
    folder = tmp_path / "damaged"
    folders.copy(folder)
    monkeypatch.setenv("SUBSTRATE_STORE", str(store_of(folder)))
    data = folders.root / "data.npz"
    intact = data.read_bytes()
    damages[damage](folder)
    try:
        shown = substrate_here("run", "--resume", folder)
    finally:
        data.write_bytes(intact)
    if not words:
        assert shown.returncode == 0
        assert names(folder) == FILES
    else:
        assert words in one_line(shown)


def test_a_report_is_made_again(folders, substrate_here, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(folders.stopped, folder)
    (folder / "summary.json").unlink()
    hint = f"{folder}: there is no summary.json yet; substrate run --resume {folder} goes on with"
    assert hint in one_line(substrate_here("report", folder))
    assert substrate_here("run", "--resume", folder).returncode == 0
    page = (folder / "report.html").read_bytes()
    for name in ("report.html", "learning_curves.png", "observed_noise.png"):
        (folder / name).unlink()
    shown = substrate_here("report", folder)
    assert shown.returncode == 0
    assert shown.stdout == f"Report: {folder}/report.html\n"
    assert (folder / "report.html").read_bytes() == page
    with (folder / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"arm": "nat')
    assert "metrics.jsonl, line" in one_line(substrate_here("report", folder))
    assert (folder / "report.html").read_bytes() == page
    assert "no such folder" in one_line(substrate_here("report", tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_of_a_run_that_was_killed_before_it_began_can_be_run_into(
    substrate_here, tmp_path
):
    scenario = write_scenario(tmp_path)
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".scenario.yaml.a1b2.unfinished").write_text("name: tort")
    (folder / "units.json").write_text("{}")
    hint = one_line(substrate_here("run", "--resume", folder))
    assert f"run the scenario with --out {folder}" in hint
    assert substrate_here("run", scenario, "--out", folder).returncode == 0
    assert names(folder) == FILES


@pytest.mark.parametrize("derived", [False, True])
def test_a_device_without_state_says_beforehand_that_it_begins_anew(
    substrate_here, tmp_path, monkeypatch, derived
):
    scenario = write_scenario(tmp_path)
    path, _ = write_new("device", "Mine", tmp_path)
    text = path.read_text()
    text = text[: text.index("    # With these two a run")]
    if derived:  # the protocol's own methods give nothing
        text = text.replace("class Mine:", "class Mine(CustomCrossbar):")
        text = text.replace(
            "from devices.interface",
            "from devices.crossbars.custom import CustomCrossbar\nfrom devices.interface",
            1,
        )
    path.write_text(text)
    chip = f'{{crossbar: "{path}:Mine"}}'
    mine = f"arms.hot={{chip: {chip}, learning: {{rule: danp, optimiser: {{learning_rate: 0.1}}}}}}"

    def ctrl_c(_: object, record: Epoch) -> None:
        if record.arm == "hot" and record.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr("substrate.run.progress._Lines.epoch", ctrl_c)
        shown = substrate_here("run", scenario, "--out", "run", "--set", mine)
    assert shown.returncode == 130
    reason = "Mine of arm hot has no state() and restore()"
    _, note, *_ = shown.stdout.splitlines()  # after the data
    assert note.startswith("note: an arm that is stopped half-way begins anew")
    assert note.endswith(reason)
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    assert [row["epoch"] for row in rows if row["arm"] == "hot"] == [0, 1, 2]
    assert substrate_here("run", "--resume", "run").returncode == 0
    assert names(tmp_path / "run") == FILES
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    assert [row["epoch"] for row in rows if row["arm"] == "hot"] == 2 * [0, 1, 2, 3]


def rows(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").open()]


def test_seeds_and_arms_that_are_added_are_all_that_is_trained(
    substrate_here, tmp_path, own_store, monkeypatch
):
    scenario = write_scenario(tmp_path)
    assert substrate_here("run", scenario, "--out", "run", "--seeds", "0,1").returncode == 0
    before, folder = rows(tmp_path / "run"), tmp_path / "run"
    shutil.rmtree(own_store)  # the folder alone is enough
    trained = []
    train = ArmRun.epochs

    def seen(self):
        trained.append(self._seed)
        return train(self)

    monkeypatch.setattr(ArmRun, "epochs", seen)
    more = substrate_here("run", "--resume", "run", "--seeds", "0,1,2")
    assert more.returncode == 0
    assert trained == [2, 2, 2]
    assert rows(folder)[: len(before)] == before
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["seeds"], summary["look"], summary["confidence"]) == ([0, 1, 2], 2, 0.975)
    assert summary["command"].count("substrate run ") == 2
    rate = "baselines.slower={learning: {rule: bp, optimiser: {learning_rate: 0.001}}}"
    assert substrate_here("run", "--resume", "run", "--set", rate).returncode == 0
    assert trained == [2, 2, 2, 0, 1, 2]
    assert names(folder) == FILES
    assert "complete" in one_line(substrate_here("run", "--resume", "run"))


@pytest.mark.parametrize("killed", ["summary", "scenario"])
def test_a_kill_while_seeds_are_added_is_mended(substrate_here, tmp_path, monkeypatch, killed):
    scenario = write_scenario(tmp_path)
    few = ["--set", "training.epochs=1", "--seeds"]
    assert substrate_here("run", scenario, "--out", "run", *few, "0,1").returncode == 0
    write = experiment.write_atomically

    def kill(path, *content) -> None:
        if path.name == "scenario.yaml":
            raise SystemExit(9)
        write(path, *content)
        if killed == "summary" and path.name == "units.json":
            raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr(experiment, "write_atomically", kill)
        assert substrate_here("run", "--resume", "run", "--seeds", "0,1,2").returncode == 9
    assert substrate_here("run", "--resume", "run").returncode == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["seeds"], summary["look"]) == ([0, 1, 2], 2)


def test_seeds_are_added_until_the_verdict_stands(substrate_here, tmp_path):
    scenario = write_scenario(tmp_path)
    options = ["--set", "training.epochs=1", "--set", "arms.hot.learning.rule=np"]
    options += ["--set", "arms.hot.learning.optimiser.learning_rate=0.01"]
    options += ["--set", "verdict.tolerance=0.02", "--seeds", "0,1"]
    once = substrate_here("run", scenario, "--out", "run", *options)
    command = "substrate run --resume run --seeds 0,1,2,3"
    assert f"More seeds: {command}" in once.stdout
    assert command in (tmp_path / "run" / "report.html").read_text()
    until = substrate_here("run", "--resume", "run", "--until", "decided", "--at-most", "5")
    assert until.returncode == 0, until.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    ends = "more test samples" in summary["verdict_reason"] or len(summary["seeds"]) == 5
    assert summary["verdict"] != "undecided" or ends
    assert summary["look"] > 1
    looks = {2: 1, 4: 2, 5: 3}
    assert summary["look"] == looks[len(summary["seeds"])]


def test_a_unit_that_fails_is_named_and_tried_again(substrate_here, tmp_path, monkeypatch):
    scenario = write_scenario(tmp_path)
    train = ArmRun.epochs

    def fails(self):
        if self._seed == 1 and self._scenario.all_arms["arm"].learning.rule == "bp":
            raise ZeroDivisionError("in the device")
        return train(self)

    with monkeypatch.context() as patch:
        patch.setattr(ArmRun, "epochs", fails)
        shown = substrate_here("run", scenario, "--out", "run")
    assert shown.returncode == 3
    log = "failed-backpropagation-1.log"
    assert "seed 1 was given up: ZeroDivisionError: in the device" in shown.stdout
    assert "Traceback" in (tmp_path / "run" / log).read_text()
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["status"], summary["verdict"]) == ("failed", "undecided")
    assert "given up" in (tmp_path / "run" / "report.html").read_text()
    assert substrate_here("run", "--resume", "run").returncode == 0
    assert names(tmp_path / "run") == FILES


def test_a_run_keeps_its_seeds(substrate_here, tmp_path):
    scenario = write_scenario(tmp_path)
    assert substrate_here("run", scenario, "--out", "run", "--seeds", "0,1").returncode == 0
    before = rows(tmp_path / "run")
    fewer = substrate_here("run", "--resume", "run", "--seeds", "1,2")
    assert fewer.returncode == 2
    assert "--seeds 0,1,2" in fewer.stderr
    assert rows(tmp_path / "run") == before
