"""The command line as a user calls it.

What is shown and written is the same in this process and in one of its own (`substrate_here` and
`substrate`); only what ends a process, its imports and its workers need the latter.
"""

import json
import os
import pty
import signal
import subprocess
import sys

import pytest
import yaml

import substrate as package


def test_help_and_version_are_enough_to_go_on(substrate):
    shown = substrate("--help")
    assert shown.returncode == 0
    for command in ("run", "check", "list", "schema"):
        assert command in shown.stdout
    assert substrate("--version").stdout.strip() == f"substrate {package.__version__}"


def test_help_imports_nothing_heavy():
    heavy = ("torch", "aihwkit", "matplotlib", "scipy", "sklearn", "pydantic")
    code = (
        "import sys; sys.argv = ['substrate', '--help']\n"
        "from substrate.cli.main import main\n"
        "try: main()\n"
        f"finally: print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert shown.stderr.strip() == "[]"


def test_a_run_writes_everything_and_tells_the_verdict(substrate, tiny, tmp_path):
    shown = substrate("run", tiny, "--out", "here", "--set", "training.epochs=1")
    assert shown.returncode == 0, shown.stderr
    assert "crossbar  seed 0  epoch 1" in shown.stdout
    assert "Gap in test accuracy" in shown.stdout
    assert {path.name for path in (tmp_path / "here").iterdir()} == {
        "scenario.yaml",
        "units.json",
        "metrics.jsonl",
        "outcomes.safetensors",
        "summary.json",
        "learning_curves.png",
        "observed_noise.png",
        "report.html",
    }


def test_overrides_seeds_and_json(substrate_here, tiny, tmp_path):
    shown = substrate_here(
        "run", tiny, "--seeds", "7", "--set", "training.epochs=1", "--out", "here", "--json"
    )
    summary = json.loads(shown.stdout)
    assert summary["seeds"] == [7]
    assert summary["epochs"] == 1
    assert summary["verdict"] == "undecided"
    assert json.loads((tmp_path / "here" / "summary.json").read_text()) == summary


def test_repeated_seeds_add_up(substrate_here, tiny):
    shown = substrate_here(
        "run", tiny, "--seeds", "7", "--seeds", "3,5", "--set", "training.epochs=1", "--json"
    )
    assert json.loads(shown.stdout)["seeds"] == [7, 3, 5]


def test_a_full_disk_is_one_message(substrate_here, tiny, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    shown = substrate_here("run", tiny, "--out", "here")
    assert shown.returncode == 1
    assert shown.stderr == "error: here/units.json: No space left on device\n"


def test_the_default_folder_carries_the_scenarios_name(substrate_here, tiny, tmp_path):
    substrate_here("run", tiny, "--seeds", "0", "--set", "training.epochs=1")
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("tiny-2")


def test_a_full_folder_is_not_written_into(substrate_here, tiny, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "thesis.tex").write_text("precious")
    shown = substrate_here("run", tiny, "--out", "here")
    assert shown.returncode == 2
    assert "here" in shown.stderr
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["thesis.tex"]


def test_check_builds_nothing(substrate_here, tiny, tmp_path):
    before = set(tmp_path.iterdir())
    shown = substrate_here("check", tiny)
    assert shown.returncode == 0
    assert "valid" in shown.stdout
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("devices", "IdealizedPreset"),
        ("rules", "danp"),
        ("datasets", "digits"),
        ("scenarios", "crossbar_danp"),
    ],
)
def test_lists(substrate_here, what, name):
    assert name in substrate_here("list", what).stdout
    assert name in [
        row["name"] for row in json.loads(substrate_here("list", what, "--json").stdout)
    ]


def test_the_schema_is_json_and_knows_the_keys(substrate_here):
    schema = json.loads(substrate_here("schema").stdout)
    assert {"arms", "baselines", "seeds", "verdict", "training"} <= set(schema["properties"])


def test_diverging_is_a_finding_and_no_failure(substrate_here, tiny):
    hot = "arms.crossbar={learning: {rule: anp, optimiser: {learning_rate: 1e30}}}"
    shown = substrate_here("run", tiny, "--set", hot, "--out", "here", "--seeds", "0,1")
    assert shown.returncode == 0
    assert "diverged" in shown.stdout
    assert "not feasible" in shown.stdout.lower()


