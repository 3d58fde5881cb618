"""Processes with a past, drawn for many reads at once and without a loop over reads.

Relaxations: x_t = φ x_{t-1} + √(v(1-φ²)) ε_t, several of them and a white floor added up. A block
             of reads and what it hands on are one Gaussian vector given what the last block left,
             drawn with the root of its covariance; what blocks hand on obeys x ← φ^B x + e.
Two states:  with probability λ = 1 - p01 - p10 a read keeps its state, otherwise it draws a new one
             from the stationary distribution, so the state is what the last such draw gave.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jaxtyping import Float

from devices.deferred import torch
from devices.noise.base import Memory

if TYPE_CHECKING:
    from torch import Tensor

BLOCK = 64


def first_order_recursion(
    drive: Float[Tensor, "processes reads lines"],
    phi: Float[Tensor, " processes"],
    start: Float[Tensor, "processes lines"],
) -> Float[Tensor, "processes reads lines"]:
    """Solve x_t = φ x_{t-1} + e_t for all reads of every process, x_{-1} = `start`."""
    processes, reads, lines = drive.shape
    if reads == 1:
        return drive + (phi[:, None] * start).to(drive.dtype)[:, None]
    steps = torch.arange(1, min(reads, BLOCK) + 1, device=drive.device)
    decay = (phi[:, None] ** steps).to(drive.dtype)[..., None]
    apart = steps[:, None] - steps
    power = phi[:, None, None] ** apart.clamp(min=0)
    matrix = torch.where(apart >= 0, power, 0.0).to(drive.dtype)
    if reads <= BLOCK:
        return torch.baddbmm(decay * start[:, None], matrix, drive)
    blocks = math.ceil(reads / BLOCK)
    padded = torch.cat([drive, drive.new_zeros(processes, blocks * BLOCK - reads, lines)], dim=1)
    solved = matrix[:, None] @ padded.view(processes, blocks, BLOCK, lines)
    # What a block hands on obeys the same recursion, with φ to the power of its length.
    handed_on = first_order_recursion(solved[:, :-1, -1], phi**BLOCK, start)
    before = torch.cat([start[:, None], handed_on], dim=1)
    solved += decay[:, None] * before[:, :, None]
    return solved.flatten(1, 2)[:, :reads]


def relaxations(
    signal: Float[Tensor, "reads *lines"],
    rates: Sequence[float],
    variances: Sequence[float],
    white: float,
    memory: Memory,
) -> Float[Tensor, "reads *lines"]:
    """Continue a sum of processes that each forget exponentially, over a white floor.

    Args:
        signal: gives shape and device.
        rates: of every process, -ln φ from one read to the next.
        variances: of every process in the long run, v.
        white: standard deviation of the floor.
        memory: holds the processes' last values; they start from their stationary distribution.
    """
    reads, lines = len(signal), signal[0].numel()
    generator = memory.generator
    if "last" not in memory.past:
        spread = torch.tensor(variances, device=signal.device, dtype=signal.dtype).sqrt()
        last = signal.new_empty(len(rates), lines).normal_(generator=generator)
        memory.past["last"] = last * spread[:, None]
    whole, rest = divmod(reads, BLOCK)
    parts = []
    for blocks, length in ((whole, BLOCK), (1, rest)):
        if not blocks or not length:
            continue
        root, decay, over = _block(signal, rates, variances, white, length, memory)
        drawn = signal.new_empty(blocks, root.shape[1], lines).normal_(generator=generator)
        drawn = root @ drawn
        noise, handed_on = drawn[:, :length], drawn[:, length:]
        last = memory.past["last"]
        ends = first_order_recursion(handed_on.transpose(0, 1), over, last).transpose(0, 1)
        starts = torch.cat([last[None], ends[:-1]])
        parts.append(torch.baddbmm(noise, decay.expand(blocks, -1, -1), starts).flatten(0, 1))
        memory.past["last"] = ends[-1].clone()
    noise = parts[0] if len(parts) == 1 else torch.cat(parts)
    return noise.view(signal.shape)


def _block(
    signal: Tensor,
    rates: Sequence[float],
    variances: Sequence[float],
    white: float,
    length: int,
    memory: Memory,
) -> tuple[Tensor, Tensor, Tensor]:
    """Root of the covariance of (noise of a block, what it hands on), and φ^i of its reads.

    The last is φ^length in double precision, since its powers are taken.
    """

    def on_device(table: Tensor) -> Tensor:
        return table.to(signal.device, signal.dtype)

    def rate() -> Tensor:
        return torch.tensor(rates, dtype=torch.float64)

    def number() -> Tensor:
        return torch.arange(1, length + 1, dtype=torch.float64)

    def root() -> Tensor:
        r, i = rate(), number()
        v = torch.tensor(variances, dtype=torch.float64)
        # φ^|i-j| - φ^(i+j), without taking the difference of two numbers near one
        apart, least = (i[:, None] - i).abs(), torch.minimum(i[:, None], i)
        within = torch.exp(-r[:, None, None] * apart) * -torch.expm1(-2 * r[:, None, None] * least)
        across = torch.exp(-r[:, None] * (length - i)) * -torch.expm1(-2 * r[:, None] * i)
        noise = (v[:, None, None] * within).sum(0) + white**2 * torch.eye(length)
        ends = torch.diag(v * -torch.expm1(-2 * r * length))
        joint = torch.cat(
            [
                torch.cat([noise, (v[:, None] * across).T], dim=1),
                torch.cat([v[:, None] * across, ends], dim=1),
            ]
        )
        # Not Cholesky: without a floor, a single process's last read is what it hands on.
        eigenvalues, vectors = torch.linalg.eigh(joint)
        return on_device(vectors * eigenvalues.clamp(min=0).sqrt())

    return (
        memory.table(f"root {length}", root),
        memory.table(f"decay {length}", lambda: on_device(torch.exp(-number()[:, None] * rate()))),
        memory.table(f"over {length}", lambda: torch.exp(-length * rate()).to(signal.device)),
    )


def two_state_chain(
    signal: Float[Tensor, "reads *lines"],
    keep: float,
    high: float,
    start: Float[Tensor, "*lines"],
    generator: torch.Generator,
) -> Float[Tensor, "reads *lines"]:
    """Draw a two-state Markov chain for every line: 1.0 where it is in its high state.

    Args:
        signal: gives shape and device.
        keep: λ, the correlation of one read with the next.
        high: stationary probability of the high state.
        start: state before the first read.
        generator: draws one uniform number a read.
    """
    reads = len(signal)
    lines = signal[0].numel()
    # Single precision has no number between 1 - 6e-8 and 1, where λ of a slow process lies.
    precision = torch.float64 if 1 - keep < 1e-4 else torch.float32
    # Time runs along memory here: the running maximum below is many times faster so.
    chance = torch.empty(lines, reads, device=signal.device, dtype=precision)
    chance.uniform_(generator=generator)
    times = torch.arange(1, reads + 1, device=signal.device, dtype=torch.int32)
    drawn = (chance >= 1 - (1 - keep) * high).int()
    # The running maximum of 2t + state finds the last draw and carries its state along.
    code = torch.where(chance >= keep, 2 * times + drawn, 0)
    code[:, 0] = torch.where(code[:, 0] > 0, code[:, 0], start.flatten().int())
    last = torch.cummax(code, dim=1).values
    return (last.T & 1).to(signal.dtype).contiguous().view(signal.shape)
