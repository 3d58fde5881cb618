"""Units whose chip is behind a wire: restarts, leases, and chips that cannot be saved."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from substrate.run.origin import data_checksum
from substrate.run.store import Store
from substrate.run.unit import do_unit, epoch_written, know_dataset
from substrate.run.unit_figures import read_unit
from substrate.run.unit_settings import Unit, units_of
from substrate.scenario.schema import Scenario
from tests.substrate.wire.test_faults import Restarting
from tests.wires import CPU, DANP, NATIVE, a_host, a_scenario, few_digits, trained


def remote_unit(scenario: Scenario, address: str, **options: object) -> Unit:
    """The unit of the same arm, whose chip is at the address."""
    settings = scenario.model_dump(mode="json", exclude_none=True)
    chip = {"remote": address, "deadline_seconds": 2.0, "attempts_seconds": 30.0}
    settings["arms"]["arm"]["chip"] = chip
    remote = Scenario.model_validate(settings)
    dataset = few_digits(scenario)
    know_dataset(remote, dataset)
    (unit,) = units_of(remote, "arm", [0], data_checksum(dataset), CPU, **options)
    return unit


def do(unit: Unit, folder: Path, on_epoch=lambda: None):
    token = epoch_written.set(on_epoch)
    try:
        return do_unit(str(folder), unit.key, unit.record, unit.trust)
    finally:
        epoch_written.reset(token)


def restart_once(chip: Restarting):
    """Start the chip anew when two epochs were written, and never again."""
    seen: list[int] = []

    def restart() -> None:
        seen.append(0)
        if len(seen) == 2:
            chip.start()

    return restart


def test_a_restarted_chip_goes_on_from_the_last_epoch(tmp_path):
    scenario = a_scenario(NATIVE, DANP, epochs=3)
    _, expected = trained(scenario)
    chip = Restarting(scenario, tmp_path / "states")
    unit = remote_unit(scenario, chip.address)
    result = do(unit, tmp_path, restart_once(chip))
    chip.stop()
    assert result.state == "ended", result.log
    folder = Store(tmp_path).folder(unit.key)
    done = read_unit(folder, unit.key, "arm")
    assert [each.test_loss for each in done.epochs] == expected[::2]
    assert done.end.wire.restarts == 1
    assert done.end.wire.title == "native rasch_2019"
    assert done.end.wire.address == chip.address


def test_a_chip_that_cannot_be_saved_is_broken_by_a_restart(tmp_path, monkeypatch):
    from substrate.wire import arm

    plain = arm.Described
    monkeypatch.setattr(arm, "Described", lambda **told: plain(**{**told, "saves": False}))
    scenario = a_scenario(NATIVE, DANP, epochs=3)
    chip = Restarting(scenario, tmp_path / "states")
    unit = remote_unit(scenario, chip.address)
    assert do(unit, tmp_path / "whole").state == "ended"
    result = do(unit, tmp_path, restart_once(chip))
    chip.stop()
    assert result.state == "failed"
    assert "the chip was restarted" in result.log.strip().splitlines()[-1]
    # no checkpoint was ever written, so it would begin anew
    assert not list(Store(tmp_path).folder(unit.key).glob("checkpoint*"))


def test_a_unit_waits_for_a_chip_that_another_learner_has(tmp_path):
    scenario = a_scenario(NATIVE, DANP)
    chip = Restarting(scenario, tmp_path / "states")
    unit = remote_unit(scenario, chip.address)
    with a_host(chip.address):
        result = do(unit, tmp_path)
        assert result.state == "busy"
        assert any("is leased to" in each for each in result.warnings)
    assert do(unit, tmp_path).state == "ended"
    chip.stop()


def test_two_runs_never_share_a_remote_unit(tmp_path):
    scenario = a_scenario(NATIVE, DANP)
    one, other = (remote_unit(scenario, "localhost:50051") for _ in range(2))
    assert one.key != other.key
    same = [remote_unit(scenario, "localhost:50051", once="run") for _ in range(2)]
    assert same[0].key == same[1].key


@pytest.mark.parametrize("isolated", [False, True])
def test_what_is_simulated_here_keeps_its_key(isolated):
    scenario = a_scenario(NATIVE, DANP)
    data = data_checksum(few_digits(scenario))
    one, other = (
        units_of(scenario, "arm", [0], data, CPU, isolated=isolated, once=once)[0]
        for once in ("", "run")
    )
    assert one.key == other.key
    assert ('"isolated"' in one.record) == isolated
    # baselines that go back through the pass stay here
    (clean,) = units_of(scenario, "clean", [0], data, CPU, isolated=isolated)
    assert '"isolated"' not in clean.record


def isolated_unit(scenario: Scenario) -> Unit:
    dataset = few_digits(scenario)
    know_dataset(scenario, dataset)
    (unit,) = units_of(scenario, "arm", [0], data_checksum(dataset), CPU, isolated=True)
    return unit


def killing(times: int):
    """Kill the chip's process whenever an epoch was written, so many times."""
    killed: list[int] = []

    def kill() -> None:
        if len(killed) < times:
            (chip,) = multiprocessing.active_children()
            chip.kill()
            chip.join()
            killed.append(chip.pid)

    return kill


def test_an_isolated_chip_whose_process_dies_is_tried_twice_more(tmp_path):
    scenario = a_scenario(NATIVE, DANP, epochs=3)
    _, expected = trained(scenario)
    unit = isolated_unit(scenario)
    result = do(unit, tmp_path, killing(2))
    assert result.state == "ended", result.log
    done = read_unit(Store(tmp_path).folder(unit.key), unit.key, "arm")
    assert [each.test_loss for each in done.epochs] == expected[::2]
    assert done.end.wire.restarts == 2


def test_an_isolated_chip_whose_process_always_dies_is_given_up(tmp_path):
    unit = isolated_unit(a_scenario(NATIVE, DANP, epochs=4))
    result = do(unit, tmp_path, killing(3))
    assert result.state == "failed"
    assert result.reason == "the process of the chip has ended"
