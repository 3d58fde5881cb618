"""The examples of benches: drivers against the simulated instrument, and digits trained through it.

They need the extras `bench` and `qcodes`; what is not installed is skipped.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from substrate.plugins import Trust, load_object, trusting
from substrate.verify import BenchConformance, run_checks

EXAMPLES = Path(__file__).parents[2] / "examples"
PACKAGES = {"scpi_bench.py:ScpiBench": "pyvisa_sim", "qcodes_bench.py:QcodesBench": "qcodes"}


def example(name: str) -> Any:
    pytest.importorskip("pyvisa_sim", reason="the extra `bench` is not installed")
    pytest.importorskip(PACKAGES[name], reason=f"{PACKAGES[name]} is not installed")
    with trusting(Trust.EVERYTHING):
        return load_object(name, EXAMPLES)


@pytest.fixture
def bench() -> Iterator[Any]:
    made = example("scpi_bench.py:ScpiBench")
    made = made(made.Settings())
    made.open()
    yield made
    made.close()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_bench_passes_the_kit(name: str) -> None:
    kit: Any = type("Kit", (BenchConformance,), {"model": example(name)})()
    outcomes = list(run_checks(kit))
    assert [each for each in outcomes if each.result == "failed"] == []
    assert sum(each.result == "passed" for each in outcomes) >= 12


def test_the_driver_converts_between_the_network_and_the_instrument(bench: Any) -> None:
    weights = np.zeros((16, 64))
    weights[3, 5] = 0.8
    bench.program(0, weights)
    x = np.zeros((200, 64))
    x[:, 5] = 2.0
    a = bench.read(0, x)
    assert a.shape == (200, 16)
    assert abs(a[:, 3].mean() - 1.6) < 0.1  # 0.4 µS of writing, twice 0.03 of a mean of 200
    assert abs(a[:, 4].mean()) < 0.02
    assert 0.02 < a[:, 4].std() < 0.04  # 0.15 µA


def test_what_the_instrument_refuses_is_an_error_that_names_the_command(bench: Any) -> None:
    with pytest.raises(ConnectionError, match=r"-222.*out of range"):
        bench.read(0, np.full((1, 64), 40.0))
    with pytest.raises(ConnectionError, match=r"-113.*Undefined header"):
        bench._tell("ARR7:WRIT 1,2,3")
    assert bench.read(0, np.zeros((2, 64))).shape == (2, 16)  # and goes on


def test_another_instrument_than_the_driver_expects_is_refused() -> None:
    kind = example("scpi_bench.py:ScpiBench")

    class Other(kind):
        arrays = kind.arrays[:1]

    with pytest.raises(ConnectionError, match=r"has arrays of 64x16,16x10, and not 64x16"):
        Other(kind.Settings()).open()


def test_digits_are_trained_through_the_simulated_instrument(tmp_path: Path) -> None:
    example("scpi_bench.py:ScpiBench")
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("runs", "__pycache__"))
    command = ["run", "digits.yaml", "--out", "run", "--jobs", "1", "--set", "training.epochs=2"]
    done = subprocess.run(
        [sys.executable, "-m", "substrate", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(row) for row in (folder / "run/metrics.jsonl").read_text().splitlines()]
    first, *_, last = [row for row in rows if row["arm"] == "transposed"]
    assert last["train_accuracy"] > 0.25  # of ten classes
    assert last["test_loss"] < first["test_loss"] - 0.1
    assert 290 < last["reported"]["temperature (K)"] < 300
