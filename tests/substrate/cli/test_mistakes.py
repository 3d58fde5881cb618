"""A user's mistakes: each ends in one line that says what is meant, with status 2, writing nothing.

The folder that they are made in has a scenario `tiny.yaml`, a study, a file `notes.txt`, an empty
one, and `runs/first`, a run that was stopped.
"""

from __future__ import annotations

from pathlib import Path

import pytest

MISTAKES = [
    # names
    ("check tny.yaml", "tny.yaml: no such file; did you mean tiny.yaml?"),
    ("check crosbar_danp", "crosbar_danp: no such file; did you mean crossbar_danp?"),
    ("study noise_by_bit", "noise_by_bit: no such file; did you mean noise_by_bits?"),
    (
        "check tiny.yaml --set arms.crosbar.chip.preset=EcRamPreset",
        "arms.crosbar.chip.preset: the scenario has no such arm (found 'crosbar'); did you mean"
        " 'crossbar'?",
    ),
    ("check tiny.yaml --budget shrt", "budgets: no such budget (found 'shrt'); known are full"),
    ("serve tiny.yaml --arm crosbar", "--arm: the scenario has no such arm (found 'crosbar'); did"),
    # files and folders
    ("check runs", "runs: this is a folder, not a scenario file"),
    ("check empty.yaml", "empty.yaml: the file is empty"),
    ("report runs/frst", "runs/frst: no such folder; did you mean runs/first?"),
    (
        "report runs/first runs/other",
        "runs/first: there is no summary.json yet; substrate run --re",
    ),
    (
        "report runs",
        "runs: is no run folder: it has no summary.json; it holds 1, such as runs/first",
    ),
    ("report notes.txt", "notes.txt: this is a file, not a run folder"),
    (
        "report runs/first/scenario.yaml",
        "runs/first/scenario.yaml: this is a file, not a run folder; did you mean runs/first?",
    ),
    ("run --resume runs/frst", "--resume runs/frst: no such folder; did you mean runs/first?"),
    ("run --resume notes.txt", "--resume notes.txt: this is a file, not a run folder"),
    (
        "run --resume runs",
        "--resume runs: is no run folder: it has no scenario.yaml; it holds 1, s",
    ),
    ("watch runz", "runz: is no folder, and no address; did you mean runs?"),
    ("watch zzz", "zzz: is no folder, and no address; a run folder, or a served chip's host:port"),
    ("run tiny.yaml --out notes.txt", "--out notes.txt: this is a file, not a folder"),
    ("run tiny.yaml --out notes.txt/a", "--out notes.txt/a: notes.txt is a file, not a folder"),
    ("run tiny.yaml --out runs", "--out runs: is not an empty folder"),
    ("tune tiny.yaml --out runs", "--out runs: is not an empty folder"),
    ("align tiny.yaml --out runs", "--out runs: is not an empty folder"),
    ("tune tiny.yaml --out notes.txt", "--out notes.txt: this is a file, not a folder"),
    ("align tiny.yaml --out notes.txt", "--out notes.txt: this is a file, not a folder"),
    ("show gaussian --out rns/a.png", "--out rns/a.png: no such folder rns; did you mean runs?"),
    ("show gaussian --out runs", "--out runs: this is a folder; name a file in it"),
    ("fit notes.txt --out runs", "--out runs: this is a folder; name a file in it"),
    ("fit-device notes.txt --out x/a.png", "--out x/a.png: no such folder x"),
    ("replicate --page-only --runs notes.txt", "--runs notes.txt: this is a file, not a folder"),
    ("replicate --page-only --page runs", "--page runs: this is a folder; name a file in it"),
    ("bench scaling --out notes.txt", "--out notes.txt: this is a file, not a folder"),
    ("run study.yaml", "study.yaml:1: this is a study, not a scenario; substrate study study.yaml"),
    ("study tiny.yaml", "tiny.yaml:1: this is a scenario, not a study; substrate run tiny.yaml"),
    ("run tiny.yaml --seeds 0,0", "--set seeds=[0,0]: seeds: a seed stands twice; every run"),
    ("run tiny.yaml --cluster a", "--cluster: names no cluster (found 'a'); dask://host:port"),
    ("fit runs", "runs is a folder; name a file in it"),
    ("tune tiny.yaml --start nan", "--start: must be greater than 0 (found nan)"),
    (
        "show native --set conductance.read_nois=1",
        "conductance.read_nois: unknown key (found 'read_nois'); did you mean 'read_noise'?",
    ),
    ("show native --set conductance.read_noise=0,5", "(found '0,5'); a decimal has a point: 0.5"),
    (
        "show EcRamPreset --set config.forward.out_nois=1",
        "config.forward.out_nois: PresetIOParameters has no such field (found 'out_nois'); did you",
    ),
    # options and arguments
    ("rn tiny.yaml", "no such command 'rn'. Did you mean 'run'?; `substrate --help` says more"),
    ("run", "name a scenario, or --resume a run folder; `substrate run --help` says more"),
    ("run tiny.yaml more", "got unexpected extra argument(s) (more); `substrate run --help`"),
    (
        "run tiny.yaml --sed 1",
        "no such option: --sed (Possible options: --isolated, --seeds, --set",
    ),
    ("run tiny.yaml --jobs x", "--jobs: must be a valid integer, unable to parse string as an"),
    ("run tiny.yaml --jobs 0", "--jobs: must be greater than or equal to 1 (found '0')"),
    ("run tiny.yaml --out", "option '--out' requires an argument"),
    ("check", "missing argument 'SCENARIO'; `substrate check --help` says more"),
    ("fit notes.txt --sampling-rate 1,5", "(found '1,5'); a decimal has a point: 1.5"),
    (
        "fit notes.txt --missing drp",
        "--missing: 'drp' is not one of 'refuse', 'drop' (found 'drp')",
    ),
    ("store prune", "say what to remove: --older-than 30d, or --keep 5G; `substrate store prune"),
]


@pytest.fixture
def folder(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tiny.parent)
    (tiny.parent / "notes.txt").write_text("no numbers here\n")
    (tiny.parent / "empty.yaml").touch()
    (tiny.parent / "study.yaml").write_text("name: a\nscenario: tiny.yaml\naxes: {}\n")
    run = tiny.parent / "runs" / "first"
    run.mkdir(parents=True)
    (run / "scenario.yaml").write_text(tiny.read_text())
    return tiny.parent


@pytest.mark.parametrize(("command", "said"), MISTAKES)
def test_a_mistake_is_told_in_one_line(folder: Path, substrate_here, command: str, said: str):
    before = sorted(folder.rglob("*"))
    done = substrate_here(*command.split())
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert sorted(folder.rglob("*")) == before


def test_no_command_shows_the_help_and_is_no_success(substrate_here):
    for words in ([], ["store"]):
        done = substrate_here(*words)
        assert done.returncode == 2
        assert "Usage: substrate" in done.stdout + done.stderr
        assert "error" not in done.stderr
