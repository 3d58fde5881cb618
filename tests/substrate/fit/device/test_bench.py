"""A bench that measures itself: the figures of a known one are found again."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import ClassVar

import numpy as np
import pytest
import torch
import yaml
from pydantic import BaseModel

from devices.bench import ArraySize, Bench
from devices.crossbars.bench import crossbar_on
from devices.crossbars.native.mock import MockCrossbar
from devices.crossbars.open_bench import OpenBench
from devices.noise.base import NoiseSource
from devices.noise.gaussian import GaussianNoise
from substrate.fit.device.bench import BenchMeasured, complete, measure_bench, model_of
from substrate.fit.device.data import read_devices
from substrate.fit.device.fit import DeviceFit, fit_device
from substrate.fit.device.layout import Asked
from substrate.new.write import write_new
from substrate.scenario.schema import NativeChip

Run = Callable[..., CompletedProcess[str]]

COLUMN, CELL, PROGRAMMING, STEP, SPREAD = 0.03, 0.015, 0.02, 0.025, 0.4


class Known(Bench):
    """Soft steps of a known size, with noise at the columns and of every cell."""

    title: ClassVar[str] = "known"
    arrays = (ArraySize(rows=16, columns=8),)
    step = STEP
    column = COLUMN

    class Settings(BaseModel, extra="forbid", frozen=True):
        """None."""

    def open(self) -> None:
        self.random = np.random.default_rng(3)
        self.cells = np.zeros((8, 16))

    def read(self, array: int, x: np.ndarray) -> np.ndarray:
        a = x @ self.cells.T
        a += CELL * np.linalg.norm(x, axis=1, keepdims=True) * self.random.normal(size=a.shape)
        return a + self.column * self.random.normal(size=a.shape)

    def program(self, array: int, weights: np.ndarray) -> None:
        self.cells = weights + PROGRAMMING * self.random.normal(size=weights.shape)

    def update(self, array: int, change: np.ndarray) -> None:
        for _ in range(int(np.abs(np.rint(change / STEP)).max())):
            spread = 1 + SPREAD * self.random.normal(size=change.shape)
            self.cells = (self.cells + STEP * np.sign(change) * spread).clip(-1, 1)


class Weakly(Known):
    """Driven a tenth as far, with noise at the columns a tenth as large."""

    largest_input = 0.1
    column = COLUMN / 10


def fitted(bench: Bench, folder: Path) -> tuple[BenchMeasured, DeviceFit, dict[str, object]]:
    measured = measure_bench(OpenBench(bench))
    table = folder / "pulses.csv"
    table.write_text(measured.table)
    fit = fit_device(read_devices([table], Asked()))
    complete(fit, measured)
    return measured, fit, model_of(measured, fit)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[DeviceFit, dict[str, object]]:
    folder = tmp_path_factory.mktemp("bench")
    measured, fit, model = fitted(Known(Known.Settings()), folder)
    assert measured.column_noise == pytest.approx(COLUMN, rel=0.1)
    assert measured.cell_noise == pytest.approx(CELL, rel=0.15)
    assert measured.programming_error == pytest.approx(PROGRAMMING, rel=0.15)
    return fit, model


def test_the_steps_of_the_bench_are_found_again(found: tuple[DeviceFit, dict[str, object]]) -> None:
    update = found[0].settings["update"]
    assert update["dw_min"] == pytest.approx(STEP, rel=0.05)
    assert update["cycle_spread"] == pytest.approx(SPREAD, rel=0.15)
    assert update["write_noise"] < 0.5  # what the reads scatter by is taken out
    assert found[0].verdicts == {"response": "good"}


def test_the_model_has_the_noise_of_reads_and_of_programming(
    found: tuple[DeviceFit, dict[str, object]],
) -> None:
    chip = NativeChip.model_validate({"crossbar": "native", **found[1]})
    reads = chip.conductance
    share = 2**0.5 * reads.w_range / (1 - reads.g_min / reads.g_max)
    assert reads.read_noise * share == pytest.approx(CELL, rel=0.15)
    assert reads.programming_error[0] * share == pytest.approx(PROGRAMMING, rel=0.15)
    assert chip.noise[0].model == "gaussian"
    assert chip.input_converter.exact


def test_a_bench_of_small_drives_is_as_noisy_as_its_model(tmp_path: Path) -> None:
    measured, fit, model = fitted(Weakly(Weakly.Settings()), tmp_path)
    assert measured.column_noise == pytest.approx(COLUMN / 10, rel=0.1)
    assert fit.settings["update"]["write_noise"] < 0.5  # reads at a tenth scatter, and not writes
    chip = NativeChip.model_validate({"crossbar": "native", **model})
    bench = crossbar_on(OpenBench(Weakly(Weakly.Settings())), 8, 16, torch.device("cpu"))
    noise = GaussianNoise.model_validate({"std": chip.noise[0].std})
    mock = MockCrossbar(
        *(8, 16, chip.device, lambda _: torch.Generator().manual_seed(0), torch.device("cpu")),
        *(None, None, NoiseSource(noise, torch.Generator().manual_seed(1))),
        largest_input=Weakly.largest_input,
        pulses_outer=False,
    )
    inputs = torch.linspace(-1, 1, 16) * torch.tensor([[0.05], [1.0], [4.0]])
    ours, theirs = (
        each.read(inputs, 2000).view(2000, 3, 8).std(0).mean(1) for each in (mock, bench)
    )
    assert theirs[1] == pytest.approx(math.hypot(COLUMN, CELL * float(inputs[1].norm())), rel=0.05)
    torch.testing.assert_close(ours, theirs, rtol=0.15, atol=0)


def test_the_command_writes_a_model_that_a_scenario_takes(
    working_folder: Path, substrate_here: Run
) -> None:
    write_new("bench", "ProbeStation", working_folder)
    bench = "probe_station.py:ProbeStation"
    done = substrate_here("fit-device", "--bench", bench, "--set", "temperature=4", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["model"] == str(working_folder / "probe_station.model.yaml")
    model = yaml.safe_load(Path(told["model"]).read_text())
    assert model["settings"]["temperature"] == 4.0
    assert model["device"]["update"]["dw_min"] == pytest.approx(0.01, rel=0.1)
    assert model["noise"][0]["std"] == pytest.approx(0.02, rel=0.1)
    written = {path: path.read_bytes() for path in working_folder.glob("probe_station*")}
    again = substrate_here("fit-device", "--bench", bench)
    assert again.returncode == 2
    assert "is already there, and is not overwritten" in " ".join(again.stderr.split())
    assert {path: path.read_bytes() for path in working_folder.glob("probe_station*")} == written
    chip = {"bench": bench, "mock": True}
    scenario = {
        "name": "mock",
        "arms": {
            "mine": {
                "chip": chip,
                "learning": {"rule": "danp", "optimiser": {"learning_rate": 0.1}},
            }
        },
        "baselines": {"clean": {"learning": {"rule": "bp", "optimiser": {"learning_rate": 0.1}}}},
    }
    (working_folder / "mock.yaml").write_text(yaml.safe_dump(scenario))
    assert substrate_here("check", "mock.yaml").returncode == 0


def test_files_or_a_bench_are_wanted_and_not_both(substrate_here: Run) -> None:
    assert substrate_here("fit-device").returncode == 2
    assert substrate_here("fit-device", "a.csv", "--bench", "b.py:B").returncode == 2
