"""Shipped crossbars, each with a fault that the conformance kit has to find (`test_crossbar`)."""

from collections.abc import Callable

import torch
from torch import Tensor

from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.interface import Dense, Outer


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


class DrawsOnceARead(IdealCrossbar):
    noise_free = False
    draws_by_row = True

    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        of_weights = [self.weights + torch.randn_like(self.weights) / 50 for _ in range(repeats)]
        return torch.cat([x @ each.T for each in of_weights])


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


class ReadsSquaresTransposed(IdealCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        square = self.weights.shape[0] == self.weights.shape[1]
        a = x @ (self.weights if square else self.weights.T)
        return a.repeat(repeats, *[1] * (a.ndim - 1))


class ChangesSquaresTransposed(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        if isinstance(request, Outer) and request.x.shape[1] == request.d.shape[1]:
            request = Outer(request.d, request.x, request.rate)
        super().update(request)


class DoublesLargeBatches(IdealCrossbar):
    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        a = super().read(x, repeats)
        return 2 * a if x[..., 0].numel() > 1000 else a


class TakesTheFirst64Samples(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        if isinstance(request, Outer):
            request = Outer(request.x[:64], request.d[:64], request.rate)
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
