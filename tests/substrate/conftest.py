"""A scenario that runs in a second, and the command line as a user calls it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TINY = """\
name: tiny
title: A scenario for tests
training:
  epochs: 2
network:
  layers: [8]
arms:
  crossbar:
    chip:
      crossbar: aihwkit
      preset: IdealizedPreset
    learning:
      rule: danp
      optimiser:
        name: sgd
        learning_rate: 0.1
        write: pulses
baselines:
  backpropagation:
    learning:
      rule: bp
      optimiser: {name: adam, learning_rate: 0.003}
  clean_danp:
    learning:
      rule: danp
      optimiser: {learning_rate: 0.05}
seeds: [0, 1]
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`tmp_path`, and the working folder as well: code in it may be run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def substrate(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in `tmp_path`."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "substrate", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run


@pytest.fixture
def substrate_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """As `substrate`, without the seconds that a process of its own takes to import torch."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        from substrate.cli.main import main

        words = [str(argument) for argument in arguments]
        monkeypatch.setattr(sys, "argv", ["substrate", *words])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return subprocess.CompletedProcess(words, end.value.code or 0, shown.out, shown.err)

    return run
