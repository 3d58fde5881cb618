"""Converters between the digital and the analog side: DACs at the rows, ADCs at the columns.

    Δ = range / (2^(bits - 1) - 1)
    converted = clip(round(value / Δ), ±(2^(bits - 1) - 1)) · Δ

A signed converter of n bits has 2ⁿ - 1 levels, zero among them. Its range is fixed, or follows the
largest |value| of every read, as the noise management of aihwkit does (Gokmen, Onen and Haensch,
Front. Neurosci. 2017): then nothing saturates, but Δ differs from read to read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

from devices.deferred import torch
from devices.draws import Rounding
from devices.threads import for_each, has_kernel, share

if TYPE_CHECKING:
    from torch import Tensor

SMALLEST = 1e-30


class Converter(BaseModel):
    """Resolution and range. Called with a signal it is a read-out converter of a chip."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

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
        return torch.maximum(signal.amax(-1, True), -signal.amin(-1, True)).clamp_(min=SMALLEST)

    def convert(
        self,
        signal: Float[Tensor, "*reads lines"],
        full_scale: Tensor | float,
        out: Float[Tensor, "*reads lines"] | None = None,
    ) -> Float[Tensor, "*reads lines"]:
        """Give the signal as converted between ±full_scale, in a new tensor or in `out`."""
        if self.bits == "exact":
            # torch's types allow two numbers or two tensors, and not the one or the other
            return torch.clamp(signal, -full_scale, full_scale, out=out)  # type: ignore[arg-type]
        levels = self.levels
        step = full_scale / levels
        counts: Tensor = torch.div(signal, step, out=out).round_()
        if self.range != "follow":
            counts.clamp_(-levels, levels)
        return counts.mul_(step)

    def convert_in_own_range(
        self,
        signal: Float[Tensor, "*reads lines"],
        out: Float[Tensor, "*reads lines"] | None = None,
    ) -> tuple[Float[Tensor, "*reads lines"], Tensor | float]:
        """Give the signal as converted, in a new tensor or in `out`, and the range it was."""
        compiles = self.range == "follow" and self.bits != "exact" and has_kernel(signal)
        laid_out = signal.is_contiguous() and (out is None or out.is_contiguous())
        if not compiles or signal.requires_grad or not laid_out:
            full_scale = self.full_scale(signal)
            return self.convert(signal, full_scale, out), full_scale
        out = torch.empty_like(signal) if out is None else out
        tops = signal.new_empty(*signal.shape[:-1], 1)
        lines = signal.shape[-1]
        arrays = (
            *(out.numpy().reshape(-1, lines), tops.numpy().reshape(-1)),
            signal.numpy().reshape(-1, lines),
        )
        convert_following = _kernel()
        at_once = share(len(arrays[1]), lines)

        def convert_reads(first: int) -> None:
            converted, found, reads = (each[first : first + at_once] for each in arrays)
            convert_following(converted, found, reads, self.levels, SMALLEST, 1.0)

        for_each(convert_reads, range(0, len(arrays[1]), at_once))
        return out, tops

    def __call__(self, signal: Float[Tensor, "*reads lines"]) -> Float[Tensor, "*reads lines"]:
        """Give the signal as converted in its own range; the signal itself stays as it was."""
        return self.convert_in_own_range(signal)[0]

    @property
    def levels(self) -> int:
        """Levels to either side of zero."""
        assert self.bits != "exact"
        return int(2 ** (self.bits - 1)) - 1


@cache
def _kernel() -> Any:
    # numba takes long to import
    from devices.converters_kernel import convert_following

    return convert_following


@dataclass(frozen=True)
class Conversion:
    """A converter with the range that it has for the reads at hand.

    Attributes:
        converter: what converts.
        full_scale: its range, one for all reads or (*reads, 1).
    """

    converter: Converter
    full_scale: Tensor | float

    def __call__(self, signal: Float[Tensor, "*reads lines"]) -> Float[Tensor, "*reads lines"]:
        """Convert a signal in its own memory."""
        return self.converter.convert(signal, self.full_scale, out=signal)

    @property
    def of_flat_reads(self) -> Conversion:
        """The same for the signal with all its reads along one axis."""
        if not isinstance(self.full_scale, torch.Tensor):
            return self
        return Conversion(self.converter, self.full_scale.flatten(0, -2))

    def rounding_of(self, signal: Float[Tensor, "*reads lines"]) -> Rounding | None:
        """Give what `devices.draws` can do of it on the way, if it can."""
        fixed = self.converter.bits != "exact" and self.converter.range != "follow"
        if not fixed or not has_kernel(signal):
            return None
        full_scale = self.full_scale
        if not isinstance(full_scale, torch.Tensor):
            full_scale = signal.new_tensor(full_scale)
        return Rounding(full_scale.view(-1), self.converter.levels)
