"""Native crossbars that stand for a bench: driven within its range, and pulsed cell by cell.

    reads      a = s read(x / s),   s = max(1, max|x| / largest input), for every drive
    changes    ΔW = -rate Σ_s d_s x_sᵀ

Both are the digital periphery's, as beside the bench (`devices.crossbars.bench`): what a column
adds to a read is s times as large in units of W x where a drive had to be scaled down by s. ΔW is
formed as a whole and pulsed, where a native crossbar would pulse rows and columns, sample by
sample; a bench that knows outer products does as native crossbars do.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor

from devices.crossbars.native.crossbar import NativeCrossbar
from devices.interface import Dense, Outer
from devices.ledger import Wear


class MockCrossbar(NativeCrossbar):
    """Scales drives into the bench's range, and carries out changes as the bench does."""

    def __init__(self, *array: Any, largest_input: float | None, pulses_outer: bool) -> None:
        """Draw an array's devices.

        Args:
            *array: what `NativeCrossbar` takes.
            largest_input: most that a row is driven with; None for no limit.
            pulses_outer: whether the bench knows outer products.
        """
        super().__init__(*array)
        self._largest_input, self._pulses_outer = largest_input, pulses_outer

    @property
    def wear(self) -> Wear:
        """See `devices.crossbars.base.Worn`."""
        return super().wear._replace(forms_products=not self._pulses_outer)

    def read(
        self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1
    ) -> Float[Tensor, "repeats_times_batch *positions n_out"]:
        """Give W x, driven within the bench's range."""
        scale = self._scale(x)
        if scale is None:
            return super().read(x, repeats)
        given = super().read(x / scale, repeats)
        return given.view(repeats, *scale.shape[:-1], -1).mul_(scale).view(given.shape)

    def read_transposed(self, y: Float[Tensor, "samples n_out"]) -> Float[Tensor, "samples n_in"]:
        """Give Wᵀ y, likewise."""
        scale = self._scale(y)
        if scale is None:
            return super().read_transposed(y)
        return super().read_transposed(y / scale).mul_(scale)

    def update(self, request: Outer | Dense) -> None:
        """Pulse the change, formed as a whole unless the bench knows outer products."""
        if isinstance(request, Outer) and not self._pulses_outer:
            request = Dense(-request.rate * request.d.T @ request.x)
        super().update(request)

    def _scale(self, drives: Float[Tensor, "*reads lines"]) -> Float[Tensor, "*reads 1"] | None:
        """By how much each drive is beyond the range of inputs, 1 within it; None if none is."""
        if self._largest_input is None:
            return None
        scale = (drives.abs().amax(-1, keepdim=True) / self._largest_input).clamp_(min=1)
        return scale if bool((scale > 1).any()) else None
