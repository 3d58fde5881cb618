"""A chip on a bench in a scenario: what is checked, how it is opened, the model in its place."""

import gc
import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
import yaml

from devices.bench import ArraySize
from devices.crossbars.base import Worn
from devices.crossbars.bench import BenchCrossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.native.mock import MockCrossbar
from devices.crossbars.open_bench import smallest
from devices.crossbars.tiled import TiledCrossbar
from devices.interface import LayerShape
from substrate.assemble.bench import BenchBusy, _without_room, check_room, open_bench
from substrate.assemble.crossbar import build_crossbar
from substrate.assemble.dataset import checked_dataset
from substrate.assemble.parameters import device_in_words
from substrate.assemble.resumable import without_state
from substrate.new.write import write_new
from substrate.scenario.load import load_scenario, resolved
from substrate.scenario.schema import Arm, BenchChip, MockChip, Scenario
from substrate.scenario.schema.chips import chip_title
from substrate.scenario.source import ScenarioError

Run = Callable[..., CompletedProcess[str]]

MODEL = {
    "device": {"update": {"dw_min": 0.0125}, "conductance": {"read_noise": 0.0}},
    "noise": [{"model": "gaussian", "at": "output", "std": 0.02}],
}


@pytest.fixture
def folder(working_folder: Path) -> Path:
    write_new("bench", "ProbeStation", working_folder)
    (working_folder / "probe_station.model.yaml").write_text(yaml.safe_dump(MODEL))
    return working_folder


def scenario_file(
    folder: Path, chip: dict[str, object], rule: str = "danp", **more: object
) -> Path:
    bench = {"bench": "probe_station.py:ProbeStation"}
    learning = {"rule": rule, "optimiser": {"name": "sgd", "learning_rate": 0.05}}
    ideal = {"rule": "bp", "optimiser": {"learning_rate": 0.003}}
    path = folder / "scenario.yaml"
    scenario = {
        "name": "station",
        "network": {"layers": [16]},
        "training": {"epochs": 1, "batch_size": 100},
        "arms": {"mine": {"chip": bench | chip, "learning": learning}},
        "baselines": {"clean": {"learning": ideal}},
        "seeds": [0],
    }
    path.write_text(yaml.safe_dump(scenario | more))
    return path


def loaded(path: Path) -> Scenario:
    return load_scenario(path)[0]


def bench_chip(scenario: Scenario) -> BenchChip:
    chip = scenario.arms["mine"].chip
    assert isinstance(chip, BenchChip)
    return chip


def test_a_resolved_scenario_says_what_the_bench_can(folder: Path) -> None:
    scenario = loaded(scenario_file(folder, {"sample": "die 7"}))
    chip = bench_chip(scenario)
    assert chip.bench == f"{folder}/probe_station.py:ProbeStation"
    assert (chip.max_rows, chip.max_columns) == (64, 32)
    assert chip.inject
    assert chip.transposed_read
    assert chip.settings == {"address": "simulated", "temperature": 295.0}
    assert chip_title(chip) == "probe station, die 7"
    again = folder / "again.yaml"
    again.write_text(resolved(scenario))
    assert loaded(again) == scenario
    device = device_in_words(chip)
    assert device is not None
    told = {each.name: each.value for each in device.parameters}
    assert told["arrays"] == "1 of 64 × 32, 1 of 32 × 16 (rows × columns)"
    assert told["settings.temperature"] == "295"


