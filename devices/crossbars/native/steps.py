"""Measured steps: what a pulse does at every weight, from a table, where no closed form fits.

The table has the mean step up and down and their spread from pulse to pulse, all in units of
dw_min, against the weight. Between its rows steps are straight lines. A device reads it at its own
place in its own window, with its own u and v (`response.py`):

    r = w / w_max for w > 0, w / |w_min| below       the table's ends are -1 and 1
    up:    w ← w + u (U(r) + σ S_U(r) ξ)      down:  w ← w - v (V(r) + σ S_V(r) ξ)

m up and n down pulses, mixed evenly, are applied at once along the tangents at the present weight,

    a = u U,  b = v V,  z_a = -u ∂U/∂w,  z_b = v ∂V/∂w
    κ = m z_a φ(z_a) + n z_b φ(z_b),    φ(z) = -ln(1 - z) / z,    g(κ) = (1 - e^(-κ)) / κ
    w ← w + (m a φ(z_a) - n b φ(z_b)) g(κ)
    var ← var e^(-2κ) + σ² (m u² S_U² + n v² S_V²) g(2κ)      S at the middle of the way

which is exact for pulses of one direction on a straight piece of the table. Pulses that might go
further than a piece of `PIECES` are taken in so many equal shares, at most `MOST_SHARES`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from devices.crossbars.native.cells import Devices, clipped, for_each_tile
from devices.deferred import torch
from devices.draws import draw_key, normal_
from devices.measurement_columns import MeasurementError
from devices.threads import has_kernel

if TYPE_CHECKING:
    from torch import Tensor

COLUMNS = ("weight", "step_up", "spread_up", "step_down", "spread_down")
PIECES = 64
"""Straight pieces that the table is brought to, half of them on either side of weight 0."""
MOST_SHARES = 16
LEAST_DECREASE, MOST_DECREASE = -1 / 3, 0.99
"""Of what is left of the way, by one pulse: steeper tables are taken as so steep."""
LEAST_KAPPA = -4.0

SpreadIs = Literal["multiplicative", "additive", "measured"]


class StepTable(NamedTuple):
    """A table at even places from -1 to 1, in units of dw_min.

    Attributes:
        up: mean step up.
        down: mean step down.
        spread_up: standard deviation of a step up, from pulse to pulse.
        spread_down: likewise down.
    """

    up: Float32[np.ndarray, " knots"]
    down: Float32[np.ndarray, " knots"]
    spread_up: Float32[np.ndarray, " knots"]
    spread_down: Float32[np.ndarray, " knots"]

    def spreads(self, spread: float, kind: SpreadIs) -> StepTable:
        """The same steps, with the spread that a response's settings give them."""
        if kind == "measured":
            up, down = spread * self.spread_up, spread * self.spread_down
        elif kind == "multiplicative":
            up, down = spread * self.up, spread * self.down
        else:
            up, down = np.full_like(self.up, spread), np.full_like(self.down, spread)
        return self._replace(spread_up=up, spread_down=down)


def read_steps(path: Path) -> StepTable:
    """Read a table of steps: any format of measurements, with a header that names `COLUMNS`.

    Raises:
        MeasurementError: no such file, a column is missing, or its numbers are no steps.
    """
    from devices.measurement_file import open_table
    from devices.measurement_numbers import to_numbers

    table = open_table(path)
    places = [table.find(name) for name in COLUMNS]
    parts = list(table.parts(places))
    weight, *values = (
        to_numbers(np.concatenate([part[k] for part in parts]), name, path)
        for k, name in enumerate(COLUMNS)
    )
    if len(weight) < 3 or not (weight.min() < 0 < weight.max()):
        raise MeasurementError(
            f"{path.name}: a table of steps needs three weights at least, of both signs"
        )
    if not (np.diff(weight) > 0).all():
        row = int((~(np.diff(weight) > 0)).argmax()) + 2
        raise MeasurementError(f"{path.name}: weights must rise from row to row; see row {row}")
    for name, each in zip(COLUMNS[1:], values, strict=True):
        wrong = ~(np.isfinite(each) & (each >= 0))
        if wrong.any():
            raise MeasurementError(
                f"{path.name}: {name} is {each[wrong.argmax()]:g} in row {int(wrong.argmax()) + 1};"
                " steps and spreads are positive numbers or 0, in units of dw_min"
            )
    if not (values[0].max() > 0 and values[2].max() > 0):
        raise MeasurementError(f"{path.name}: no pulse of one direction ever moves a weight")
    place = np.where(weight > 0, weight / weight.max(), -weight / weight.min())
    knots = np.linspace(-1, 1, PIECES + 1)
    up, spread_up, down, spread_down = (
        np.interp(knots, place, each).astype(np.float32) for each in values
    )
    return StepTable(up, down, spread_up, spread_down)


