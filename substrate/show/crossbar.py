"""What a crossbar does: transfer curve, read noise, programming, pulses up and down, drift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from matplotlib.axes import Axes

from devices.crossbars.base import Crossbar
from devices.interface import LayerShape, Outer
from substrate.assemble.crossbar import build_crossbar
from substrate.report.palette import LIGHT
from substrate.scenario.schema import AihwkitChip, Chip
from substrate.show.sheet import Panel

CELLS = 12
READS = 32
PULSES = 100
BETWEEN_READS = 5
LARGEST_WEIGHT = 0.3
CPU = torch.device("cpu")
TIMES = np.geomspace(1, 1e7, 15)
"""Seconds since programming: from one second to four months."""

Curve = Float64[np.ndarray, " points"]
Curves = Float64[np.ndarray, "points lines"]


@dataclass(frozen=True)
class Measured:
    """What was measured on a crossbar, in the simulator's own units of x, a and W.

    Attributes:
        drives: x of one row.
        transfer_mean: mean output at every drive, a line for every programmed weight.
        transfer_std: its standard deviation over reads.
        asked: weights asked for.
        held: weights found by reading.
        pulses: up, then down: the weight of every cell after every few requests.
        request: what each pulse asked for.
        noise: deviations of reads of a constant drive from their mean.
        drift: mean ratio of weights found to weights asked, at `TIMES`; None without drift.
    """

    drives: Curve
    transfer_mean: Curves
    transfer_std: Curves
    asked: Curve
    held: Curve
    pulses: Curves
    request: float
    noise: Curve
    drift: Curve | None


def measure(chip: Chip, seed: int) -> Measured:
    """Put a crossbar through its paces."""

    def make(n_out: int, n_in: int, of: Chip = chip) -> Crossbar:
        return build_crossbar(of, LayerShape(n_out, n_in), seed, "show", CPU)

    levels = torch.linspace(-LARGEST_WEIGHT, LARGEST_WEIGHT, 5)
    single = make(len(levels), 1)
    single.program(levels[:, None])
    drives = torch.linspace(-1, 1, 41)
    reads = single.read(drives[:, None], repeats=READS).view(READS, len(drives), len(levels))
    noise = single.read(torch.ones(1, 1), repeats=4096).view(4096, -1)[:, -1]
    matrix = make(CELLS, CELLS)
    asked = torch.linspace(-LARGEST_WEIGHT, LARGEST_WEIGHT, CELLS**2).view(CELLS, CELLS)
    matrix.program(asked)
    held = _weights(matrix, CELLS)
    # The rest of the row stays silent, so that every request goes to one column of cells.
    cells = make(CELLS, 1)
    cells.program(torch.zeros(CELLS, 1))
    request = LARGEST_WEIGHT / PULSES * 2
    path = [_weights(cells, 1)[:, 0]]
    for direction in (-1.0, 1.0):
        for number in range(1, PULSES + 1):
            cells.update(Outer(torch.ones(1, 1), direction * torch.ones(1, CELLS), request))
            if number % BETWEEN_READS == 0:
                path.append(_weights(cells, 1)[:, 0])
    return Measured(
        _numpy(drives),
        _numpy(reads.mean(0)),
        _numpy(reads.std(0)),
        _numpy(asked.flatten()),
        _numpy(held.flatten()),
        _numpy(torch.stack(path)),
        request,
        _numpy(noise - noise.mean()),
        _drift(chip, make),
    )


def crossbar_panels(measured: Measured) -> list[Panel]:
    """Give the panels of what was measured."""
    panels: list[Panel] = [
        lambda axes: _transfer(axes, measured),
        lambda axes: _programming(axes, measured),
        lambda axes: _pulses(axes, measured),
    ]
    if measured.drift is not None:
        panels.append(lambda axes: _drift_panel(axes, measured))
    return panels


def _weights(crossbar: Crossbar, n_in: int) -> torch.Tensor:
    """Drive one row at a time, and average over reads: (n_out, n_in)."""
    reads = crossbar.read(torch.eye(n_in), repeats=READS)
    return reads.view(READS, n_in, -1).mean(0).T


def _numpy(values: torch.Tensor) -> Float64[np.ndarray, "..."]:
    return values.double().numpy()


def _drift(chip: Chip, make: Callable[..., Crossbar]) -> Curve | None:
    asked = torch.full((CELLS, CELLS), LARGEST_WEIGHT)
    asked[::2] *= -1

    def kept(crossbar: Crossbar) -> float:
        return float((_weights(crossbar, CELLS) / asked).mean())

    if isinstance(chip, AihwkitChip):
        from devices.crossbars.aihwkit_config import preset_config
        from devices.crossbars.aihwkit_inference import is_programmed

        if not is_programmed(preset_config(chip.preset, chip.config)):
            return None
        ratios = []
        for seconds in TIMES:
            aged = make(
                CELLS, CELLS, chip.model_copy(update={"seconds_after_programming": float(seconds)})
            )
            aged.program(asked)
            ratios.append(kept(aged))
        return np.array(ratios)
    crossbar = make(CELLS, CELLS)
    if not hasattr(crossbar, "advance"):
        return None
    crossbar.program(asked)
    ratios, now = [], 0.0
    for seconds in TIMES:
        crossbar.advance(float(seconds) - now)
        now = float(seconds)
        ratios.append(kept(crossbar))
    return np.array(ratios)


def _transfer(axes: Axes, measured: Measured) -> None:
    count = measured.transfer_mean.shape[1]
    for line in range(count):
        colour = LIGHT.arms[line % len(LIGHT.arms)]
        mean, std = measured.transfer_mean[:, line], measured.transfer_std[:, line]
        weight = -LARGEST_WEIGHT + 2 * LARGEST_WEIGHT * line / (count - 1)
        axes.plot(measured.drives, mean, color=colour, linewidth=1.3, label=f"W = {weight:+.2f}")
        axes.fill_between(
            measured.drives, mean - std, mean + std, color=colour, alpha=0.2, linewidth=0
        )
    axes.set(title="Transfer curve (band: one read's σ)", xlabel="input x", ylabel="output a")
    axes.legend(fontsize=6.5, frameon=False, loc="upper center", ncols=2)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.35 * (high - low))


def _programming(axes: Axes, measured: Measured) -> None:
    axes.plot(
        measured.asked, measured.held, ".", markersize=3.5, color=LIGHT.arms[0], label="cells"
    )
    ends = [-LARGEST_WEIGHT, LARGEST_WEIGHT]
    axes.plot(ends, ends, "--", linewidth=1, color=LIGHT.muted, label="as asked")
    axes.set(title="Programming", xlabel="weight asked for", ylabel="weight found by reading")
    axes.legend(fontsize=7, frameon=False, loc="upper left")


def _pulses(axes: Axes, measured: Measured) -> None:
    number = BETWEEN_READS * np.arange(len(measured.pulses))
    axes.plot(number, measured.pulses, linewidth=0.6, color=LIGHT.arms[0], alpha=0.45)
    axes.plot(number, measured.pulses.mean(1), linewidth=1.8, color=LIGHT.arms[1], label="mean")
    ideal = measured.request * np.minimum(number, 2 * PULSES - number)
    axes.plot(number, ideal, "--", linewidth=1, color=LIGHT.muted, label="as asked")
    axes.set(
        title=f"Response to {PULSES} requests up, {PULSES} down",
        xlabel=f"request of ±{measured.request:.3g}",
        ylabel="weight",
    )
    axes.legend(fontsize=7, frameon=False, loc="lower center")


def _drift_panel(axes: Axes, measured: Measured) -> None:
    assert measured.drift is not None
    axes.semilogx(TIMES, measured.drift, ".-", color=LIGHT.arms[0])
    axes.set(
        title="Drift", xlabel="time since programming (s)", ylabel="weight left, fraction of asked"
    )
    axes.set_ylim(min(0.0, float(measured.drift.min())), max(1.1, float(measured.drift.max())))
