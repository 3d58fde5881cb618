"""Mutated data files: each is understood, or refused in one line that names it.

    python -m tests.torture.data_files --count 1000 --seed 0

Every format that the package reads: .npz, .mat, folders of images, Tiny ImageNet's layout, MNIST's
files, covariances, and traces for noise and for `substrate fit`. A mutation follows from the seed
and its number; `--only N --keep FOLDER` writes one and says what comes of it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import yaml
from PIL import Image

from tests.torture.data_formats import FORMATS
from tests.torture.spoiling import damaged
from tests.torture.workers import Try, memory, place, reset_peak, tell_short, torture

SECONDS = 20
MOST_MEMORY = 600 << 20
"""Bytes that one file of some kilobytes may take beyond what was there."""

_SCENARIO: dict[str, Any] = {
    "name": "torture",
    "network": {"layers": [3]},
    "training": {"epochs": 1, "batch_size": 2, "loss": "mean_squared_error"},
    "arms": {"ideal": {"learning": {"rule": "anp", "optimiser": {"learning_rate": 0.01}}}},
    "baselines": {
        "backpropagation": {"learning": {"rule": "bp", "optimiser": {"learning_rate": 0.01}}}
    },
}


def write(seed: int, number: int, folder: Path) -> tuple[str, Path, Path | None]:
    """Write one mutation; gives its format, a scenario of it, and the trace if it is one."""
    rng = random.Random(f"{seed}:{number}")
    kind = rng.choice(list(FORMATS))
    named = FORMATS[kind](rng, folder)
    file = Path(str(named.get("path") or named.get("train_file") or named.get("covariance")))
    if file.is_file() and rng.random() < 0.5:
        file.write_bytes(damaged(rng, file.read_bytes()))
    if file.is_file() and rng.random() < 0.03:
        file.unlink()
        rng.choice([os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])(file)
    scenario = dict(_SCENARIO)
    if kind == "trace":
        chip = {"crossbar": "native", "noise": [named]}
        scenario |= {"data": {"name": "digits"}}
        learning = scenario["arms"]["ideal"]["learning"]
        intrinsic = {"perturbation": {"source": "intrinsic", "baseline": "noisy"}}
        scenario["arms"] = {"noisy": {"chip": chip, "learning": learning | intrinsic}}
    else:
        scenario["data"] = named
    path = folder / "torture.yaml"
    path.write_text(yaml.safe_dump(scenario))
    return kind, path, file if kind == "trace" else None


def outcome(scenario: Path, trace: Path | None) -> str:
    """`valid`, `refused`, or in words what fell short."""
    reset_peak()
    before = memory("VmRSS")
    try:
        ends = {_end(["check", scenario])}
        if trace is None:
            ends.add(_loaded(scenario))
        else:
            out = scenario.with_name("fit.png")
            ends.add(_end(["fit", trace, "--sampling-rate", "1e6", "--out", out]))
    except Exception as problem:
        return f"{type(problem).__name__}: {str(problem)[:200]!r} at {place(problem)}"
    wrong = ends - {"valid", "refused"}
    if wrong:
        return " and ".join(sorted(wrong))
    taken = memory("VmHWM") - before
    if taken > MOST_MEMORY:
        return f"takes {taken / 1e6:,.0f} MB"
    return "refused" if "refused" in ends else "valid"


def _loaded(path: Path) -> str:
    from substrate.assemble.dataset import checked_dataset
    from substrate.scenario.load import load_scenario
    from substrate.scenario.source import ScenarioError
    from substrate.text import one_line

    try:
        with contextlib.redirect_stderr(io.StringIO()):
            dataset = checked_dataset(*load_scenario(path))
    except ScenarioError as problem:
        return _refusal(f"error: {one_line(str(problem))}\n")
    for x in (dataset.x_train, dataset.x_test):
        if not x.isfinite().all():
            return "understood, with inputs that are no numbers"
    return "valid"


def _end(words: list[object]) -> str:
    from substrate.cli.main import main

    errors = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["substrate", *map(str, words)]),
        mock.patch("substrate.cli.fit._picture", return_value=b"drawn"),
        contextlib.redirect_stderr(errors),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        try:
            main()
        except SystemExit as exit:
            if exit.code not in (0, None):
                said = _refusal(errors.getvalue())
                return said if exit.code == 2 else f"status {exit.code}: {errors.getvalue()}"
    return "valid"


def _refusal(said: str) -> str:
    lines = said.splitlines()
    if len(lines) != 1 or not lines[0].startswith("error: "):
        return f"refused in {len(lines)} lines: {said[:300]!r}"
    if not lines[0].isprintable():
        return f"refused with control characters: {said[:300]!r}"
    if len(lines[0]) > 1500:
        return f"refused at length: {said[:300]!r}"
    return "refused"


@contextmanager
def prepared(seed: int) -> Iterator[Try]:
    """Make ready to try mutations of this seed."""
    with tempfile.TemporaryDirectory() as root:
        os.environ["SUBSTRATE_CACHE"] = str(Path(root) / "cache")

        def attempt(number: int) -> tuple[str, str]:
            folder = Path(root) / f"{number}"
            folder.mkdir()
            try:
                kind, scenario, trace = write(seed, number, folder)
                return kind, outcome(scenario, trace)
            finally:
                shutil.rmtree(folder)

        yield attempt


def _import_all() -> None:
    """Import what reading needs once, for all processes; it takes memory that is not a file's."""
    for module in ("torchvision.datasets", "scipy.io", "scipy.optimize", "pyarrow.parquet"):
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    Image.init()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.npy"
        np.save(path, np.random.default_rng(0).normal(size=120))
        _end(["fit", path, "--sampling-rate", "1e6", "--out", path.with_suffix(".png")])


def main() -> int:
    """Say what was tried and what fell short."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    _import_all()
    if options.only is not None:
        folder = options.keep or Path(tempfile.mkdtemp())
        folder.mkdir(exist_ok=True)
        kind, scenario, trace = write(options.seed, options.only, folder)
        print(f"{folder}, {kind}: {outcome(scenario, trace)}")
        return 0
    started = time.monotonic()
    by_kind, short = torture(partial(prepared, options.seed), options.count, SECONDS)
    ends: Counter[str] = sum(by_kind.values(), Counter())
    print(
        f"data files: {sum(ends.values()):,} mutations (seed {options.seed}) in"
        f" {time.monotonic() - started:.0f} s: {ends['valid']:,} understood, {ends['refused']:,}"
        f" refused in one line, {ends['short']:,} fell short"
    )
    for kind, found in sorted(by_kind.items()):
        print(f"  {kind}: {dict(sorted(found.items()))}")
    tell_short(short)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
