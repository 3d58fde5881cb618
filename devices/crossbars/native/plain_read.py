"""The usual small read on a processor, with nothing between its three steps.

    rows ← DAC(x) in x's own range,    a ← rows Wᵀ,    a ← ADC(a + σ ξ)

The numbers are those of `NativeCrossbar`, bit by bit. On small arrays what lies between the steps
takes longer than they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from devices.converters import SMALLEST
from devices.crossbars.native.device import NativeDevice
from devices.draws import add_normal_rounded, draw_keys_
from devices.noise.base import NoiseSource, StackedSources
from devices.noise.gaussian import GaussianNoise
from devices.threads import WORTHWHILE, has_kernel


class PlainRead:
    """Reads of an array whose DAC follows, whose ADC has a range, and whose noise is Gaussian."""

    def __init__(
        self, device: NativeDevice, noise: Mapping[str, NoiseSource | StackedSources | None]
    ) -> None:
        """Look at what an array is made of.

        Args:
            device: its converters and its read noise.
            noise: the scenario's, by place: input, weight and output.
        """
        source = noise["output"]
        if isinstance(source, StackedSources) and len(source.sources) == 1:
            (source,) = source.sources
        self._source: NoiseSource | None = None
        dac, adc = device.input_converter, device.output_converter
        if (
            isinstance(source, NoiseSource)
            and type(source.model) is GaussianNoise
            and noise["input"] is None
            and noise["weight"] is None
            and device.conductance.read_noise == 0
            and dac.bits != "exact"
            and dac.range == "follow"
            and adc.bits != "exact"
            and adc.range != "follow"
        ):
            self._source, self._std = source, source.model.std
            self._levels, self._range = (dac.levels, adc.levels), adc.range
        self._key = torch.empty(1, dtype=torch.int64)
        self._drawn = self._key.numpy().view(np.uint64)
        self._drives = _Drives.of(torch.empty(0, 0))

    def takes(self, x: Tensor) -> bool:
        """Whether `read` does it."""
        return (
            self._source is not None
            and x.ndim == 2
            and x.numel() <= WORTHWHILE  # beyond, further threads help
            and has_kernel(x)
            and x.is_contiguous()
            and not x.requires_grad
        )

    def read(
        self, x: Float[Tensor, "reads n_in"], weights: Float[Tensor, "n_out n_in"]
    ) -> Float[Tensor, "reads n_out"]:
        """Drive an array that holds some weights with `x`, one that it takes."""
        assert self._source is not None
        if self._drives.rows.shape != x.shape:
            self._drives = _Drives.of(torch.empty_like(x))
        rows, converted, tops = self._drives
        of_dac, of_adc = self._levels
        _convert_following()(converted, tops, x.numpy(), of_dac, SMALLEST, self._range)
        a = functional.linear(rows, weights)
        draw_keys_(self._key, self._source.memory.generator)
        add_normal_rounded(a.numpy(), self._std, self._drawn[0], tops, of_adc)
        return a


class _Drives(NamedTuple):
    """Room for what the rows of the last read were driven with: to find it anew takes longer.

    Attributes:
        rows: (reads, n_in).
        converted: the same memory.
        full_scale: of the ADCs in every read.
    """

    rows: Tensor
    converted: NDArray[np.float32]
    full_scale: NDArray[np.float32]

    @classmethod
    def of(cls, rows: Tensor) -> _Drives:
        return cls(rows, rows.numpy(), np.empty(len(rows), np.float32))


@cache
def _convert_following() -> Any:
    # numba takes long to import
    from devices.converters_kernel import convert_following

    return convert_following