def stop_itself(tmp_path, signal_name, after, *arguments):
    """Run a command that is sent a signal when it has shown so many epochs, not after some time."""
    program = (
        "import signal, sys\n"
        "from substrate.cli import main\nfrom substrate.run import progress\n"
        # a shell's background jobs ignore Ctrl-C, and what they start inherits that
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "show, shown = progress._Lines.epoch, []\n"
        "def epoch(self, record):\n"
        "    show(self, record)\n"
        "    shown.append(record)\n"
        f"    if len(shown) == {after}: signal.raise_signal(signal.{signal_name})\n"
        "progress._Lines.epoch = epoch\n"
        f"sys.argv = {['substrate', *map(str, arguments)]!r}\n"
        "main.main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_ctrl_c_keeps_what_was_measured(tiny, tmp_path):
    stopped = stop_itself(tmp_path, "SIGINT", 2, "run", tiny, "--out", "here", "--jobs", "1")
    assert stopped.returncode == 130, stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert json.loads((tmp_path / "here" / "summary.json").read_text())["status"] == "interrupted"
    assert "interrupted" in (tmp_path / "here" / "report.html").read_text().lower()
    assert len((tmp_path / "here" / "metrics.jsonl").read_text().splitlines()) == 2


def test_a_killed_run_goes_on_and_tells_the_same(substrate_here, tiny, tmp_path, monkeypatch):
    """SIGKILL on the way; the arms on the ideal chip repeat bitwise."""
    native = "arms.crossbar={learning: {rule: anp, optimiser: {learning_rate: 0.01}}}"
    assert substrate_here("run", tiny, "--out", "whole", "--set", native).returncode == 0
    monkeypatch.setenv("SUBSTRATE_STORE", str(tmp_path / "another store"))
    killed = stop_itself(tmp_path, "SIGKILL", 5, "run", tiny, "--out", "killed", "--set", native)
    assert killed.returncode == -signal.SIGKILL
    left = {path.name for path in (tmp_path / "killed").iterdir()}
    assert left == {"scenario.yaml", "units.json"}
    # a worker may be between two units, so not that one is half-way, but that some were begun
    assert list((tmp_path / "another store").rglob("metrics.jsonl"))
    resumed = substrate_here("run", "--resume", "killed")
    assert resumed.returncode == 0, resumed.stderr
    lines = {
        name: [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").open()]
        for name in ("whole", "killed")
    }
    for rows in lines.values():
        for row in rows:
            del row["seconds"]
    assert lines["whole"] == lines["killed"]
    again = substrate_here("run", "--resume", "killed")
    assert again.returncode == 2
    assert "complete" in again.stderr


def test_a_terminal_shows_bars_and_time_left(tiny, tmp_path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "substrate", "run", tiny, "--out", "here", "--seeds", "0"],
        cwd=tmp_path,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "140"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert process.wait(timeout=600) == 0
    text = shown.decode()
    for word in ("all arms", "clean_danp", "epoch ", "test accuracy", "━", "0:00:00 left"):
        assert word in text


BAD = {
    "unknown key": ("seeds: [0, 1]", "sedes: [0, 1]", 27, "sedes", "seeds"),
    "wrong type": ("epochs: 2", "epochs: two", 4, "training.epochs", "two"),
    "unknown preset": ("IdealizedPreset", "IdealisedPreset", 11, "preset", "IdealizedPreset"),
    "unknown rule": ("rule: bp", "rule: bpp", 21, "rule", "bp"),
    "negative rate": ("learning_rate: 0.05", "learning_rate: -0.05", 26, "learning_rate", "-0.05"),
    "unknown data": ("network:", "data: {name: digit}\nnetwork:", 5, "data.name", "digits"),
    "malformed": ("layers: [8]", "layers: [8", 0, "", ""),
    "python tag": ("layers: [8]", "layers: !!python/object/apply:os.getcwd []", 6, "", "python"),
    "rule beyond the chip": ("rule: danp", "rule: bp", 13, "rule", "transposed_read"),
    "twice": ("epochs: 2", "epochs: 2\n  epochs: 3", 5, "epochs", ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("command", ["run", "check"])
def test_bad_input_is_one_message_and_leaves_nothing(substrate_here, tiny, tmp_path, kind, command):
    good, bad, line, field, word = BAD[kind]
    text = tiny.read_text()
    assert text.count(good) >= 1
    tiny.write_text(text.replace(good, bad, 1))
    shown = substrate_here(command, tiny)
    assert shown.returncode == 2
    assert "Traceback" not in shown.stderr
    assert shown.stderr.startswith("error: ")
    assert f"tiny.yaml:{line or ''}" in shown.stderr
    assert field in shown.stderr
    assert word in shown.stderr
    assert list(tmp_path.iterdir()) == [tiny]


def test_a_refused_rule_names_those_that_would_work(substrate_here, tiny):
    shown = substrate_here("check", tiny, "--set", "arms.crossbar.learning.rule=dnp")
    assert shown.returncode == 2
    assert "'inject'" in shown.stderr
    assert "danp" in shown.stderr
    assert "--set arms.crossbar.learning.rule=dnp" in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["run", "nowhere.yaml"], "nowhere.yaml"),
        (["run", "tiny.yml"], "tiny.yaml"),
        (["run", "tiny.yaml", "--device", "tpu"], "tpu"),
        (["run", "tiny.yaml", "--seeds", "one"], "one"),
        (["run", "tiny.yaml", "--set", "training.batch_size=100000"], "1437"),
        (["list", "device"], "devices"),
    ],
)
def test_bad_arguments_are_one_message(substrate_here, tiny, tmp_path, arguments, word):
    shown = substrate_here(*arguments)
    assert shown.returncode == 2
    assert "Traceback" not in shown.stderr
    assert word in shown.stderr
    assert list(tmp_path.iterdir()) == [tiny]


def test_the_shipped_main_scenario_is_what_the_issue_asks_for(substrate_here):
    shown = substrate_here("check", "crossbar_danp", "--json")
    scenario = yaml.safe_load(shown.stdout)
    arm = scenario["arms"]["crossbar"]
    assert scenario["network"]["layers"] == [128, 128]
    assert len(scenario["seeds"]) == 3
    assert arm["chip"]["preset"] == "IdealizedPreset"
    assert arm["learning"]["perturbation"]["source"] == "intrinsic"
    assert arm["learning"]["perturbation"]["baseline"] == "noisy"
    assert arm["learning"]["optimiser"]["write"] == "pulses"