def follow_(
    weights: Float[Tensor, "n_out n_in"],
    up: Float[Tensor, "n_out n_in"],
    down: Float[Tensor, "n_out n_in"],
    devices: Devices,
    table: StepTable,
    generator: torch.Generator,
) -> None:
    """Apply numbers of up and down pulses to the weights, in place.

    Args:
        weights: of the devices.
        up: pulses.
        down: pulses.
        devices: every device's bounds and steps; slopes are the table's.
        table: with the spreads as they are to be drawn.
        generator: draws them.
    """
    if has_kernel(weights):
        _follow_compiled(weights, up, down, devices, table, generator)
        return
    u, v, u_spread, v_spread = torch.tensor(
        np.stack([table.up, table.down, table.spread_up, table.spread_down]),
        dtype=weights.dtype,
        device=weights.device,
    )
    most = devices.up * float(table.up.max()) * up + devices.down * float(table.down.max()) * down
    nearer = torch.minimum(devices.w_max, -devices.w_min)
    shares = (most * (PIECES / 2) / nearer).clamp_(max=MOST_SHARES).ceil_()
    shares.clamp_(min=1)
    variance = torch.zeros_like(weights)
    for number in range(MOST_SHARES):
        part = torch.where(number < shares, 1 / shares, 0.0)
        m, n = up * part, down * part
        bound = _bound(weights, devices)
        place = ((weights / bound).clamp_(-1, 1) + 1) * (PIECES / 2)
        piece = place.nan_to_num().floor().clamp_(max=PIECES - 1).long()
        along = place - piece
        per_weight = (PIECES / 2) / bound

        def tangent(values: Tensor, piece: Tensor = piece, along: Tensor = along) -> list[Tensor]:
            slope = values[piece + 1] - values[piece]
            return [values[piece] + along * slope, slope]

        (a, a_slope), (b, b_slope) = tangent(u), tangent(v)
        (s, s_slope), (t, t_slope) = tangent(u_spread), tangent(v_spread)
        z_a = (-devices.up * a_slope * per_weight).clamp_(LEAST_DECREASE, MOST_DECREASE)
        z_b = (devices.down * b_slope * per_weight).clamp_(LEAST_DECREASE, MOST_DECREASE)
        log_a, log_b = -torch.log1p(-z_a), -torch.log1p(-z_b)
        kappa = (m * log_a + n * log_b).clamp_(min=LEAST_KAPPA)
        g = _mean_decay(kappa)
        move = m * devices.up * a * _ratio(log_a, z_a) - n * devices.down * b * _ratio(log_b, z_b)
        move *= g
        half = move / 2 * per_weight
        square = m * (devices.up * (s + half * s_slope)) ** 2
        square += n * (devices.down * (t + half * t_slope)) ** 2
        variance = variance * torch.exp(-2 * kappa) + square * _mean_decay(2 * kappa)
        weights.copy_(clipped(weights + move, devices, weights))
    noise = normal_(torch.empty_like(weights), 1.0, generator)
    weights.copy_(clipped(weights + variance.sqrt_() * noise, devices, weights))


def _bound(weights: Tensor, devices: Devices) -> Tensor:
    """The bound on the side of a weight, positive."""
    return torch.where(weights > 0, devices.w_max, -devices.w_min)


def _ratio(log: Tensor, z: Tensor) -> Tensor:
    """-ln(1 - z) / z, 1 where z is 0."""
    flat = z.abs() < 1e-6
    return torch.where(flat, 1 + z / 2, log / torch.where(flat, 1.0, z))


def _mean_decay(kappa: Tensor) -> Tensor:
    """(1 - e^(-κ)) / κ, 1 where κ is 0."""
    flat = kappa.abs() < 1e-6
    return torch.where(flat, 1 - kappa / 2, -torch.expm1(-kappa) / torch.where(flat, 1.0, kappa))


def _follow_compiled(
    weights: Tensor,
    up: Tensor,
    down: Tensor,
    devices: Devices,
    table: StepTable,
    generator: torch.Generator,
) -> None:
    # numba takes long to import
    from devices.crossbars.native.steps_kernel import follow

    four = devices.w_max, devices.w_min, devices.up, devices.down
    arrays = [each.numpy() for each in (weights, up, down, *four)]
    key = draw_key(generator)

    def follow_tiles(first: int, end: int) -> None:
        follow(*arrays, np.stack(table), first, end, key)

    for_each_tile(weights, follow_tiles)
