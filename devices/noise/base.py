"""What every noise model is, and the source that puts one to work at a place of a chip.

A model is a frozen set of parameters with one sampling method; the scenario chooses where it acts.
Its signal has time along the first axis: successive entries are successive reads of the array, and
the next call continues where the last one ended. The other axes are lines, each with a noise of
its own unless the model says otherwise. In a convolution every position is one read, so the
positions of a sample follow one another in time, before those of the next sample. Weights are one
read of rows × columns: (1, n_out, n_in).

    noisy = signal + n,    n = model.sample(signal, memory)

A model states its own mean, variance and autocovariance in closed form where it has them; the
conformance kit (`substrate verify`) holds it to that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, ClassVar

from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict

from devices.converters import Conversion
from devices.deferred import torch
from devices.states import below, prefixed

if TYPE_CHECKING:
    from torch import Tensor

_GENERATOR = "generator"
_NOTHING = nullcontext()


def _no_grad() -> AbstractContextManager[object]:
    """Entering `torch.no_grad` takes as long as drawing a thousand numbers, so not for nothing."""
    return torch.no_grad() if torch.is_grad_enabled() else _NOTHING


class Memory:
    """What a source remembers between reads: its generator, and the past of its model.

    Attributes:
        generator: the source's own random stream.
        past: what the next read depends on, such as the last value of an AR(1) process.
        tables: what follows from the parameters alone, made once on the right device; not saved.
    """

    def __init__(self, generator: torch.Generator) -> None:
        """Start with no past."""
        self.generator = generator
        self.past: dict[str, Tensor] = {}
        self.tables: dict[str, Tensor] = {}

    def table(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        """Give a table, making it on first use."""
        if name not in self.tables:
            self.tables[name] = make()
        return self.tables[name]

    def state(self) -> dict[str, Tensor]:
        """Everything that the next read depends on."""
        past = {name: value.clone() for name, value in self.past.items()}
        return {_GENERATOR: self.generator.get_state(), **past}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to an earlier state."""
        self.generator.set_state(state[_GENERATOR])
        self.past = {name: value.clone() for name, value in state.items() if name != _GENERATOR}


class NoiseModel(BaseModel):
    """A noise model: parameters with units, a source, and one sampling method.

    Attributes:
        name: what a scenario calls it.
        title: one line for people.
        citation: where the model or its figures come from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Draw the noise to be added to a signal: a new tensor, on the signal's device."""
        raise NotImplementedError

    def add_to(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory, *, overwrite: bool = False
    ) -> Float[Tensor, "reads *lines"]:
        """Give a signal with the noise on it; with `overwrite` its own memory may be used."""
        return self.sample(signal, memory).add_(signal)

    def add_and_convert(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory, convert: Conversion
    ) -> Float[Tensor, "reads *lines"]:
        """Put the noise on a signal and convert the sum, in the signal's own memory if need be."""
        return convert(self.add_to(signal, memory, overwrite=True))

    def mean(self) -> float:
        """Stated mean of the noise."""
        return 0.0

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"] | None:
        """Stated variance at every value of the signal; None if the model states none."""
        return None

    def autocovariance(self, lags: Int[Tensor, " n"], signal: float) -> Float[Tensor, " n"] | None:
        """Stated covariance of one line with itself `lags` reads later, at a constant signal.

        Independent reads unless a model says otherwise; None if the model states no variance.
        """
        variance = self.variance(torch.tensor(signal, dtype=torch.float64))
        return None if variance is None else variance * (lags == 0)


class NoiseSource:
    """A noise model at one place of one layer, with a random stream of its own."""

    def __init__(
        self, model: NoiseModel, generator: torch.Generator, *, of_weights: bool = False
    ) -> None:
        """Put a model to work.

        Args:
            model: what is drawn.
            generator: this source's alone.
            of_weights: the signals are weights, (n_out, n_in), and each is a single read.
        """
        self.model = model
        self.memory = Memory(generator)
        self._of_weights = of_weights

    def __call__(
        self, signal: Float[Tensor, "reads *positions lines"], *, overwrite: bool = False
    ) -> Float[Tensor, "reads *positions lines"]:
        """Give a signal with this source's noise on it.

        The signal itself stays as it was, unless it may be overwritten, which saves time.
        """
        in_time = signal[None] if self._of_weights else signal.flatten(0, -2)
        with _no_grad():
            noisy = self.model.add_to(in_time, self.memory, overwrite=overwrite)
        return noisy if noisy.ndim == signal.ndim else noisy.view(signal.shape)

    def convert(
        self, signal: Float[Tensor, "reads *positions lines"], conversion: Conversion
    ) -> Float[Tensor, "reads *positions lines"]:
        """Put this source's noise on a signal, which may be overwritten, and convert the sum."""
        reads, of_reads = signal.flatten(0, -2), conversion.of_flat_reads
        with _no_grad():
            converted = self.model.add_and_convert(reads, self.memory, of_reads)
        return converted if converted.ndim == signal.ndim else converted.view(signal.shape)

    def state(self) -> dict[str, Tensor]:
        """See `Memory.state`."""
        return self.memory.state()

    def restore(self, state: dict[str, Tensor]) -> None:
        """See `Memory.restore`."""
        self.memory.restore(state)


class StackedSources:
    """Sources at the same place: each sees the signal as the one before it left it."""

    def __init__(self, sources: Sequence[NoiseSource]) -> None:
        """Put sources one behind the other."""
        self.sources = tuple(sources)

    def __call__(
        self, signal: Float[Tensor, "reads *positions lines"], *, overwrite: bool = False
    ) -> Float[Tensor, "reads *positions lines"]:
        """Give a signal with the noise of all sources on it; `overwrite` as for each of them."""
        for source in self.sources:
            signal, overwrite = source(signal, overwrite=overwrite), True
        return signal

    def convert(
        self, signal: Float[Tensor, "reads *positions lines"], conversion: Conversion
    ) -> Float[Tensor, "reads *positions lines"]:
        """Put all noise on a signal, which may be overwritten, and convert the sum."""
        for source in self.sources[:-1]:
            signal = source(signal, overwrite=True)
        return self.sources[-1].convert(signal, conversion)

    def state(self) -> dict[str, Tensor]:
        """The states of all sources, by number."""
        state: dict[str, Tensor] = {}
        for number, source in enumerate(self.sources):
            state |= prefixed(f"{number}", source.state())
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to an earlier state."""
        for number, source in enumerate(self.sources):
            source.restore(below(f"{number}", state))
