"""Stochastic pulse trains, played slot by slot (Gokmen and Vlasov, Front. Neurosci. 10:333, 2016).

For every sample, row i carries a train of BL slots with pulses of probability p_i, column j one
with q_j, and the cell is pulsed in every slot where both coincide. With the management of train
lengths of aihwkit (its `update_management` and `update_bl_management`; Gokmen, Onen and Haensch,
2017), for a request -rate · d xᵀ and a device whose mean step is Δw:

    BL = min(⌈|rate| · max|x| · max|d| / Δw⌉, longest)
    p_i = |x_i| / max|x|
    q_j = min(1, |d_j| · |rate| · max|x| / (Δw BL))

A cell's coincidences in one sample are Binomial(BL, p_i q_j); up where rate d_j x_i < 0, otherwise
down. All cells of a line share its train. A sample that asks nothing has no slots. The work is to
draw the lines in the slots that are asked, Σ_s BL_s (n_in + n_out), and what coincides in them.

When ΔW is written one row line after another, every row is a sample of its own: its x is 1 on that
row alone, and its d the row's part of -ΔW, so that all cells are independent.

A processor plays with compiled loops (`pulses_kernel.py`). Elsewhere only the device knows how
long the trains are, and asking would wait for it: there all `longest` slots are drawn, those
beyond BL count for nothing, and the coincidences are two products of matrices of 0 and ±1, which
are exact below 2²⁴ slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from devices.draws import draw_key, uniform_
from devices.threads import for_each, has_kernel, share

_TINY = 1e-30
_KEPT = 2**23
"""Bytes of drawn lines at once, which stay in a processor's cache."""
_DRAWN = 2**24
"""Numbers drawn at once elsewhere."""


class Pulses(NamedTuple):
    """What a request came to.

    Attributes:
        up: of every cell, whole numbers; NaN where the request was not finite.
        down: likewise.
        trains: how many were looked at, those of them that were too short (what is asked beyond
            `longest` pulses is lost), and the slots of all together.
        most: pulses that no cell was given more of.
    """

    up: Float[Tensor, "n_out n_in"]
    down: Float[Tensor, "n_out n_in"]
    trains: Int[Tensor, "3"]
    most: int


def pulse_outer(
    x: Float[Tensor, "samples n_in"],
    d: Float[Tensor, "samples n_out"],
    rate: float,
    step: float,
    longest: int,
    generator: torch.Generator,
) -> Pulses:
    """Play the trains of the request -rate Σ_s d_s x_sᵀ, a train a sample.

    Args:
        x: drives the rows.
        d: drives the columns.
        rate: the learning rate.
        step: the devices' mean step Δw.
        longest: slots of the longest train.
        generator: decides in which slots lines are pulsed.
    """
    if has_kernel(x) and has_kernel(d):
        return _play(x.contiguous(), d.contiguous(), rate / step, longest, draw_key(generator))
    x_max, d_max = x.abs().amax(1, keepdim=True), d.abs().amax(1, keepdim=True)
    asked = (x_max * d_max).mul_(abs(rate) / step)
    slots = asked.ceil().clamp_(max=longest)
    p = x / x_max.clamp(min=_TINY)
    q = d * (x_max / slots.clamp(min=1)).mul_(-rate / step)
    signed, total = d.new_zeros(2, d.shape[1], x.shape[1])
    for numbers in _slots(longest, p.numel() + q.numel(), x.device):
        rows = _pulsed(p, numbers, generator).flatten(0, 1)
        columns = _pulsed(q, numbers, generator).mul_(numbers < slots).flatten(0, 1)
        signed.addmm_(columns.T, rows)
        total.addmm_(columns.abs_().T, rows.abs_())
    total += _nothing(asked)
    up, down = (total + signed).div_(2), (total - signed).div_(2)
    return Pulses(up, down, _trains(asked, longest), len(x) * longest)


def pulse_rows(
    delta: Float[Tensor, "n_out n_in"], step: float, longest: int, generator: torch.Generator
) -> Pulses:
    """Play the trains that write ΔW one row line after another, a train a row.

    Args:
        delta: the change.
        step: the devices' mean step Δw.
        longest: slots of the longest train.
        generator: decides in which slots lines are pulsed.
    """
    asked = delta.abs().amax(0).div_(step)
    slots = asked.nan_to_num().ceil_().clamp_(max=longest)
    # beyond 1 the train is too short, and the line is pulsed in every slot
    probability = delta / (slots.clamp(min=1) * step)
    if has_kernel(probability):
        signed = _play_rows(probability, slots, draw_key(generator))
    else:
        signed = torch.zeros_like(probability)
        for numbers in _slots(longest, signed.numel(), delta.device):
            signed += _pulsed(probability, numbers, generator).mul_(numbers < slots).sum(0)
    signed += _nothing(asked)
    up, down = signed.clamp(min=0), (-signed).clamp_(min=0)
    return Pulses(up, down, _trains(asked, longest), longest)


