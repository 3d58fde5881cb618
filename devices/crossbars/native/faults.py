"""Cells that cannot be written.

    stuck low:   G = g_min        stuck high:  G = g_max        open:  G = 0

No current flows through a cell that is stuck at G = 0, so that it has no read noise either.
Each of the two cells of a weight fails on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator

from devices.crossbars.native.conductance import Conductance
from devices.deferred import torch
from devices.draws import uniform_

if TYPE_CHECKING:
    from torch import Tensor


class Faults(BaseModel):
    """How many cells of an array are faulty."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    stuck_low: float = Field(0.0, ge=0, le=1, description="Fraction of cells stuck at g_min.")
    stuck_high: float = Field(0.0, ge=0, le=1, description="Fraction of cells stuck at g_max.")
    open: float = Field(0.0, ge=0, le=1, description="Fraction of cells that do not conduct.")

    @model_validator(mode="after")
    def _fractions_fit(self) -> "Faults":
        if self.total > 1:
            raise ValueError(f"stuck_low + stuck_high + open is {self.total:g}, more than all")
        return self

    @property
    def total(self) -> float:
        """Fraction of faulty cells."""
        return self.stuck_low + self.stuck_high + self.open


def draw_faults(
    faults: Faults,
    window: Conductance,
    shape: tuple[int, ...],
    generator: torch.Generator,
    device: torch.device,
) -> Float[Tensor, "2 n_out n_in"]:
    """Draw the conductance at which every cell is stuck, siemens; NaN where a cell works."""
    u = uniform_(torch.empty(shape, device=device), generator)
    stuck = torch.full_like(u, float("nan"))
    edge = 0.0
    for fraction, conductance in (
        (faults.stuck_low, window.g_min),
        (faults.stuck_high, window.g_max),
        (faults.open, 0.0),
    ):
        stuck.masked_fill_((u >= edge) & (u < edge + fraction), conductance)
        edge += fraction
    return stuck


def draw_broken(
    fraction: float, window: Conductance, pair: Tensor, generator: torch.Generator
) -> Float[Tensor, "2 n_out n_in"]:
    """Draw cells that fail in use, half stuck at g_min and half at g_max; NaN where one works.

    Of one stream, those of a small fraction are among those of a larger one.
    """
    home = generator.device
    fails, high = (
        uniform_(torch.empty(pair.shape, device=home), generator).to(pair.device) for _ in range(2)
    )
    stuck = torch.where(high < 0.5, window.g_max, window.g_min)
    return torch.where(fails < fraction, stuck, float("nan"))


def with_faults(
    pair: Float[Tensor, "2 n_out n_in"], stuck: Float[Tensor, "2 n_out n_in"]
) -> Float[Tensor, "2 n_out n_in"]:
    """Give the pair with faulty cells where they are stuck."""
    return torch.where(stuck.isnan(), pair, stuck)
