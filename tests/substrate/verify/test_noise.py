"""The conformance kit finds what is wrong with a noise model: one fault, one failed check."""

import math
from typing import Any, ClassVar

import pytest
import torch
from pydantic import Field
from torch import Tensor

from devices.converters import Conversion
from devices.noise import AutoregressiveNoise, GaussianNoise
from devices.noise.base import Memory
from devices.noise.multiplicative import MultiplicativeNoise
from devices.noise.pink import PinkNoise
from devices.noise.shot import ShotNoise
from devices.noise.telegraph import TelegraphNoise
from substrate.verify import NoiseConformance, run_checks
from substrate.verify.statistics import TooVague, compare

GENERATOR = torch.Generator().manual_seed(0)


class Faulty(GaussianNoise):
    """White noise until a method is replaced."""

    std: float = Field(1.0, description="standard deviation, in units of the signal")


class WrongMean(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(signal, memory) + 0.05


class WrongVariance(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return 1.05 * super().sample(signal, memory)


class ColouredButStatedWhite(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return AutoregressiveNoise(std=1.0, correlation_time=5e-7).sample(signal, memory)


class ForgetsBetweenCalls(AutoregressiveNoise):
    correlation_time: float = Field(1e-4, description="s")

    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(signal, Memory(memory.generator))


class Stale(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        fixed = torch.Generator().manual_seed(1)
        return torch.empty_like(signal).normal_(generator=fixed)


class Unseeded(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return torch.randn_like(signal)


class KeepsItsPastToItself(Faulty):
    hidden: ClassVar[dict[int, Tensor]] = {}

    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        fresh = super().sample(signal, memory)
        last = self.hidden.get(id(memory), fresh[:1])
        self.hidden[id(memory)] = fresh[-1:].clone()
        return torch.cat([last, fresh[1:]])


class DoublePrecision(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(signal, memory).double()


class InPlace(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return signal.normal_(generator=memory.generator)


class FollowsTheBatch(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(signal, memory) * signal.abs().max()


class HostCopy(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(signal, memory) * float(signal.abs().sum() >= 0)


class OnTheHost(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return torch.randn(signal.shape, generator=memory.generator, dtype=signal.dtype)


class Undescribed(Faulty):
    gain: float = 1.0


class Uncited(Faulty):
    citation: ClassVar[str] = " "


class AddsTwice(Faulty):
    def add_to(self, signal: Tensor, memory: Memory, *, overwrite: bool = False) -> Tensor:
        return super().add_to(signal, memory, overwrite=overwrite).add_(signal)


class AddsInPlace(ShotNoise):
    def add_to(self, signal: Tensor, memory: Memory, *, overwrite: bool = False) -> Tensor:
        return signal.add_(self.sample(signal, memory))


class AddsOtherNoise(PinkNoise):
    def add_to(self, signal: Tensor, memory: Memory, *, overwrite: bool = False) -> Tensor:
        return signal + 0.9 * self.sample(signal, memory)


class ForgetsToConvert(GaussianNoise):
    def add_and_convert(self, signal: Tensor, memory: Memory, convert: Conversion) -> Tensor:
        return self.add_to(signal, memory)


class ConvertsBeforeItAdds(TelegraphNoise):
    def add_and_convert(self, signal: Tensor, memory: Memory, convert: Conversion) -> Tensor:
        return self.add_to(convert(signal), memory)


class StatesTheVarianceOfOneSignal(ShotNoise):
    def variance(self, signal: Tensor) -> Tensor:
        return super().variance(torch.full_like(signal, 0.7))

    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        noise = torch.empty_like(signal).normal_(generator=memory.generator)
        return noise.mul_(ShotNoise.variance(self, signal).sqrt_())


class IsQuietBelowZero(MultiplicativeNoise):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(signal.clamp(min=0), memory)


class GrowsWithTheSignal(TelegraphNoise):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(signal, memory) * (0.3 + signal.abs())


class GrowsAlongTheBatch(GaussianNoise):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        ramp = torch.linspace(1, 1.3, len(signal), device=signal.device, dtype=signal.dtype)
        return super().sample(signal, memory) * ramp.view(-1, *[1] * (signal.ndim - 1))


class FollowsTheReadBefore(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        settling = torch.zeros_like(signal)
        settling[1:] = signal[:-1] - signal[1:]
        return super().sample(signal, memory) + 0.5 * settling


class IsAsLoudAsTheReadBefore(MultiplicativeNoise):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(torch.cat([signal[:1], signal[:-1]]), memory)


class IsLoudAlone(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(signal, memory) * (2 if len(signal) == 1 else 1)


class IsLoudInLargeBatches(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(signal, memory) * (10 if len(signal) > 200 else 1)


class GrowsWithTheNumberOfLines(Faulty):
    def sample(self, signal: Tensor, memory: Memory) -> Tensor:
        return super().sample(signal, memory) * math.sqrt(signal.shape[-1] / 4)


def failures(model: Any) -> dict[str, str]:
    kit = type("Kit", (NoiseConformance,), {"model": model, "replicas": 300, "max_cost": 1e3})
    return {each.check: each.detail for each in run_checks(kit()) if each.result == "failed"}


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (WrongMean, "Has the stated mean"),
        (WrongVariance, "Has the stated variance"),
        (ColouredButStatedWhite, "Has the spectrum"),
        (ForgetsBetweenCalls, "Has the spectrum"),
        (Stale, "Draws afresh"),
        (Unseeded, "Repeats bitwise"),
        (KeepsItsPastToItself, "Goes on bitwise from a saved state"),
        (DoublePrecision, "shape, dtype and device"),
        (InPlace, "Leaves the signal as it was"),
        (FollowsTheBatch, "whatever the other reads' signals"),
        (FollowsTheReadBefore, "whatever the other reads' signals"),
        (IsAsLoudAsTheReadBefore, "whatever the other reads' signals"),
        (IsLoudAlone, "in batches of one read, of thousands"),
        (IsLoudInLargeBatches, "in batches of one read, of thousands"),
        (GrowsWithTheNumberOfLines, "in batches of one read, of thousands"),
        (HostCopy, "meta device"),
        (OnTheHost, "meta device"),
        (AddsTwice, "Adds to a signal"),
        (AddsInPlace, "Adds to a signal"),
        (AddsOtherNoise, "Adds to a signal"),
        (ForgetsToConvert, "Adds to a signal"),
        (ConvertsBeforeItAdds, "Adds to a signal"),
        (StatesTheVarianceOfOneSignal, "Has the stated variance"),
        (IsQuietBelowZero, "Has the stated variance"),
        (GrowsWithTheSignal, "Has the stated variance"),
        (GrowsAlongTheBatch, "Has the stated variance"),
        (Undescribed, "describes every parameter"),
        (Uncited, "cites its source"),
    ],
)
def test_every_fault_is_found(model: Any, words: str) -> None:
    found = failures(model())
    assert any(words in check for check in found), found
    assert all(found.values()), "a failure without its reason"


def test_a_wrong_class_after_a_right_one_of_the_same_name_is_found() -> None:
    def loud(self: Any, signal: Tensor, memory: Memory) -> Tensor:
        return 1.5 * GaussianNoise.sample(self, signal, memory)

    right = type("Twin", (GaussianNoise,), {"__module__": __name__})()
    wrong = type("Twin", (GaussianNoise,), {"__module__": __name__, "sample": loud})()
    assert repr(right) == repr(wrong)
    assert failures(right) == {}
    assert any("stated variance" in check for check in failures(wrong))
    # and within one and the same instance of the kit
    kit: Any = type("Kit", (NoiseConformance,), {"model": right})
    checks = kit()
    checks.test_variance()
    kit.model = wrong
    with pytest.raises(AssertionError, match="variance at a signal of"):
        checks.test_variance()


def test_a_sound_model_fails_nowhere() -> None:
    assert failures(Faulty()) == {}


def slow_squares(replicas: range) -> Tensor:
    """Squares of four lines of noise that never changes within a replica."""
    drawn = torch.randn(len(replicas), 4, generator=GENERATOR, dtype=torch.float64)
    squares: Tensor = drawn * drawn
    return squares


def test_false_alarms_of_slow_noise_are_as_rare_as_stated() -> None:
    """Student's quantile alone fails what is so skewed far more often."""
    kit, trials, rate, alarms, once = NoiseConformance(), 2000, 0.01, 0, 0

    def check(numbers: range) -> None:
        nonlocal once
        try:
            ones = torch.ones(4, dtype=torch.float64)
            compare(slow_squares(numbers), ones, list("abcd"), rate, power=True)
        except AssertionError:
            once += len(numbers) == kit.replicas
            raise

    for _ in range(trials):
        try:
            kit._confirmed(check)
        except AssertionError:
            alarms += 1
    assert once > 1.5 * rate * trials
    assert alarms <= rate * trials / 2


def test_what_is_too_vague_is_not_looked_at_again() -> None:
    seen = []

    def check(numbers: range) -> None:
        seen.append(numbers)
        raise TooVague

    with pytest.raises(TooVague):
        NoiseConformance()._confirmed(check)
    assert seen == [range(200)]


def test_false_alarms_are_as_rare_as_stated() -> None:
    """Twenty thousand comparisons at 5 % false alarms; a binomial bound at one in a million."""
    from scipy import stats

    trials, rate = 1000, 0.05
    generator = torch.Generator().manual_seed(0)
    alarms = 0
    for _ in range(trials):
        replicas = torch.randn(200, 20, generator=generator, dtype=torch.float64)
        try:
            compare(replicas, torch.zeros(20).double(), ["x"] * 20, rate, power=False)
        except AssertionError:
            alarms += 1
    assert stats.binomtest(alarms, trials, rate).pvalue > 1e-6
    assert alarms > 0