def kept_slots(n_out: int, n_in: int) -> int:
    """Give how many slots' lines are kept at once on a processor."""
    return _KEPT // (3 * n_in + n_out)


def _slots(longest: int, lines: int, device: torch.device) -> Sequence[Int[Tensor, "slots 1 1"]]:
    """Number all slots, as many at once as can be drawn."""
    at_once = max(1, _DRAWN // max(1, lines))
    numbers = torch.arange(longest, device=device)[:, None, None]
    return tuple(numbers[first : first + at_once] for first in range(0, longest, at_once))


def _pulsed(
    probability: Float[Tensor, "samples lines"],
    slots: Int[Tensor, "slots 1 1"],
    generator: torch.Generator,
) -> Float[Tensor, "slots samples lines"]:
    """Draw which lines are pulsed in some slots: 0, or the probability's sign."""
    u = uniform_(probability.new_empty(len(slots), *probability.shape), generator)
    return torch.where(u < probability.abs(), probability.sign(), 0.0)


def _nothing(asked: Tensor) -> Tensor:
    """Give 0, but NaN where a request is not finite: it shall not pass for one of nothing."""
    return (asked * 0).sum()


def _trains(asked: Tensor, longest: int) -> Int[Tensor, "3"]:
    too_short = (asked > longest).sum()
    slots = asked.nan_to_num().ceil().clamp_(max=longest).sum(dtype=torch.int64)
    return torch.stack([torch.full_like(too_short, asked.numel()), too_short, slots])


class _Trains(NamedTuple):
    """What a processor plays from; arrays as `pulses_kernel.measure` has them."""

    x: NDArray[np.float32]
    d: NDArray[np.float32]
    tops: NDArray[np.float32]
    slots: NDArray[np.int64]
    ends: NDArray[np.int64]


def _play(x: Tensor, d: Tensor, steps: float, longest: int, key: int) -> Pulses:
    """Play the trains of -steps · Δw Σ_s d_s x_sᵀ on a processor."""
    # numba takes long to import
    from devices.crossbars.native.pulses_kernel import measure

    (samples, n_in), n_out = x.shape, d.shape[1]
    up, down = torch.zeros(n_out, n_in), torch.zeros(n_out, n_in)
    tops, (slots, ends) = np.empty(samples, np.float32), np.empty((2, samples), np.int64)
    trains = _Trains(x.numpy(), d.numpy(), tops, slots, ends)
    too_short = measure(*trains[:2], abs(steps), longest, *trains[2:])
    if too_short < 0:
        up.fill_(torch.nan)
        down.fill_(torch.nan)
    at_once = max(longest, kept_slots(n_out, n_in))
    begin = done = 0
    while begin < samples:
        end = int(ends.searchsorted(done + at_once, "right"))
        played = int(ends[end - 1]) - done
        _play_some(trains, (begin, end), (done, played), steps, key, (up.numpy(), down.numpy()))
        begin, done = end, done + played
    counted = torch.tensor([samples, max(0, too_short), int(ends[-1]) if samples else 0])
    return Pulses(up, down, counted, samples * longest)


def _play_some(
    trains: _Trains,
    samples: tuple[int, int],
    slots: tuple[int, int],
    steps: float,
    key: int,
    counts: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> None:
    """Add the coincidences of samples [begin, end): so many slots after so many done before."""
    from devices.crossbars.native.pulses_kernel import EIGHT, count, play

    (begin, end), (done, played) = samples, slots
    n_out, n_in = counts[0].shape
    eights = -(-n_out // EIGHT)
    rows = np.empty((played, 3 * n_in), np.uint8)
    columns = np.zeros((played, eights), np.uint64)
    lines = rows, columns.view(np.uint8)
    of_samples = share(end - begin, (n_in + n_out) * (1 + played // (end - begin)))
    of_eights = share(eights, EIGHT * n_in)

    def play_samples(first: int) -> None:
        play(*trains, first, min(first + of_samples, end), done, steps, key, *lines)

    def count_columns(first: int) -> None:
        count(rows, columns, first, min(first + of_eights, eights), True, *counts)

    for_each(play_samples, range(begin, end, of_samples))
    for_each(count_columns, range(0, eights, of_eights))


def _play_rows(probability: Tensor, slots: Tensor, key: int) -> Tensor:
    """Give up minus down pulses, of which every cell has those of one direction alone."""
    from devices.crossbars.native.pulses_kernel import play_rows

    n_out, n_in = probability.shape
    signed = torch.empty_like(probability, memory_format=torch.contiguous_format)
    arrays = probability.contiguous().numpy(), slots.numpy(), signed.numpy()
    at_once = share(n_out, n_in)

    def play_columns(first: int) -> None:
        part = slice(first, first + at_once)
        play_rows(arrays[0][part], arrays[1], first, key, arrays[2][part])

    for_each(play_columns, range(0, n_out, at_once))
    return signed
