"""The conformance kit for crossbars: sound ones pass, shipped ones with a fault do not."""

from pathlib import Path
from typing import Any

import pytest
import torch

from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.presets import PRESETS
from devices.interface import LayerShape
from substrate.assemble.crossbar import build_crossbar
from substrate.new.write import write_new
from substrate.plugins import load_object
from substrate.randomness import stream
from substrate.scenario.schema import NativeChip
from substrate.verify import CrossbarConformance
from substrate.verify.updates import carried_out
from tests.substrate.verify import crossbar_faults as faults


class TestIdeal(CrossbarConformance):
    max_cost = 100.0

    def make(self, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None) -> Crossbar:
        return IdealCrossbar(n_out, n_in, torch.device(device))


class TestNative(CrossbarConformance):
    # The native crossbar's own test of speed is a benchmark; other tests run beside this one.
    max_cost = 200.0

    def make(self, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None) -> Crossbar:
        of = self.seed if seed is None else seed
        chip = NativeChip.model_validate({"crossbar": "native"})
        return build_crossbar(chip, LayerShape(n_out, n_in), of, "test", torch.device(device))


class TestOfOnesOwn(CrossbarConformance):
    max_cost = 200.0

    @pytest.fixture(autouse=True)
    def _model(self, working_folder: Path) -> None:
        path, _ = write_new("device", "OwnCell", working_folder)
        type(self).model = load_object(f"{path}:OwnCell", working_folder)


def of_ideal(fault: type[IdealCrossbar]) -> type[CrossbarConformance]:
    def make(
        self: Any, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None
    ) -> Crossbar:
        return fault(n_out, n_in, torch.device(device))

    return type("Kit", (CrossbarConformance,), {"make": make, "max_cost": 1e3})


def of_native(
    fault: type[NativeCrossbar], preset: str = "gokmen_2016"
) -> type[CrossbarConformance]:
    def make(
        self: Any, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None
    ) -> Crossbar:
        number = self.seed if seed is None else seed
        where = torch.device(device)
        return fault(
            n_out,
            n_in,
            PRESETS[preset],
            lambda purpose: stream(number, "crossbar", purpose, device=device),
            where,
        )

    return type("Kit", (CrossbarConformance,), {"make": make, "max_cost": 1e3})


IDEAL: list[tuple[type[IdealCrossbar], str, str]] = [
    (faults.WritesBackwards, "updates", r"must lie between 0\.67 and 1\.5"),
    (faults.DrawsOnceARead, "rows_draw_their_own_noise", "rows share .* of their noise"),
    (faults.SaysItIsNoisy, "fresh_noise", "two reads are the same"),
    (faults.ForgetsRepeats, "shapes_and_dtypes", r"gave \(4, 6\) instead of \(12, 6\)"),
    (faults.ScalesByTheBatch, "batch_independence", "output . of a sample first in its batch"),
    (faults.ShowsItsWeights, "sealed", "shares memory with what the device keeps"),
    (faults.IgnoresTheRate, "updates", "Outer: the change made is 2 "),
    (faults.DividesByTheBatch, "updates", "Outer: the change made is 0.2 "),
    (faults.WritesOnePercentOfDense, "updates", "Dense: the change made is 0.01 "),
    (faults.WritesDenseTransposed, "updates", "Dense: the change made"),
    (faults.ReadsSquaresTransposed, "programming", "reads, 7 × 7 (are off by|have)"),
    (faults.ChangesSquaresTransposed, "updates", "Outer, 7 × 7: the change made"),
    (faults.DoublesLargeBatches, "programming", "reads of a batch of 2000 have"),
    (faults.TakesTheFirst64Samples, "updates", "Outer of many samples: the change made is"),
    (faults.TakesTheFirstSampleAlone, "updates", "Outer"),
    (faults.WritesNothing, "updates", "Outer: the change made is 0 "),
    (faults.ScalesTheRequestInPlace, "leaves_alone", "changed the request's delta"),
    (faults.FollowsWhatItWasGiven, "leaves_alone", "changed the weights that it was given"),
    (faults.ClipsItsInputInPlace, "leaves_alone", "a read changed its x"),
    (faults.AddsWhenProgrammed, "programming", "reads (are off by|have .* of the size)"),
    (
        faults.DrivesByTheModulus,
        "programming",
        "reads of many rows (are off by|have .* of the size)",
    ),
    (faults.MixesUpPositions, "programming", "reads at positions (are off by|have .* of the size)"),
    (faults.RepeatsEverySampleAtOnce, "programming", "reads (are off by|have .* of the size)"),
    (faults.ReadsBackwardsWhatItWas, "updates", "read backwards: the change made is 0 "),
    (faults.GivesItsStateAway, "saves_and_restores", "saved 'weights' changed"),
    (faults.TakesTheStateForItsOwn, "saves_and_restores", "go back to the same state again"),
    (faults.RestoresNothing, "saves_and_restores", r"as it did \(a read\)"),
    (faults.DoublePrecision, "shapes_and_dtypes", "gave torch.float64"),
]

