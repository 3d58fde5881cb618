"""Weights as differences of two conductances in a finite window.

    W = (G⁺ - G⁻) / (g_max - g_min) · w_range,    w_range = max(w_max, -w_min)

Programming is one-sided (as in Joshi et al., Nat. Commun. 11:2473, 2020): the cell that carries the
sign is raised above g_min, the other one rests at g_min. With g = G / g_max:

    programmed:  G = max(0, level(G_target) + ξ · g_max (c_0 + c_1 g + c_2 g² + …))
    read:        G + ξ σ_G,    σ_G = g_max · read_noise · g^read_noise_exponent

What is aimed at lies within the device's bounds, and levels end at g_max, also for a device whose
own w_max lies above. What is programmed scatters around its aim there as elsewhere, on both sides
of a bound: bounds are where pulses stop, and the error is that of a loop that reads and corrects
until a cell is near enough (`response.py` has what pulses do beyond them).

ξ is standard normal, drawn afresh for every programming and every read. Read noise of independent
cells adds up along a column, so that the noise of one read is, exactly in distribution, Gaussian
with the variance

    var(a_i) = Σ_j (σ_{G⁺,ij}² + σ_{G⁻,ij}²) x_j² · (w_range / (g_max - g_min))²

which costs one more matrix product where drawing it cell by cell would cost a number for every
cell and sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from jaxtyping import Bool, Float
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    NegativeFloat,
    NonNegativeFloat,
    PositiveFloat,
    model_validator,
)

from devices.deferred import torch
from devices.draws import normal_

if TYPE_CHECKING:
    from torch import Tensor

Polynomial = Annotated[
    tuple[FiniteFloat, ...],
    Field(min_length=1),
    BeforeValidator(lambda value: (value,) if isinstance(value, int | float) else value),
]
"""Coefficients, lowest power first; a single number is a constant."""


class Conductance(BaseModel):
    """The window of conductances, how exactly they are programmed, and how they fluctuate.

    The defaults are those of no one device: bounds spread as Gokmen and Vlasov specify (Front.
    Neurosci. 10:333, 2016), read noise as aihwkit gives it for the ReRAM of Wan et al. (Nature
    608:504, 2022), about 1 % and the same at all conductances; the window and the programming
    error are round figures.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    # a value in µS, as a lab writes it, is beyond any cell
    g_min: NonNegativeFloat = Field(
        1e-7, lt=1, description="Lowest conductance of a cell, siemens."
    )
    g_max: PositiveFloat = Field(25e-6, lt=1, description="Highest conductance of a cell, siemens.")
    w_max: PositiveFloat = Field(1.0, description="Highest weight of a device.")
    w_min: NegativeFloat = Field(-1.0, description="Lowest weight of a device.")
    w_max_spread: NonNegativeFloat = Field(
        0.3, description="Device-to-device standard deviation of w_max, a fraction of it."
    )
    w_min_spread: NonNegativeFloat = Field(
        0.3, description="Device-to-device standard deviation of w_min, a fraction of it."
    )
    levels: Annotated[int, Field(ge=2)] | Literal["any"] = Field(
        "any",
        description="Number of conductances that programming aims at, evenly spaced from g_min to "
        "g_max, or any.",
    )
    programming_error: Polynomial = Field(
        (0.01,),
        description="Standard deviation of a programmed conductance, a fraction of g_max; a list "
        "gives a polynomial in G / g_max, lowest power first.",
    )
    read_noise: NonNegativeFloat = Field(
        0.01,
        description="Standard deviation of a cell at g_max, afresh in every read, a fraction of "
        "g_max.",
    )
    read_noise_exponent: NonNegativeFloat = Field(
        0.0, description="p of σ_G ∝ G^p: 0 the same at all conductances, 1 proportional."
    )

    @model_validator(mode="after")
    def _window_is_open(self) -> "Conductance":
        if self.g_min >= self.g_max:
            raise ValueError(f"g_min ({self.g_min:g} S) must lie below g_max ({self.g_max:g} S)")
        return self

    @property
    def w_range(self) -> float:
        """The weight of G⁺ = g_max, G⁻ = g_min."""
        return max(self.w_max, -self.w_min)

    @property
    def weight_per_siemens(self) -> float:
        """w_range / (g_max - g_min)."""
        return self.w_range / (self.g_max - self.g_min)


def to_pair(
    window: Conductance, weights: Float[Tensor, "n_out n_in"]
) -> Float[Tensor, "2 n_out n_in"]:
    """Give the pair that holds the weights, one-sided."""
    return (
        torch.stack([weights.clamp(min=0), (-weights).clamp_(min=0)])
        .div_(window.weight_per_siemens)
        .add_(window.g_min)
    )


def to_weights(
    window: Conductance, pair: Float[Tensor, "2 n_out n_in"]
) -> Float[Tensor, "n_out n_in"]:
    """Give the weights that a pair stands for."""
    return (pair[0] - pair[1]).mul_(window.weight_per_siemens)


def program_pair(
    window: Conductance,
    target: Float[Tensor, "2 n_out n_in"],
    generator: torch.Generator,
    reach: Float[Tensor, "2 #n_out #n_in"] | None = None,
) -> Float[Tensor, "2 n_out n_in"]:
    """Write a pair: to the nearest level, with programming error, within [0, ∞).

    Args:
        window: of all cells.
        target: what is asked for, siemens.
        generator: draws the error.
        reach: the highest that every cell can be aimed at, siemens, where a level may be higher.
    """
    pair = target.clamp(min=window.g_min)
    if window.levels != "any":
        step = (window.g_max - window.g_min) / (window.levels - 1)
        level = pair.sub_(window.g_min).div_(step).round_().clamp_(max=window.levels - 1)
        pair = level.mul_(step).add_(window.g_min)
        if reach is not None:
            pair = torch.minimum(pair, reach)
    if any(window.programming_error):
        spread = torch.zeros_like(pair)
        for coefficient in reversed(window.programming_error):
            spread.mul_(pair / window.g_max).add_(coefficient)
        error = normal_(torch.empty_like(pair), window.g_max, generator)
        pair.addcmul_(spread, error).clamp_(min=0)
    return pair


def read_variance(
    window: Conductance,
    pair: Float[Tensor, "2 n_out n_in"],
    conducts: Bool[Tensor, "2 n_out n_in"] | None = None,
) -> Float[Tensor, "n_out n_in"]:
    """Variance of every weight in one read.

    Args:
        window: of all cells.
        pair: their conductances, siemens.
        conducts: which are connected; all are without it.
    """
    sigma = window.read_noise * window.g_max * window.weight_per_siemens
    relative = (pair / window.g_max).clamp_(min=0)
    relative.pow_(2 * window.read_noise_exponent)
    if conducts is not None:
        relative.mul_(conducts)
    return relative.sum(0).mul_(sigma**2)
