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

from collections.abc import Callable
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict
from torch import Tensor

_GENERATOR = "generator"


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

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]

    def sample(
        self, signal: Float[Tensor, reads *lines], memory: Memory
    ) -> Float[Tensor, reads *lines]:
        """Draw the noise to be added to a signal: a new tensor, on the signal's device."""
        raise NotImplementedError

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

    def __init__(self, model: NoiseModel, generator: torch.Generator) -> None:
        """Put a model to work; `generator` is this source's alone."""
        self.model = model
        self.memory = Memory(generator)

    @torch.no_grad()
    def __call__(
        self, signal: Float[Tensor, "reads *positions lines"]
    ) -> Float[Tensor, "reads *positions lines"]:
        """Give a signal with this source's noise on it; the signal itself stays as it was."""
        in_time = signal.flatten(0, -2)
        return self.model.sample(in_time, self.memory).add_(in_time).view(signal.shape)

    @torch.no_grad()
    def disturb_weights(self, weights: Float[Tensor, "n_out n_in"]) -> Float[Tensor, "n_out n_in"]:
        """Give the weights as one read finds them."""
        return self.model.sample(weights[None], self.memory).squeeze(0).add_(weights)

    def state(self) -> dict[str, Tensor]:
        """See `Memory.state`."""
        return self.memory.state()

    def restore(self, state: dict[str, Tensor]) -> None:
        """See `Memory.restore`."""
        self.memory.restore(state)
