"""The loops of `pulses_kernel.py` and `response_kernel.py` one after another, in a single call."""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from devices.compiled import compiled, use_wide_vectors
from devices.crossbars.native.pulses_kernel import EIGHT, count, measure, play
from devices.crossbars.native.response_kernel import pulse
from devices.draws_kernel import TILE

_f = np.float32
_MATRICES = ", ".join(["float32[:,::1]"] * 7)


@compiled(
    f"void(float32[:,::1], float32[:,::1], float32, int64, uint64[::1], {_MATRICES}, float32,"
    " float32, boolean, float32[:,::1], int64[::1])"
)
@no_type_check
def pulse_in_one_go(
    x,
    d,
    steps,
    longest,
    keys,
    weights,
    w_max,
    w_min,
    step_up,
    step_down,
    slope_up,
    slope_down,
    largest,
    spread,
    multiplicative,
    counted,
    trains,
):
    """Pulse -steps · Δw Σ_s d_s x_sᵀ, in place.

    Args:
        x: (samples, n_in).
        d: (samples, n_out).
        steps: rate / Δw.
        longest: slots of the longest train.
        keys: of the trains and of the cycle spread.
        weights: (n_out, n_in).
        w_max: as `response_kernel.pulse` has it; and so are the next eight.
        w_min: likewise.
        step_up: likewise.
        step_down: likewise.
        slope_up: likewise.
        slope_down: likewise.
        largest: likewise.
        spread: likewise.
        multiplicative: likewise.
        counted: (n_out, n_in), every cell's pulses are added to it; or empty.
        trains: how many, too short, slots: are added to it.
    """
    use_wide_vectors()
    samples, n_in, n_out = x.shape[0], x.shape[1], d.shape[1]
    tops, lengths = np.empty(samples, _f), np.empty((2, samples), np.int64)
    slots, ends = lengths[0], lengths[1]
    too_short = measure(x, d, abs(steps), longest, tops, slots, ends)
    played = ends[samples - 1] if samples else 0
    eights = (n_out + EIGHT - 1) // EIGHT
    rows = np.empty((played, 3 * n_in), np.uint8)
    columns = np.zeros((played, eights), np.uint64)
    play(x, d, tops, slots, ends, 0, samples, 0, steps, keys[0], rows, columns.view(np.uint8))
    up, down = np.empty((n_out, n_in), _f), np.empty((n_out, n_in), _f)
    count(rows, columns, 0, eights, False, up, down)
    if too_short < 0:
        up[:] = np.nan
    given, ups, downs = counted.reshape(-1), up.reshape(-1), down.reshape(-1)
    for cell in range(given.size):
        given[cell] += ups[cell] + downs[cell]
    trains[0] += samples
    trains[1] += max(0, too_short)
    trains[2] += played
    tiles = (weights.size + TILE - 1) // TILE
    pulse(
        *(weights, up, down, w_max, w_min, step_up, step_down, slope_up, slope_down),
        *(largest, spread, multiplicative, 0, tiles, keys[1]),
    )
