"""Conductance drift.

    G(t) = G(t_0) · (t / t_0)^(-ν)   for t > t_0,    ν ~ N(nu, (nu · nu_spread)²) for every cell

t counts from the programming of the array (Le Gallo et al., Adv. Electron. Mater. 4:1700627, 2018;
the form that aihwkit uses too). Pulses do not set the clock back: only programming does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat

from devices.deferred import torch
from devices.draws import normal_

if TYPE_CHECKING:
    from torch import Tensor


class Drift(BaseModel):
    """How conductances decay, and how time goes on."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    nu: NonNegativeFloat = Field(0.0, description="Mean drift exponent ν; 0 is no drift.")
    nu_spread: NonNegativeFloat = Field(
        0.0, description="Cell-to-cell standard deviation of ν, a fraction of nu."
    )
    t_0: PositiveFloat = Field(20.0, description="When drift sets in after programming, seconds.")
    start: NonNegativeFloat = Field(
        0.0, description="Time from programming to the first read, seconds."
    )
    seconds_per_read: NonNegativeFloat = Field(
        0.0, description="Time from one read of the array to the next, seconds."
    )


def draw_exponents(drift: Drift, pair: Tensor, generator: torch.Generator) -> Tensor:
    """Draw ν ≥ 0 of every cell, in the shape of the pair."""
    nu = normal_(torch.empty_like(pair), drift.nu * drift.nu_spread, generator)
    return nu.add_(drift.nu).clamp_(min=0)


def decayed(
    drift: Drift,
    pair: Float[Tensor, "2 n_out n_in"],
    nu: Float[Tensor, "2 n_out n_in"],
    seconds: float,
) -> Float[Tensor, "2 n_out n_in"]:
    """Give the pair `seconds` after it was programmed."""
    if seconds <= drift.t_0:
        return pair
    return pair * torch.exp(nu * -math.log(seconds / drift.t_0))