NATIVE: list[tuple[type[NativeCrossbar], str, str, str]] = [
    (faults.ForgetsThePulseStream, "gokmen_2016", "saves_and_restores", "after Outer request 1"),
    (faults.ForgetsThePulseStream, "generic", "saves_and_restores", "after Outer request 1"),
    (
        faults.ForgetsTheProgrammingStream,
        "nandakumar_2019",
        "saves_and_restores",
        "after Dense request",
    ),
    (faults.ForgetsTheReadStream, "nandakumar_2019", "saves_and_restores", r"\(a read\)"),
    (faults.ForgetsItsDevices, "gokmen_2016", "saves_and_restores", "after Outer request 1"),
    (faults.ForgetsItsCount, "gokmen_2016", "saves_and_restores", "counts pulse trains otherwise"),
    (faults.NativeIgnoresTheRate, "gokmen_2016", "updates", "which must lie between"),
    (faults.NativeDividesByTheBatch, "gokmen_2016", "updates", "which must lie between"),
    (faults.NativeWritesOnePercentOfDense, "gokmen_2016", "updates", "Dense: the change made is"),
    (faults.PulsesUnseeded, "gokmen_2016", "repeats_under_a_seed", "same seed differs"),
    (faults.ForgetsToReadAfresh, "nandakumar_2019", "updates", "Outer: the change made is"),
]


@pytest.mark.parametrize(("fault", "check", "reason"), IDEAL)
def test_every_fault_of_an_ideal_crossbar_is_found(
    fault: type[IdealCrossbar], check: str, reason: str
) -> None:
    with pytest.raises(AssertionError, match=reason):
        getattr(of_ideal(fault)(), f"test_{check}")()


@pytest.mark.parametrize(("fault", "preset", "check", "reason"), NATIVE)
def test_every_fault_of_a_native_crossbar_is_found(
    fault: type[NativeCrossbar], preset: str, check: str, reason: str
) -> None:
    with pytest.raises(AssertionError, match=reason):
        getattr(of_native(fault, preset)(), f"test_{check}")()


@pytest.mark.parametrize("preset", ["gong_2018", "nandakumar_2019"])
@pytest.mark.parametrize("check", ["updates", "saves_and_restores", "batch_independence"])
def test_published_native_devices_pass(preset: str, check: str) -> None:
    getattr(of_native(NativeCrossbar, preset)(), f"test_{check}")()


def test_right_updates_fail_as_rarely_as_stated_and_wrong_ones_do_not_pass() -> None:
    """At the very bound of the size, where false alarms are most frequent."""
    from scipy import stats

    wanted = torch.linspace(-1, 1, 12).view(3, 4)
    generator = torch.Generator().manual_seed(0)
    trials, rate, alarms = 600, 0.15, 0
    for _ in range(trials):
        changes = 0.5 * wanted + 0.5 * torch.randn(24, 3, 4, generator=generator)
        try:
            found = carried_out(changes, wanted, "x", false_alarm=rate)
            found.hold_to(size=(0.5, 2.0), cosine=0.5)
        except AssertionError:
            alarms += 1
    # one of the three comparisons is at its bound, and it alone may fail
    assert stats.binomtest(alarms, trials, rate / 3, alternative="greater").pvalue > 1e-4
    assert alarms > 0
    crooked = torch.randn(3, 4, generator=generator)
    crooked -= (crooked * wanted).sum() / wanted.square().sum() * wanted
    crooked *= 3 * wanted.norm() / crooked.norm()
    changes = wanted + crooked + 0.1 * torch.randn(24, 3, 4, generator=generator)
    with pytest.raises(AssertionError, match=r"has cosine 0\.3"):
        carried_out(changes, wanted, "x", false_alarm=1e-4).hold_to(size=(0.5, 2.0), cosine=0.5)
