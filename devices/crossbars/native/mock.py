"""Native crossbars that stand for a bench whose pulses come cell by cell.

    ΔW = -rate Σ_s d_s x_sᵀ

is formed in the digital periphery, as it is beside the bench, and pulsed as a whole; a native
crossbar would pulse rows and columns, sample by sample.
"""

from __future__ import annotations

from devices.crossbars.native.crossbar import NativeCrossbar
from devices.interface import Dense, Outer


class MockCrossbar(NativeCrossbar):
    """Carries out outer products as dense changes."""

    def update(self, request: Outer | Dense) -> None:
        """Form ΔW, and pulse it."""
        if isinstance(request, Outer):
            request = Dense(-request.rate * request.d.T @ request.x)
        super().update(request)
