"""W R of a layer as one matrix, for passes whose x* nobody reads.

    a = W (R x) = (W R) x

R x costs n_in² a row, and forming W R once costs n_out·n_in²: it pays as soon as more than n_out
rows are read through it while neither matrix changes. How many will come is not known, so it is
formed when that many have come, which costs at most twice what the best choice would have.

It is the same to rounding alone, and only where both matrices are exact and nothing acts between
them: an ideal crossbar behind an R in the digital periphery.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from devices.crossbars.ideal import IdealCrossbar
from devices.decorrelation import DigitalDecorrelation


class SharedProduct:
    """W R, formed when it pays and held until one of the two changes.

    Attributes:
        decorrelation: holds R.
    """

    def __init__(self, crossbar: IdealCrossbar, decorrelation: DigitalDecorrelation) -> None:
        """Form nothing yet."""
        self._crossbar = crossbar
        self.decorrelation = decorrelation
        self._rows = 0
        self._product: Float[Tensor, "n_out n_in"] | None = None

    def for_rows(self, rows: int) -> Float[Tensor, "n_out n_in"] | None:
        """Give W R if it pays for so many rows more; None where W and R are to be read."""
        self._rows += rows
        if self._product is None and self._rows > len(self._crossbar.weights):
            self._product = self._crossbar.weights @ self.decorrelation.matrix
        return self._product

    def forget(self) -> None:
        """Start anew: W or R changes."""
        self._rows = 0
        self._product = None
