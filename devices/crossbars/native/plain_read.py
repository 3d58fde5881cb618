"""The usual small read on a processor, with nothing between its three steps.

    rows ← DAC(x) in x's own range,    a ← rows Wᵀ,    a ← ADC(a + σ ξ)

The numbers are those of `NativeCrossbar`, bit by bit. On small arrays what lies between the steps
takes longer than they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from devices.converters import SMALLEST, Converter
from devices.crossbars.native.device import NativeDevice
from devices.draws import add_normal_rounded
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
        self._dac, self._adc = device.input_converter, device.output_converter
        self._std = self._range = 0.0
        if (
            isinstance(source, NoiseSource)
            and type(source.model) is GaussianNoise
            and noise["input"] is None
            and noise["weight"] is None
            and device.conductance.read_noise == 0
            and _follows(self._dac)
            and self._adc.bits != "exact"
            and self._adc.range != "follow"
        ):
            self._source, self._std, self._range = source, source.model.std, self._adc.range

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
        rows, tops = torch.empty_like(x), np.empty(len(x), np.float32)
        _convert_following()(rows.numpy(), tops, x.numpy(), self._dac.levels, SMALLEST)
        a = functional.linear(rows, weights)
        tops *= self._range
        generator = self._source.memory.generator
        add_normal_rounded(a.numpy(), self._std, generator, tops, self._adc.levels)
        return a


def _follows(converter: Converter) -> bool:
    return converter.bits != "exact" and converter.range == "follow"


@cache
def _convert_following() -> Any:
    # numba takes long to import
    from devices.converters_kernel import convert_following

    return convert_following
