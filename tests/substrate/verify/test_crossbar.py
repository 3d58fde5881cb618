"""The conformance kit for crossbars: sound ones pass, shipped ones with a fault do not."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.presets import PRESETS
from devices.interface import Dense, LayerShape, Outer
from substrate.assemble.crossbar import build_crossbar
from substrate.new.write import write_new
from substrate.plugins import load_object
from substrate.randomness import stream
from substrate.scenario.schema import NativeChip
from substrate.verify import CrossbarConformance, run_checks
from substrate.verify.updates import carried_out


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


def with_rate(request: Outer | Dense, factor: Callable[[Outer], float]) -> Outer | Dense:
    if isinstance(request, Dense):
        return request
    return Outer(request.x, request.d, request.rate * factor(request))


class WritesBackwards(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        wanted = request.delta if isinstance(request, Dense) else -(request.d.T @ request.x)
        self.weights.sub_(wanted)


class SaysItIsNoisy(IdealCrossbar):
    noise_free = False


class ForgetsRepeats(IdealCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        return super().read(x)


class ScalesByTheBatch(IdealCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        return super().read(x, repeats) * (1 + x.abs().mean())


class ShowsItsWeights(IdealCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        a = super().read(x, repeats)
        self.last = a
        return a


class IgnoresTheRate(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        super().update(with_rate(request, lambda outer: 0.01 / outer.rate))


class DividesByTheBatch(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        super().update(with_rate(request, lambda outer: 1 / len(outer.x)))


class WritesOnePercentOfDense(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        super().update(Dense(request.delta / 100) if isinstance(request, Dense) else request)


class WritesDenseTransposed(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        if isinstance(request, Dense):
            request = Dense(request.delta.T.reshape(request.delta.shape))
        super().update(request)


class TakesTheFirstSampleAlone(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        if isinstance(request, Outer):
            request = Outer(request.x[:1], request.d[:1], request.rate)
        super().update(request)


class WritesNothing(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        pass


class ScalesTheRequestInPlace(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        super().update(request)
        if isinstance(request, Dense):
            request.delta.mul_(0.5)


class FollowsWhatItWasGiven(IdealCrossbar):
    def program(self, weights: Tensor) -> None:
        self.weights = weights


class ClipsItsInputInPlace(IdealCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        return super().read(x.clamp_(-0.9, 0.9), repeats)


class AddsWhenProgrammed(IdealCrossbar):
    def program(self, weights: Tensor) -> None:
        self.weights.add_(weights)


class DrivesByTheModulus(IdealCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        return super().read(x.abs(), repeats)


class MixesUpPositions(IdealCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        return super().read(x if x.ndim == 2 else x.flip(1), repeats)


class RepeatsEverySampleAtOnce(IdealCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        return super().read(x).repeat_interleave(repeats, 0)


class ReadsBackwardsWhatItWas(IdealCrossbar):
    def program(self, weights: Tensor) -> None:
        super().program(weights)
        self.programmed = weights.clone()

    def read_transposed(self, y: Tensor) -> Tensor:
        return y @ self.programmed


class GivesItsStateAway(IdealCrossbar):
    def state(self) -> dict[str, Tensor]:
        return {"weights": self.weights}


class TakesTheStateForItsOwn(IdealCrossbar):
    def restore(self, state: dict[str, Tensor]) -> None:
        self.weights = state["weights"]


class RestoresNothing(IdealCrossbar):
    def restore(self, state: dict[str, Tensor]) -> None:
        pass


class DoublePrecision(IdealCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        return super().read(x, repeats).double()


IDEAL: list[tuple[type[IdealCrossbar], str, str]] = [
    (WritesBackwards, "updates", r"must lie between 0\.67 and 1\.5"),
    (SaysItIsNoisy, "fresh_noise", "two reads are the same"),
    (ForgetsRepeats, "shapes_and_dtypes", r"gave \(4, 6\) instead of \(12, 6\)"),
    (ScalesByTheBatch, "batch_independence", "output . of a sample first in its batch"),
    (ShowsItsWeights, "sealed", "shares memory with what the device keeps"),
    (IgnoresTheRate, "updates", "Outer: the change made is 2 "),
    (DividesByTheBatch, "updates", "Outer: the change made is 0.2 "),
    (WritesOnePercentOfDense, "updates", "Dense: the change made is 0.01 "),
    (WritesDenseTransposed, "updates", "Dense: the change made"),
    (TakesTheFirstSampleAlone, "updates", "Outer"),
    (WritesNothing, "updates", "Outer: the change made is 0 "),
    (ScalesTheRequestInPlace, "leaves_alone", "changed the request's delta"),
    (FollowsWhatItWasGiven, "leaves_alone", "changed the weights that it was given"),
    (ClipsItsInputInPlace, "leaves_alone", "a read changed its x"),
    (AddsWhenProgrammed, "programming", "reads (are off by|have .* of the size)"),
    (DrivesByTheModulus, "programming", "reads of many rows (are off by|have .* of the size)"),
    (MixesUpPositions, "programming", "reads at positions (are off by|have .* of the size)"),
    (RepeatsEverySampleAtOnce, "programming", "reads (are off by|have .* of the size)"),
    (ReadsBackwardsWhatItWas, "updates", "read backwards: the change made is 0 "),
    (GivesItsStateAway, "saves_and_restores", "saved 'weights' changed"),
    (TakesTheStateForItsOwn, "saves_and_restores", "go back to the same state again"),
    (RestoresNothing, "saves_and_restores", r"as it did \(a read\)"),
    (DoublePrecision, "shapes_and_dtypes", "gave torch.float64"),
]


class ForgetsTheStreamOf(NativeCrossbar):
    purpose: str

    def restore(self, state: dict[str, Tensor]) -> None:
        own = self._streams[self.purpose].get_state()
        super().restore(state)
        self._streams[self.purpose].set_state(own)


class ForgetsThePulseStream(ForgetsTheStreamOf):
    purpose = "cycle spread"


class ForgetsTheProgrammingStream(ForgetsTheStreamOf):
    purpose = "programming"


class ForgetsTheReadStream(ForgetsTheStreamOf):
    purpose = "read noise"


class ForgetsItsDevices(NativeCrossbar):
    def restore(self, state: dict[str, Tensor]) -> None:
        own = self._devices, self._in_place
        super().restore(state)
        self._devices, self._in_place = own


class ForgetsItsCount(NativeCrossbar):
    def restore(self, state: dict[str, Tensor]) -> None:
        own = self._count.trains.clone()
        super().restore(state)
        self._count.trains.copy_(own)


class NativeIgnoresTheRate(NativeCrossbar):
    def update(self, request: Outer | Dense) -> None:
        super().update(with_rate(request, lambda outer: 0.02 / outer.rate))


class NativeDividesByTheBatch(NativeCrossbar):
    def update(self, request: Outer | Dense) -> None:
        super().update(with_rate(request, lambda outer: 1 / len(outer.x)))


class NativeWritesOnePercentOfDense(NativeCrossbar):
    def update(self, request: Outer | Dense) -> None:
        super().update(Dense(request.delta / 100) if isinstance(request, Dense) else request)


class PulsesUnseeded(NativeCrossbar):
    def update(self, request: Outer | Dense) -> None:
        super().update(request)
        if isinstance(request, Dense):
            self._weights.add_(1e-2 * torch.randn_like(self._weights))
            self._array = None


class ForgetsToReadAfresh(NativeCrossbar):
    """Keeps the array that it read before an update."""

    def update(self, request: Outer | Dense) -> None:
        array = self._read_array(1)
        super().update(request)
        self._array = array


NATIVE: list[tuple[type[NativeCrossbar], str, str, str]] = [
    (ForgetsThePulseStream, "gokmen_2016", "saves_and_restores", "after Outer request 1"),
    (ForgetsThePulseStream, "generic", "saves_and_restores", "after Outer request 1"),
    (ForgetsTheProgrammingStream, "nandakumar_2019", "saves_and_restores", "after Dense request"),
    (ForgetsTheReadStream, "nandakumar_2019", "saves_and_restores", r"\(a read\)"),
    (ForgetsItsDevices, "gokmen_2016", "saves_and_restores", "after Outer request 1"),
    (ForgetsItsCount, "gokmen_2016", "saves_and_restores", "counts pulse trains otherwise"),
    (NativeIgnoresTheRate, "gokmen_2016", "updates", "which must lie between"),
    (NativeDividesByTheBatch, "gokmen_2016", "updates", "which must lie between"),
    (NativeWritesOnePercentOfDense, "gokmen_2016", "updates", "Dense: the change made is"),
    (PulsesUnseeded, "gokmen_2016", "repeats_under_a_seed", "same seed differs"),
    (ForgetsToReadAfresh, "nandakumar_2019", "updates", "Outer: the change made is"),
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


TEMPLATE = [
    # what the template says, what is written in its place, the check, its message
    (
        '            "pulse stream": self._pulse_stream.get_state(),\n',
        "",
        "saves_and_restores",
        "KeyError",
    ),
    (
        '        self._pulse_stream.set_state(state["pulse stream"])\n',
        "",
        "saves_and_restores",
        "after Outer request 1",
    ),
    (
        '        self._read_stream.set_state(state["read stream"])\n',
        "",
        "saves_and_restores",
        r"\(a read\)",
    ),
    ("-request.rate * (", "-0.01 * (", "updates", "Outer"),
    (
        "-request.rate * (",
        "-request.rate / len(request.x) * (",
        "updates",
        "Outer: the change made is",
    ),
    ("wanted = request.delta", "wanted = request.delta / 100", "updates", "Dense"),
    (
        "        return a + torch.empty_like(a).normal_(0, std, generator=self._read_stream)",
        "        noise = torch.empty_like(a).normal_(0, std, generator=self._read_stream)\n"
        "        grows = torch.linspace(1, 1.3, len(x)).repeat(repeats)\n"
        "        return a + noise * grows.view(-1, *[1] * (a.ndim - 1))",
        "batch_independence",
        "variance of a sample last in its batch",
    ),
    (
        "        return a + torch.empty_like(a).normal_(0, std, generator=self._read_stream)",
        "        noise = torch.empty_like(a).normal_(0, std, generator=self._read_stream)\n"
        "        again = torch.empty_like(a).normal_(0, std, generator=self._read_stream)\n"
        "        part = torch.linspace(0, 1, len(x)).repeat(repeats)\n"
        "        return a + noise + (again - noise) * part.view(-1, *[1] * (a.ndim - 1))",
        "batch_independence",
        "variance of a sample amid its batch",
    ),
    (
        "std = self.parameters.read_noise",
        "std = self.parameters.read_noise * float(x.abs().max())",
        "batch_independence",
        "variance of a sample first in its batch",
    ),
    (
        "std = self.parameters.read_noise",
        "std = self.parameters.read_noise / len(x) ** 0.5",
        "batch_independence",
        "variance of a sample first in its batch",
    ),
    (
        'generators("read noise")',
        "torch.Generator().manual_seed(0)",
        "fresh_noise",
        "two arrays of different seeds",
    ),
    ("return y @ self._weights", "return -y @ self._weights", "programming", "backward reads"),
]


@pytest.mark.parametrize(("says", "instead", "check", "reason"), TEMPLATE)
def test_every_fault_of_the_template_is_found(
    says: str, instead: str, check: str, reason: str, working_folder: Path
) -> None:
    path, _ = write_new("device", "OwnCell", working_folder)
    file = working_folder / path
    text = file.read_text()
    assert says in text
    file.write_text(text.replace(says, instead))
    own = load_object(f"{path}:OwnCell", working_folder)
    kit = type("Kit", (CrossbarConformance,), {"model": own, "max_cost": 1e3})
    wanted = getattr(kit, f"test_{check}").__doc__.splitlines()[0].rstrip(".")
    (found,) = (each for each in run_checks(kit()) if each.check == wanted)
    assert found.result == "failed"
    assert re.search(reason, found.detail), found.detail


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
