"""What becomes of a trained network after its training: read again, aged, with cells failing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from substrate.record.base import Part

What = Literal["read again", "drift", "failing cells"]


class Afterwards(Part):
    """The network of one seed, tested under one condition.

    Attributes:
        what: was done to it.
        amount: seconds since the training, or the fraction of cells that failed; 0 of a read.
        test_loss: then; None where it was not tried, or is not finite.
        test_accuracy: likewise; None in a regression, too.
        untried: why it was not tried.
    """

    what: What
    amount: float = Field(ge=0)
    test_loss: float | None = None
    test_accuracy: float | None = None
    untried: str | None = None
