"""A converter with noise in front of it, as a chip reads its columns out."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from devices.converters import Converter
from devices.noise.base import StackedSources


class NoisyConverter:
    """A converter with noise in front of it, as a chip's read-out."""

    def __init__(self, converter: Converter, noise: StackedSources | None) -> None:
        """Put the noise in front."""
        self._converter = converter
        self._noise = noise

    def __call__(self, signal: Float[Tensor, "*reads lines"]) -> Float[Tensor, "*reads lines"]:
        """Give the signal as converted; the signal itself stays as it was."""
        return self._converter(signal if self._noise is None else self._noise(signal))

    def state(self) -> dict[str, Tensor]:
        """Of the noise."""
        return {} if self._noise is None else self._noise.state()

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to an earlier state of the noise."""
        if self._noise is not None:
            self._noise.restore(state)
