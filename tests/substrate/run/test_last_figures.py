"""What is measured after a training may fail: what was trained is not lost by that."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import substrate as sb
from substrate.data import load_dataset
from substrate.record.unit import CHECKPOINT
from substrate.report import afterwards
from substrate.run.origin import data_checksum
from substrate.run.store import Store
from substrate.run.training import ArmRun
from substrate.run.unit import Result
from substrate.run.unit_figures import Done, read_unit
from substrate.run.unit_settings import Unit, units_of
from substrate.run.units import run_units
from substrate.run.workers import InProcess
from substrate.scenario.load import load_scenario
from tests.torture.runs import write_scenario

MEASURED = ("observed_noise", "ledger", "afterwards")


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    scenario, _ = load_scenario(write_scenario(tmp_path))
    data = data_checksum(load_dataset(scenario.data))
    return units_of(scenario, "native", [0], data, torch.device("cpu"))[0]


@pytest.fixture
def do(unit: Unit, own_store: Path) -> Callable[[], tuple[Result, Done, Path]]:
    def done() -> tuple[Result, Done, Path]:
        store = Store(own_store)
        ((_, result),) = run_units([unit], InProcess(), 1, store, lambda unit, record: None)
        folder = store.folder(unit.key)
        return result, read_unit(folder, unit.key, "native"), folder

    return done


def wrong(*_: object) -> None:
    raise ZeroDivisionError("in the device")


@pytest.mark.parametrize("what", MEASURED)
def test_a_unit_is_finished_from_its_last_checkpoint(
    do: Callable[[], tuple[Result, Done, Path]], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ArmRun, what, wrong)
        result, failed, folder = do()
    assert result.state == "failed"
    assert result.reason == "ZeroDivisionError: in the device"
    assert (folder / CHECKPOINT).exists()
    assert [each.epoch for each in failed.epochs] == [0, 1, 2, 3]
    monkeypatch.setattr(ArmRun, "_train", wrong)  # nothing is trained anew
    result, done, _ = do()
    assert result.state == "ended"
    assert done.epochs == failed.epochs
    assert done.end is not None
    assert done.end.ledger is not None
    assert len(done.end.noise) == 2
    assert done.end.afterwards
    assert not done.end.unmeasured


@pytest.mark.filterwarnings("always:trained to the end:UserWarning")
def test_without_a_checkpoint_what_failed_is_left_out(
    do: Callable[[], tuple[Result, Done, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("substrate.run.unit.without_state", lambda scenario: ["it has no state"])
    for what in MEASURED:
        monkeypatch.setattr(ArmRun, what, wrong)
    result, done, _ = do()
    assert result.state == "ended"
    reason = "ZeroDivisionError: in the device"
    assert result.warnings == (f"trained to the end, but not all was measured: {reason}",)
    assert [each.epoch for each in done.epochs] == [0, 1, 2, 3]
    assert done.by_sample is not None
    assert done.end is not None
    assert (done.end.noise, done.end.ledger) == ([], None)
    assert [(each.seed, each.what, each.why) for each in done.end.unmeasured] == [
        (0, "observed noise", f"it failed with {reason}"),
        (0, "ledger", f"it failed with {reason}"),
    ]
    assert [each.untried for each in done.end.afterwards] == [f"it failed with {reason}"]


@pytest.mark.filterwarnings("always:trained to the end:UserWarning")
def test_the_report_has_the_seeds_that_were_measured_and_says_why_others_were_not(
    tmp_path: Path, own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("substrate.run.unit.without_state", lambda scenario: ["it has no state"])
    for what in MEASURED:
        whole = getattr(ArmRun, what)

        def half(self: ArmRun, whole: Callable[[ArmRun], object] = whole) -> object:
            return wrong() if self._seed == 0 else whole(self)

        monkeypatch.setattr(ArmRun, what, half)
    scenario = sb.load(write_scenario(tmp_path), {"training.epochs": 1})
    made = sb.run(scenario, out=tmp_path / "run", jobs=1, quiet=True)
    summary = made.summary
    assert summary.status == "complete"
    native = summary.arms["native"]
    assert len(native.observed_noise) == 2
    assert native.ledger is not None
    (again,) = [row for row in afterwards.rows(summary) if row.condition == "read once more"]
    assert again.figures[0].endswith(", 1 of 2 seeds")
    (told,) = [each for each in afterwards.untried(summary) if "ZeroDivisionError" in each]
    assert ": not tested after its training: it failed with Zero" in told
    page = made.report.read_text(encoding="utf-8")
    for what in ("observed noise", "ledger"):
        why = "it failed with ZeroDivisionError: in the device."
        assert f"native: {what} not measured (seed 0): {why}" in page
