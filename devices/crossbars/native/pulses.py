"""Coincident pulses of a whole batch, counted at once.

For every sample, row i carries a train of BL slots with pulses of probability p_i, column j one
with q_j, and the cell is pulsed where both coincide (Gokmen and Vlasov, Front. Neurosci. 10:333,
2016). With the management of train lengths of aihwkit (its `update_management` and
`update_bl_management`; Gokmen, Onen and Haensch, 2017), for a request -rate · d xᵀ and a device
whose mean step is Δw:

    BL = min(⌈rate · max|x| · max|d| / Δw⌉, longest)
    p_i = |x_i| / max|x|
    q_j = min(1, |d_j| · rate · max|x| / (Δw BL))

A cell's coincidences in one sample are Binomial(BL, p_i q_j); up where d_j x_i < 0, otherwise
down. Over the batch their number has, for either direction,

    mean = Σ_s BL_s p q,    variance = mean - Σ_s BL_s (p q)²

which are four matrix products: sum and difference of the directions, of mean and of squares. The
number is drawn from the binomial with this mean and variance, N = mean² / squares trials of
probability squares / mean. That is exact where p q is the same in all samples; elsewhere the first
two moments are, and N is rounded at random to a whole number, which adds less than
(squares / mean)² / 4 to the variance. Cells are drawn independently of each other: that cells of
one line share its train, and so are slightly correlated within one sample, is left out.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from devices.draws import Randomness, normal_, uniform_

_TINY = 1e-12
_INVERSION = 9.0
"""Up to this mean a count is drawn by inversion, beyond it from the rounded normal."""
_LARGEST_INVERTED = 32
"""P(count > 32) < 2e-9 at a mean of 9."""


class Moments(NamedTuple):
    """Of the number of coincidences of every cell.

    Attributes:
        mean: Σ_s BL p q.
        squares: Σ_s BL (p q)².
    """

    mean: Float[Tensor, "n_out n_in"]
    squares: Float[Tensor, "n_out n_in"]


def coincidences(
    x: Float[Tensor, "samples n_in"],
    d: Float[Tensor, "samples n_out"],
    rate: float,
    step: float,
    longest: int,
) -> tuple[Moments, Moments]:
    """Give the moments of up and of down pulses for the request -rate Σ_s d_s x_sᵀ.

    Args:
        x: drives the rows.
        d: drives the columns.
        rate: the learning rate.
        step: the devices' mean step Δw.
        longest: slots of the longest train.
    """
    x_max = x.abs().amax(1, keepdim=True).clamp_(min=_TINY)
    d_max = d.abs().amax(1, keepdim=True).clamp_(min=_TINY)
    length = (rate / step * x_max * d_max).ceil_().clamp_(1, longest)
    p = x / x_max
    q = (d * (rate / step * x_max / length)).clamp_(-1, 1)
    weighted = q * length
    signed = weighted.T @ p
    total = weighted.abs_().T @ p.abs()
    # p |p| keeps the sign of p
    signed_squares = (q * q.abs() * length).T @ (p * p.abs())
    total_squares = q.square_().mul_(length).T @ p.square_()
    return (
        Moments(*_half_difference(total, signed, total_squares, signed_squares)),
        Moments(*_half_sum(total, signed, total_squares, signed_squares)),
    )


def coincidences_by_row(
    delta: Float[Tensor, "n_out n_in"], step: float, longest: int
) -> tuple[Moments, Moments]:
    """Give the moments of up and of down pulses when ΔW is written one row line after another.

    Every row is one sample: its x is 1 on that row alone, its d the row's part of -ΔW.
    """
    d_max = delta.abs().amax(0).clamp_(min=_TINY)
    length = (d_max / step).ceil_().clamp_(1, longest)
    probability = (delta / (step * length)).clamp_(-1, 1)
    # where the train is too short, the row's own pulses come in every slot
    up, down = probability.clamp(min=0), (-probability).clamp_(min=0)
    return (
        Moments(up * length, up.square() * length),
        Moments(down * length, down.square() * length),
    )


def slots_needed(
    x: Float[Tensor, "samples n_in"],
    d: Float[Tensor, "samples n_out"],
    rate: float,
    step: float,
) -> Float[Tensor, " samples"]:
    """Give how many slots the train of every sample needs for the request's largest change.

    What is asked beyond the longest train is lost. The arguments are those of `coincidences`.
    """
    return x.abs().amax(1).mul_(d.abs().amax(1)).mul_(abs(rate) / step)


def draw_counts(moments: Moments, source: Randomness) -> Float[Tensor, "n_out n_in"]:
    """Draw whole numbers of pulses with the given moments."""
    mean = moments.mean
    trials = mean.square().div_(moments.squares.clamp(min=_TINY))
    trials = trials.add_(uniform_(torch.empty_like(mean), source)).floor_().clamp_(min=1)
    probability = (mean / trials).clamp_(max=1)
    rarer = torch.minimum(probability, 1 - probability)
    invert = rarer * trials < _INVERSION
    u = uniform_(torch.empty_like(mean), source)
    few = _invert(trials, rarer, u.masked_fill_(~invert, -1))
    few = torch.where(probability > 0.5, trials - few, few)
    if mean.device.type == "cpu" and invert.all():
        return few
    # rounding to whole numbers adds a variance of 1/12
    spread = (mean * (1 - probability)).sub_(1 / 12).clamp_(min=0).sqrt_()
    many = normal_(torch.empty_like(mean), 1.0, source).mul_(spread).add_(mean).round_()
    return torch.where(invert, few, torch.minimum(many.clamp_(min=0), trials))


def _invert(trials: Tensor, probability: Tensor, u: Tensor) -> Tensor:
    """Draw Binomial(trials, probability ≤ 1/2) by inversion of its distribution function at u.

    Where u is negative nothing is wanted.
    """
    count = torch.zeros_like(u)
    # asking a tensor on a processor costs nothing, elsewhere it would wait for the device
    can_stop = u.device.type == "cpu"
    if can_stop and not (u > 0).any():
        return count
    mass = torch.exp((trials * torch.log1p(-probability)).clamp_(min=-50))
    odds = probability / (1 - probability)
    left = trials * odds
    u = u - mass
    more = torch.empty_like(u)
    for k in range(_LARGEST_INVERTED):
        torch.gt(u, 0, out=more)
        if can_stop and not more.any():
            break
        count.add_(more)
        mass.mul_(left).mul_(1 / (k + 1))
        left.sub_(odds).clamp_(min=0)
        u.sub_(mass)
    # the masses of all counts add up to 1 but for rounding, and u may lie above their sum
    return torch.minimum(count, trials)


def _half_sum(total: Tensor, signed: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
    more = _half_sum(*rest) if rest else ()
    return ((total + signed).mul_(0.5).clamp_(min=0), *more)


def _half_difference(total: Tensor, signed: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
    more = _half_difference(*rest) if rest else ()
    return ((total - signed).mul_(0.5).clamp_(min=0), *more)
