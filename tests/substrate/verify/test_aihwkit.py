"""aihwkit's kinds of tiles pass the kit, held to what aihwkit itself makes of the same requests."""

from typing import Any

import pytest
import torch

from devices.interface import Dense, Outer
from substrate.cli.verify import kit_of_chip
from substrate.scenario.schema import AihwkitChip
from substrate.verify import crossbar_state
from substrate.verify.crossbar_under_test import MOST_ARRAYS
from substrate.verify.statistics import TooVague, assert_near

KINDS = [
    "IdealizedPreset",
    "EcRam2Preset",
    "PCMPreset",
    "ReRamESPreset",
    "ReRamSBPreset",
    "MixedPrecisionEcRamPreset",
    "StandardHWATrainingPreset",
]


def kit_of(preset: str) -> Any:
    return kit_of_chip(AihwkitChip(crossbar="aihwkit", preset=preset), 0)


@pytest.mark.parametrize("preset", KINDS)
@pytest.mark.parametrize("check", ["programming", "saves_and_restores", "updates"])
def test_shipped_kinds_pass(preset: str, check: str) -> None:
    getattr(kit_of(preset)(), f"test_{check}")()


@pytest.mark.parametrize("enough", [48, 1000])
def test_more_arrays_are_drawn_until_they_tell_or_are_most(enough, monkeypatch) -> None:
    seen = []

    def near(found: Any, *_: Any, **__: Any) -> None:
        seen.append(len(found))
        if len(found) < enough:
            raise TooVague

    monkeypatch.setattr(crossbar_state, "assert_near", near)
    check = kit_of("EcRamPreset")().test_saves_and_restores
    if enough > MOST_ARRAYS:
        with pytest.raises(TooVague):
            check()
        assert seen == [24, 48, 96, 192]
    else:
        check()
        assert seen == [24, 48]


def test_reads_are_tried_once_the_input_range_is_calibrated() -> None:
    kit_of("StandardHWATrainingPreset")().test_batch_independence()


@pytest.mark.parametrize("preset", ["IdealizedPreset", "PCMPreset", "MixedPrecisionEcRamPreset"])
@pytest.mark.parametrize("fault", ["rate", "batch", "dense"])
def test_a_wrapper_that_asks_for_something_else_is_found(preset: str, fault: str) -> None:
    kit = kit_of(preset)

    def make(self: Any, *arguments: Any, **named: Any) -> Any:
        crossbar = kit.make(self, *arguments, **named)
        right = crossbar.update

        def update(request: Outer | Dense) -> None:
            if isinstance(request, Dense):
                right(Dense(request.delta / 100) if fault == "dense" else request)
            elif fault != "dense":
                rate = 0.05 if fault == "rate" else request.rate / len(request.x)
                right(Outer(request.x, request.d, rate))
            else:
                right(request)

        crossbar.update = update
        return crossbar

    with pytest.raises(AssertionError, match="the changes made"):
        type("Kit", (kit,), {"make": make})().test_updates()


def test_arrays_that_are_right_fail_as_rarely_as_stated_and_wrong_ones_do_not_pass() -> None:
    """Arrays that are noisier than what they hold; an error at the very bound."""
    from scipy import stats

    generator = torch.Generator().manual_seed(0)
    wanted = torch.linspace(-1, 1, 54).expand(24, 54)
    trials, rate, alarms = 400, 0.1, 0
    for _ in range(trials):
        found = 1.2 * wanted + 0.7 * torch.randn(24, 54, generator=generator)
        try:
            assert_near(found, wanted, "reads", most=0.2, false_alarm=rate)
        except AssertionError:
            alarms += 1
    assert stats.binomtest(alarms, trials, rate / 2, alternative="greater").pvalue > 1e-4
    assert alarms > 0
    noise = 0.7 * torch.randn(24, 54, generator=generator)
    for factor in (-1.0, 0.0, 0.5, 1.5, 2.0):
        with pytest.raises(AssertionError, match="of the size wanted"):
            assert_near(factor * wanted + noise, wanted, "reads", most=0.2, false_alarm=1e-4)
    with pytest.raises(AssertionError, match="are off by"):
        assert_near(wanted + wanted.abs() + noise / 3, wanted, "reads", most=0.2, false_alarm=1e-4)
    with pytest.raises(TooVague, match="too noisy to tell"):
        assert_near(wanted + 40 * noise, wanted, "reads", most=0.2, false_alarm=1e-4)


@pytest.mark.parametrize("preset", ["PCMPreset", "ReRamESPreset"])
def test_twice_the_update_of_a_noisy_device_that_saturates_is_found(preset: str) -> None:
    kit = kit_of(preset)

    def make(self: Any, *arguments: Any, **named: Any) -> Any:
        crossbar = kit.make(self, *arguments, **named)
        right = crossbar.update

        def update(request: Outer | Dense) -> None:
            twice = isinstance(request, Outer)
            right(Outer(request.x, 2 * request.d, request.rate) if twice else request)

        crossbar.update = update
        return crossbar

    with pytest.raises(AssertionError, match="of the size wanted"):
        type("Kit", (kit,), {"make": make})().test_updates()
