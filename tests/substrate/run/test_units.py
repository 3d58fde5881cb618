"""Units on executors: the same figures side by side, and what a worker's death or a rival costs."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from substrate.data import load_dataset
from substrate.record import RecordError
from substrate.record.metrics import Epoch
from substrate.record.unit import CHECKPOINT, ENDED, LOG, OUTCOME
from substrate.run.origin import data_checksum
from substrate.run.store import Store, is_ended
from substrate.run.unit import Result, do_unit
from substrate.run.unit_figures import read_unit
from substrate.run.unit_settings import Unit, units_of
from substrate.run.units import MOST_ATTEMPTS, run_units
from substrate.run.workers import InProcess, local_workers
from substrate.scenario.load import load_scenario
from tests.torture.runs import write_scenario

CPU = torch.device("cpu")


def unseen(unit: Unit, record: Epoch) -> None:
    pass


def units(path: Path, arm: str, *overrides: str, seeds: tuple[int, ...] = (0,)) -> list[Unit]:
    scenario, _ = load_scenario(path, overrides)
    data = data_checksum(load_dataset(scenario.data))
    return units_of(scenario, arm, list(seeds), data, CPU)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_scenario(tmp_path)


@pytest.fixture
def store(own_store: Path) -> Store:
    return Store(own_store)


def test_a_unit_is_what_its_figures_depend_on(path: Path) -> None:
    (unit,) = units(path, "native")
    for other in (
        "title=another",
        "verdict.tolerance=0.5",
        "seeds=[0, 5]",
        "baselines.backpropagation.learning.optimiser.learning_rate=0.1",
    ):
        assert units(path, "native", other) == [unit]
    changed = [
        units(path, "native", "training.epochs=4"),
        units(path, "native", "network.layers=[7]"),
        units(path, "native", "arms.native.chip.conductance.read_noise=0.03"),
        units(path, "native", "data.limit_train=50"),
        units(path, "native", seeds=(1,)),
        units(path, "backpropagation"),
    ]
    assert len({unit.key, *(each.key for (each,) in changed)}) == len(changed) + 1


def test_the_name_of_an_arm_is_not_part_of_it(path: Path, store: Store) -> None:
    (unit,) = units(path, "native")
    path.write_text(path.read_text().replace("  native:\n", "  renamed:\n"))
    (renamed,) = units(path, "renamed")
    assert renamed.key == unit.key
    list(run_units([unit], InProcess(), 1, store, unseen))
    done = read_unit(store.folder(unit.key), unit.key, "renamed")
    assert {record.arm for record in done.epochs} == {"renamed"}


def test_what_a_file_of_ones_own_imports_is_part_of_the_unit(
    path: Path, working_folder: Path
) -> None:
    (working_folder / "helper.py").write_text("POWER = 2\n")
    (working_folder / "unrelated.py").write_text("ONE = 1\n")
    mine = working_folder / "mine.py"
    mine.write_text(
        "from helper import POWER\ndef loss(output, target):\n    return (output**POWER).sum(1)\n"
    )
    own = (
        f"training.loss={mine}:loss",
        "baselines.backpropagation={learning: {rule: np, optimiser: {learning_rate: 0.01}}}",
    )
    before = units(path, "native", *own)
    (working_folder / "unrelated.py").write_text("ONE = 2\n")
    assert units(path, "native", *own) == before
    (working_folder / "helper.py").write_text("POWER = 4\n")
    assert units(path, "native", *own) != before


def figures(store: Store, each: Unit) -> list[dict]:
    rows = [
        record.model_dump() for record in read_unit(store.folder(each.key), each.key, "").epochs
    ]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_side_by_side_in_any_order_figures_are_the_same_bitwise(
    path: Path, store: Store, tmp_path: Path
) -> None:
    every = units(path, "native", seeds=(0, 1)) + units(path, "backpropagation", seeds=(0, 1))
    alone = Store(tmp_path / "alone")
    list(run_units(every, InProcess(), 1, alone, unseen))
    seen: list[tuple[str, int, int]] = []

    def see(unit: Unit, record: Epoch) -> None:
        seen.append((unit.arm, unit.seed, record.epoch))

    with local_workers(2) as executor:
        done = list(run_units(reversed(every), executor, 2, store, see))
    assert {unit for unit, _ in done} == {*every}
    assert {result.state for _, result in done} == {"ended"}
    for each in every:
        assert figures(store, each) == figures(alone, each)
        files = [home.folder(each.key) / OUTCOME for home in (store, alone)]
        assert files[0].read_bytes() == files[1].read_bytes()
        assert [e for arm, seed, e in seen if (arm, seed) == (each.arm, each.seed)] == [0, 1, 2, 3]


def dies(times: int, store: str, key: str, record: str, trust: str) -> Result:
    """Be killed so many times, and then do the unit."""
    count = Path(store) / f"deaths-{key}"
    count.parent.mkdir(exist_ok=True)
    deaths = count.read_text() if count.exists() else ""
    if json.loads(record)["seed"] == 0 and len(deaths) < times:
        count.write_text(deaths + "x")
        os.kill(os.getpid(), signal.SIGKILL)
    return do_unit(store, key, record, trust)


def dies_twice(*unit: str) -> Result:
    return dies(2, *unit)


def dies_always(*unit: str) -> Result:
    return dies(99, *unit)


@pytest.mark.parametrize("work", [dies_twice, dies_always])
def test_a_worker_that_dies_costs_its_own_unit_and_is_tried_three_times(
    path: Path, store: Store, work
) -> None:
    every = units(path, "backpropagation", seeds=(0, 1, 2))
    with local_workers(2) as executor:
        done = dict(run_units(every, executor, 2, store, unseen, work))
    assert [done[unit].state for unit in every[1:]] == ["ended", "ended"]
    first = done[every[0]]
    if work is dies_twice:
        assert first.state == "ended"
        assert is_ended(store.folder(every[0].key))
    else:
        assert first.state == "failed"
        assert first.log.count("killed (signal 9)") == MOST_ATTEMPTS
        assert (store.folder(every[0].key) / LOG).read_text() == first.log


def test_what_goes_wrong_in_a_unit_fails_it_at_once_with_the_traceback(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError("in the device")

    monkeypatch.setattr("substrate.run.unit.ArmRun", wrong)
    ((unit, result),) = run_units(units(path, "native"), InProcess(), 1, store, unseen)
    assert result.state == "failed"
    assert result.log.endswith("ZeroDivisionError: in the device\n")
    assert result.reason == "ZeroDivisionError: in the device"
    assert (store.folder(unit.key) / LOG).read_text() == result.log


def test_an_error_of_ours_is_told_without_its_class() -> None:
    ours = "Traceback:\nsubstrate.scenario.source.ScenarioError: training.loss: it raises x: y\n"
    assert Result("failed", ours).reason == "training.loss: it raises x: y"


def test_workers_warnings_reach_the_one_who_asked_and_each_is_shown_once(
    path: Path, store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    # pulses that are cut short: aihwkit's tile warns inside the unit
    cut = "arms.pulsed={chip: {crossbar: aihwkit, preset: IdealizedPreset}, learning: {rule: anp, "
    cut += "perturbation: {source: intrinsic, baseline: noisy}, "
    cut += "optimiser: {learning_rate: 10.0, write: pulses}}}"
    wanted = units(path, "pulsed", cut, "training.epochs=1", seeds=(0, 1, 2))
    with local_workers(2) as workers, pytest.warns(UserWarning, match="cut short") as shown:
        ended = list(run_units(wanted, workers, 2, store, unseen))
    assert [result.state for _, result in ended] == ["ended"] * 3
    texts = [str(each.message) for each in shown]
    assert len([text for text in texts if "cut short" in text]) == 1
    assert "cut short" not in capfd.readouterr().err


def test_a_unit_that_another_process_has_in_hand_is_waited_for(path: Path, store: Store) -> None:
    mine, theirs = units(path, "backpropagation", seeds=(0, 1))
    begun = time.monotonic()
    held = store.held(mine.key)
    held.__enter__()
    order = []
    for unit, _ in run_units([mine, theirs], InProcess(), 1, store, unseen):
        order.append(unit)
        if unit == theirs:
            held.__exit__(None, None, None)
    assert order == [theirs, mine]
    assert time.monotonic() - begun < 300


def test_units_may_follow_from_what_others_came_to(path: Path, store: Store) -> None:
    first, second = units(path, "backpropagation", seeds=(0, 1))
    waiting = [first]
    left = [second]

    def more() -> Iterator[Unit | None]:
        while waiting or left:
            yield waiting.pop() if waiting else None

    order = []
    for unit, _ in run_units(more(), InProcess(), 1, store, unseen):
        order.append(unit)
        if left:
            waiting.append(left.pop())
    assert order == [first, second]


@pytest.mark.parametrize("name", [ENDED, OUTCOME, "metrics.jsonl"])
def test_a_damaged_unit_is_refused_and_says_how_to_have_it_done_anew(
    path: Path, store: Store, name: str
) -> None:
    (unit,) = units(path, "backpropagation")
    list(run_units([unit], InProcess(), 1, store, unseen))
    file = store.folder(unit.key) / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(RecordError, match=name):
        read_unit(file.parent, unit.key, "arm")


def test_another_unit_s_end_is_refused(path: Path, store: Store) -> None:
    one, other = units(path, "backpropagation", seeds=(0, 1))
    list(run_units([one, other], InProcess(), 1, store, unseen))
    ends = [store.folder(each.key) / ENDED for each in (one, other)]
    ends[0].write_bytes(ends[1].read_bytes())
    with pytest.raises(RecordError, match="of another unit"):
        read_unit(ends[0].parent, one.key, "arm")


def test_data_that_is_another_on_the_worker_is_refused(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (unit,) = units(path, "backpropagation")
    monkeypatch.setattr("substrate.run.unit._known", {})
    monkeypatch.setattr("substrate.run.unit.data_checksum", lambda _: "another")
    with pytest.raises(RecordError, match="the data here is not that of the run"):
        list(run_units([unit], InProcess(), 1, store, unseen))
    assert not list(store.root.rglob(CHECKPOINT))


def test_a_file_that_was_changed_where_it_is_imported_already_is_refused_by_its_name(
    path: Path, store: Store, working_folder: Path
) -> None:
    """As on a worker that has done a unit with what the file held before."""
    mine = working_folder / "mine.py"
    mine.write_text("def loss(output, target):\n    return (output**2).sum(1)\n")
    own = (
        f"training.loss={mine}:loss",
        "baselines.backpropagation={learning: {rule: np, optimiser: {learning_rate: 0.01}}}",
        "training.epochs=1",
    )
    first, second = units(path, "native", *own, seeds=(0, 1))
    list(run_units([first], InProcess(), 1, store, unseen))
    mine.write_text("def loss(output, target):\n    return (output**4).sum(1)\n")
    with pytest.raises(RecordError, match=f"the file {mine} was changed after this process"):
        list(run_units([second], InProcess(), 1, store, unseen))
