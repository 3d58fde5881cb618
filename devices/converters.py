"""Converters between the digital and the analog side: DACs at the rows, ADCs at the columns.

    Δ = range / (2^(bits - 1) - 1)
    converted = clip(round(value / Δ), ±(2^(bits - 1) - 1)) · Δ

A signed converter of n bits has 2ⁿ - 1 levels, zero among them. Its range is fixed, or follows the
largest |value| of every read, as the noise management of aihwkit does (Gokmen, Onen and Haensch,
Front. Neurosci. 2017): then nothing saturates, but Δ differs from read to read.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat
from torch import Tensor

from devices.noise.base import StackedSources

_SMALLEST = 1e-30


class Converter(BaseModel):
    """Resolution and range. Called with a signal it is a read-out converter of a chip."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bits: Annotated[int, Field(ge=2, le=24)] | Literal["exact"] = Field(
        "exact", description="Resolution in bits, or exact: infinitely fine."
    )
    range: PositiveFloat | Literal["follow"] = Field(
        "follow",
        description="Largest |value| that can be represented, in units of the signal; what lies "
        "beyond saturates. follow: the largest |value| of every read.",
    )

    @property
    def exact(self) -> bool:
        """Whether every value passes unchanged."""
        return self.bits == "exact" and self.range == "follow"

    def full_scale(self, signal: Float[Tensor, "*reads lines"]) -> Tensor | float:
        """The range in every read: fixed, or (*reads, 1)."""
        if self.range != "follow":
            return self.range
        return torch.maximum(signal.amax(-1, True), -signal.amin(-1, True)).clamp_(min=_SMALLEST)

    def convert(
        self,
        signal: Float[Tensor, "*reads lines"],
        full_scale: Tensor | float,
        out: Float[Tensor, "*reads lines"] | None = None,
    ) -> Float[Tensor, "*reads lines"]:
        """Give the signal as converted between ±full_scale, in a new tensor or in `out`."""
        if self.bits == "exact":
            if isinstance(full_scale, Tensor):
                return torch.clamp(signal, -full_scale, full_scale, out=out)
            return torch.clamp(signal, -full_scale, full_scale, out=out)
        levels: int = 2 ** (self.bits - 1) - 1
        step = full_scale / levels
        counts: Tensor = torch.div(signal, step, out=out).round_()
        if self.range != "follow":
            counts.clamp_(-levels, levels)
        return counts.mul_(step)

    def __call__(self, signal: Float[Tensor, "*reads lines"]) -> Float[Tensor, "*reads lines"]:
        """Give the signal as converted in its own range; the signal itself stays as it was."""
        return self.convert(signal, self.full_scale(signal))


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
