"""A run of seconds on devices that repeat bitwise, and how two ends of it are compared."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

SCENARIO = """\
name: torture
data: {name: npz, path: data.npz}
network: {layers: [6], activation: leaky_relu}
training: {epochs: 3, batch_size: 20}
arms:
  native:
    chip:
      crossbar: native
      preset: rasch_2019
      conductance: {read_noise: 0.02}
      noise:
        - {model: autoregressive, at: output, std: 0.05}
    learning:
      rule: danp
      decorrelation: {rate: 0.001}
      optimiser: {name: sgd, learning_rate: 0.05, write: pulses}
  hot:
    learning: {rule: anp, optimiser: {learning_rate: 1.0e+30}}
baselines:
  backpropagation:
    learning: {rule: bp, optimiser: {name: adam, learning_rate: 0.003}}
seeds: [0, 1]
"""
FILES = {
    "scenario.yaml",
    "metrics.jsonl",
    "outcomes.safetensors",
    "summary.json",
    "units.json",
    "report.html",
    "learning_curves.png",
    "observed_noise.png",
}
_TIMES = {"seconds", "wall_seconds", "started", "command"}


def write_scenario(folder: Path) -> Path:
    """Write the scenario, and beside it its data: three classes of 8 inputs."""
    draw = np.random.default_rng(0)
    y = np.arange(90) % 3
    x = draw.normal(size=(90, 8)).astype("float32")
    x[np.arange(90), y] += 2
    arrays = {"x_train": x[:60], "y_train": y[:60], "x_test": x[60:], "y_test": y[60:]}
    np.savez(folder / "data.npz", **arrays)
    path = folder / "torture.yaml"
    path.write_text(SCENARIO)
    return path


def store_of(folder: Path) -> Path:
    """The store of a run folder; each has its own, so that none takes units from another."""
    return folder.with_name(f"{folder.name}.store")


def command(*arguments: object) -> tuple[int, str]:
    """Run a folder in this process, in a store of its own.

    Gives the status and what it said of errors.
    """
    from substrate.cli.main import main

    errors = io.StringIO()
    words = ["substrate", *map(str, arguments), "--jobs", "1"]
    (folder,) = (
        Path(words[place + 1]) for place, word in enumerate(words) if word in ("--out", "--resume")
    )
    with (
        mock.patch.dict(os.environ, SUBSTRATE_STORE=str(store_of(folder))),
        mock.patch.object(sys, "argv", words),
        mock.patch("substrate.report.write_report", _write_files_of_a_report),
        mock.patch("substrate.run.unit.CHECKPOINT_SECONDS", 0.0),  # all of it takes seconds
        redirect_stderr(errors),
        redirect_stdout(io.StringIO()),
    ):
        try:
            main()
        except SystemExit as exit:
            return int(exit.code or 0), errors.getvalue()
    return 0, errors.getvalue()


def _write_files_of_a_report(folder: Path, _: object) -> None:
    """As a report is written, without the seconds that it takes to draw."""
    from substrate.files import write_atomically

    for name in ("learning_curves.png", "observed_noise.png", "report.html"):
        write_atomically(folder / name, b"drawn" * 10_000)


def end(folder: Path) -> dict[str, Any]:
    """What a run came to, to the last bit, without the times that it took."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return {
        "metrics": [_timeless(json.loads(line)) for line in lines],
        "summary": _timeless(json.loads((folder / "summary.json").read_text())),
        "scenario": (folder / "scenario.yaml").read_text(),
        "outcomes": (folder / "outcomes.safetensors").read_bytes(),
    }


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if key not in _TIMES}
    return [_timeless(each) for each in value] if isinstance(value, list) else value