@pytest.mark.parametrize(
    ("chip", "message"),
    [
        ({"bench": "probe_station.py:ProbStation"}, "did you mean 'ProbeStation'"),
        ({"bench": "probe_station.py:_Instruments"}, "is no bench; derive it from devices.bench"),
        ({"settings": {"adress": "x"}}, "settings.adress: .*did you mean 'address'"),
        ({"settings": {"temperature": -3}}, "settings.temperature: .*greater than 0"),
        ({"noise": [{"model": "gaussian", "at": "output", "std": 0.1}]}, "has its own noise"),
        ({"mock": "maybe"}, "mock"),
        ({"preset": "generic"}, "unknown key"),
        (
            {"mock": True, "model": "elsewhere.yaml"},
            "there is no model .*elsewhere.yaml; `substrate",
        ),
        ({"mock": True, "conductance": {"read_noise": -1}}, "read_noise"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, chip: dict[str, object], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        loaded(scenario_file(folder, chip))


def test_a_bench_that_is_read_forwards_alone_refuses_backpropagation(folder: Path) -> None:
    path = folder / "probe_station.py"
    start, end = "    def read_transposed", "    def metrics"
    before, rest = path.read_text().split(start)
    path.write_text(before + end + rest.split(end)[1])
    with pytest.raises(ScenarioError, match="capability 'transposed_read'"):
        loaded(scenario_file(folder, {}, rule="bp"))
    with pytest.raises(ScenarioError, match="ProbeStation has no read_transposed"):
        loaded(scenario_file(folder, {"transposed_read": True}, rule="bp"))


def test_check_runs_no_driver_and_assumes_what_it_cannot_know(
    folder: Path, substrate_here: Run
) -> None:
    path = scenario_file(folder, {}, rule="bp")
    station = folder / "probe_station.py"
    station.write_text("raise SystemExit('was run')\n" + station.read_text())
    done = substrate_here("check", path)
    assert done.returncode == 0, done.stderr
    assert "probe_station.py:ProbeStation" in done.stdout + done.stderr


def test_a_network_that_needs_more_arrays_is_refused_before_anything_runs(folder: Path) -> None:
    scenario, source = load_scenario(scenario_file(folder, {}, network={"layers": [16, 16]}))
    dataset = checked_dataset(scenario, source)
    with pytest.raises(ScenarioError, match=r"no array left for the weights of layer 3, 16 → 10"):
        check_room(scenario, dataset, source)
    check_room(loaded(scenario_file(folder, {})), dataset, source)


def test_a_bench_is_driven_by_one_training_at_a_time(folder: Path) -> None:
    chip = bench_chip(loaded(scenario_file(folder, {})))
    first = open_bench(chip)
    with pytest.raises(BenchBusy, match="in use in this process"):
        open_bench(chip)
    child = os.fork()
    if child == 0:  # a process that inherits nothing but the files
        from substrate.assemble import bench as fresh

        fresh._open.clear()
        try:
            open_bench(chip)
        except BenchBusy as problem:
            os._exit(7 if "another process" in str(problem) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    warmer = chip.model_copy(update={"settings": {**chip.settings, "temperature": 300.0}})
    with pytest.raises(BenchBusy):
        open_bench(warmer)
    (folder / "copy").mkdir()
    (folder / "copy" / "probe_station.py").write_text((folder / "probe_station.py").read_text())
    copied = f"{folder / 'copy' / 'probe_station.py'}:ProbeStation"
    with pytest.raises(BenchBusy):  # the same instrument by another user's copy of the driver
        open_bench(chip.model_copy(update={"bench": copied}))
    elsewhere = chip.model_copy(update={"settings": {**chip.settings, "address": "another"}})
    assert open_bench(elsewhere) is not first
    del first
    gc.collect()
    open_bench(chip)


def test_what_cannot_be_saved_is_said_beforehand(folder: Path) -> None:
    (said,) = without_state(loaded(scenario_file(folder, {})))
    assert said == "ProbeStation of arm mine has no state() and restore()"


def test_a_model_stands_for_the_bench(folder: Path) -> None:
    scenario = loaded(scenario_file(folder, {"mock": True, "update": {"cycle_spread": 0.5}}))
    chip = scenario.arms["mine"].chip
    assert isinstance(chip, MockChip)
    assert chip.update.dw_min == 0.0125
    assert chip.update.cycle_spread == 0.5
    assert chip.noise[0].at == "output"
    assert (chip.max_rows, chip.max_columns, chip.transposed_read) == (64, 32, True)
    assert chip.largest_input == 4.0
    assert chip_title(chip) == "model of probe station"
    assert chip.model == str(folder / "probe_station.model.yaml")
    device = device_in_words(chip)
    assert device is not None
    assert "fitted to probe station" in device.source
    again = folder / "again.yaml"
    again.write_text(resolved(scenario))
    assert loaded(again) == scenario
    crossbar = build_crossbar(chip, LayerShape(4, 5), 0, "layer 1", torch.device("cpu"))
    assert type(crossbar) is MockCrossbar  # its pulses come cell by cell, as the bench's do
    real = bench_chip(loaded(scenario_file(folder, {})))
    beside = build_crossbar(
        real, LayerShape(4, 5), 0, "layer 1", torch.device("cpu"), bench=open_bench(real)
    )
    assert isinstance(beside, Worn)
    # so that the digital periphery is charged alike for the products that it forms
    assert crossbar.wear.forms_products
    assert beside.wear.forms_products


def test_a_bench_trains_digits_and_its_metrics_are_in_the_record(
    folder: Path, substrate_here: Run
) -> None:
    path = scenario_file(folder, {"settings": {"temperature": 77.0}})
    done = substrate_here("run", path, "--out", "run", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    assert "ProbeStation of arm mine has no state()" in done.stdout
    rows = [json.loads(row) for row in (folder / "run/metrics.jsonl").read_text().splitlines()]
    mine = [row for row in rows if row["arm"] == "mine"]
    assert [row["reported"]["temperature (K)"] for row in mine] == [77.0] * 2
    assert mine[1]["reported"]["driver call p99 (ms)"] > 0
    assert "reported" not in rows[-1]
    summary = json.loads((folder / "run/summary.json").read_text())
    assert summary["arms"]["mine"]["reproducibility"] == "statistical"
    told = summary["arms"]["mine"]["reported"]
    assert told["temperature (K)"] == {"last": 77.0, "lowest": 77.0, "highest": 77.0}
    assert told["driver call p50 (ms)"]["last"] <= told["driver call p99 (ms)"]["last"]
    assert told["to driver (MB)"]["last"] > 0.1
    assert 0 < told["time in driver (%)"]["last"] <= 100
    assert "reported" not in summary["arms"]["clean"]
    assert "mine: the driver reported temperature (K) 77" in " ".join(done.stdout.split())
    assert "From the bench" in (folder / "run/report.html").read_text()
    assert mine[1]["test_loss"] < mine[0]["test_loss"]
    # a bench is trained anew by every run, and the baseline taken from the store
    again = substrate_here("run", path, "--out", "again", "--jobs", 1)
    assert "mine  seed 0  done before" not in again.stdout
    assert "clean  seed 0  done before" in again.stdout


def test_units_of_one_bench_side_by_side_wait_for_each_other(folder: Path, substrate: Run) -> None:
    path = scenario_file(folder, {}, seeds=[0, 1])
    done = substrate("run", path, "--out", "run", "--jobs", 2)
    assert done.returncode == 0, done.stderr
    assert not list((folder / "run").glob("failed-*"))


def test_a_driver_that_fails_ends_its_arm_with_a_log(folder: Path, substrate_here: Run) -> None:
    station = folder / "probe_station.py"
    broken = "raise ConnectionError('the stage does not answer')"
    station.write_text(
        station.read_text().replace("return self._instruments.currents(array, x)", broken)
    )
    done = substrate_here("run", scenario_file(folder, {}), "--out", "run", "--jobs", 1)
    assert "the stage does not answer" in (folder / "run/failed-mine-0.log").read_text()
    assert "the stage does not answer" in done.stdout


def test_a_bench_crossbar_is_built_from_a_scenario(folder: Path) -> None:
    chip = bench_chip(loaded(scenario_file(folder, {})))
    opened = open_bench(chip)
    shape = LayerShape(10, 16)
    crossbar = build_crossbar(chip, shape, 0, "layer 1", torch.device("cpu"), bench=opened)
    assert isinstance(crossbar, BenchCrossbar)
    assert crossbar.shape == (10, 16)


@pytest.mark.parametrize("turned", [False, True])
def test_the_check_takes_arrays_in_the_order_in_which_they_are_built(turned):
    """Arrays of several sizes are used up differently by the same tiles in another order."""
    sizes = [(4, 4), (4, 5), (3, 10), (1, 2)]
    arrays = [ArraySize(*((b, a) if turned else (a, b))) for a, b in sizes]
    n_out, n_in = (5, 6) if turned else (6, 5)
    free = list(range(len(arrays)))

    def make(columns: int, rows: int, _: str) -> IdealCrossbar:
        number = smallest(arrays, free, columns, rows)
        if number is None:
            raise LookupError
        free.remove(number)
        return IdealCrossbar(columns, rows, torch.device("cpu"))

    try:
        TiledCrossbar(n_out, n_in, 4, 4, make)
        built = True
    except LookupError:
        built = False
    settings = ("danp", {"name": "sgd", "learning_rate": 0.1})
    arm = Arm.model_validate({"learning": dict(zip(("rule", "optimiser"), settings, strict=True))})
    chip = BenchChip.model_construct(max_columns=4, max_rows=4)
    lacks = _without_room(arm, chip, [LayerShape(n_out, n_in)], arrays)
    assert (lacks is None) == built
