"""A bench that measures itself, so that a native crossbar can stand for it (`mock: true`).

    noise of reads       var(a_i) = σ_0² + σ_c² Σ_j x_j²         at the columns, and of every cell,
                         |x_j| ≤ x_max, the largest input of the bench
    programming error    ⟨(held - asked)²⟩ = σ_p² + noise of the mean
    pulses               sixteen cells, several times up and down their window, by requests alone

The first two become the noise at the output, `read_noise` and `programming_error` of a native
crossbar, whose weight is a difference of two cells with r = g_max / (g_max - g_min):

    read_noise = σ_c / (√2 r w_range),    programming_error = σ_p / (√2 r w_range)

The third is written as a table of weights, and fitted as any lab's curves are (`response.py`). A
weight is read as a_i / x_max, which scatters by √((σ_0 / x_max)² + σ_c²). Drives beyond x_max are
scaled down, and noise up with their sums, by the mock as by the bench
(`devices.crossbars.native.mock`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from scipy.optimize import nnls

from devices.bench import Programs
from devices.crossbars.bench import BenchCrossbar, crossbar_on
from devices.crossbars.native.conductance import Conductance
from devices.crossbars.open_bench import OpenBench
from devices.interface import Dense
from substrate.fit.device.fit import DeviceFit

CYCLES = 3
_ROWS = _COLUMNS = 4
_READINGS = 60
"""Of one way through the window."""
_NOISE_READS = 200
_MOST_AVERAGED = 64
_MEASURED_HERE = ("no repeated reads", "the error of programming")
_LONGEST = 1000
"""Pulses of one request: a bench takes changes of any size."""


@dataclass(frozen=True)
class BenchMeasured:
    """What a bench found out about itself.

    Attributes:
        table: pulses as text, which `substrate fit-device` reads again: weights by cell, cycle,
            number of the pulse and direction.
        column_noise: σ_0, in units of W x, at drives within the range of the bench.
        cell_noise: σ_c, in units of weight.
        weight_noise: of one reading of a weight, in units of weight.
        programming_error: σ_p, in units of weight; None where nothing can be programmed.
        averaged: reads of every reading in the table.
        drives: how often rows were driven, for all of it.
    """

    table: str
    column_noise: float
    cell_noise: float
    weight_noise: float
    programming_error: float | None
    averaged: int
    drives: int


def measure_bench(opened: OpenBench, tell: Callable[[str], None] = lambda _: None) -> BenchMeasured:
    """Read and pulse the bench's smallest array; what it held is lost."""
    bench = opened.bench
    size = min(bench.arrays, key=lambda each: each.rows * each.columns)
    probe = _Probe(crossbar_on(opened, size.columns, size.rows, torch.device("cpu")))
    bound = bench.largest_weight
    tell("noise of reads")
    weights = bound * (np.random.default_rng(0).random((size.columns, size.rows)) - 0.5)
    probe.program(weights)
    drive = bench.largest_input
    column, cell = _noise(probe, drive)
    weight = math.hypot(column / drive, cell)
    programming = None
    if isinstance(bench, Programs):
        tell("error of programming")
        reads = 20
        held = probe.weights(np.arange(size.rows), reads, drive)
        variance = float(((held - weights) ** 2).mean())
        programming = math.sqrt(max(variance - weight**2 / reads, 0.0))
    table, averaged = _pulses(probe, bench.step or bound / 50, bound, drive, weight, tell)
    return BenchMeasured(table, column, cell, weight, programming, averaged, probe.drives)


def complete(found: DeviceFit, measured: BenchMeasured) -> None:
    """Put what no table of pulses holds into a fit, and take the reads out of its write noise."""
    window, update = found.settings["conductance"], found.settings["update"]
    g_min, g_max = (Conductance.model_fields[name].default for name in ("g_min", "g_max"))
    reach = max(window["w_max"], -window["w_min"])
    share = (1 - g_min / g_max) / (math.sqrt(2) * reach)
    window["read_noise"] = _digits(measured.cell_noise * share)
    window["programming_error"] = [_digits((measured.programming_error or 0.0) * share)]
    reading = measured.weight_noise / update["dw_min"]
    left = update["write_noise"] ** 2 - reading**2 / measured.averaged
    update["write_noise"] = _digits(math.sqrt(max(left, 0.0)))
    update["pulses"] = _LONGEST
    found.notes = [note for note in found.notes if not note.startswith(_MEASURED_HERE)]


def model_of(measured: BenchMeasured, found: DeviceFit) -> dict[str, Any]:
    """Give `device` and `noise` of a native chip that stands for the bench."""
    # the resolution of the bench's own converters is in the noise that was measured
    converters = {f"{side}_converter": {"bits": "exact"} for side in ("input", "output")}
    noise = []
    if measured.column_noise > 0:
        noise = [{"model": "gaussian", "at": "output", "std": _digits(measured.column_noise)}]
    return {"device": found.settings | converters, "noise": noise}


class _Probe:
    """An array that counts how often it is driven."""

    def __init__(self, crossbar: BenchCrossbar) -> None:
        self._crossbar = crossbar
        self.n_out, self.n_in = crossbar.shape
        self.drives = 0

    def program(self, weights: Float64[np.ndarray, "n_out n_in"]) -> None:
        self._crossbar.program(torch.from_numpy(weights).float())

    def change(self, delta: Float64[np.ndarray, "n_out n_in"]) -> None:
        self._crossbar.update(Dense(torch.from_numpy(delta).float()))

    def read(
        self, x: Float64[np.ndarray, "drives n_in"], repeats: int
    ) -> Float64[np.ndarray, "repeats drives n_out"]:
        self.drives += len(x) * repeats
        given = self._crossbar.read(torch.from_numpy(x).float(), repeats)
        return given.double().numpy().reshape(repeats, len(x), self.n_out)

    def weights(
        self, rows: np.ndarray, repeats: int, drive: float
    ) -> Float64[np.ndarray, "n_out rows"]:
        """Drive some rows one at a time, and average."""
        return np.asarray(self.read(drive * np.eye(self.n_in)[rows], repeats).mean(0).T / drive)


def _noise(probe: _Probe, drive: float) -> tuple[float, float]:
    """Fit σ_0² and σ_c² to reads with no row driven, one, and all."""
    rows = np.array([0, 1, probe.n_in])
    x = np.zeros((len(rows), probe.n_in))
    for place, count in enumerate(rows):
        x[place, :count] = drive
    variance = probe.read(x, _NOISE_READS).var(0, ddof=1).mean(1)
    # every variance is known to the same fraction of itself
    weight = 1 / np.maximum(variance, 1e-30)
    terms = np.stack([np.ones(len(rows)), rows * drive**2], axis=1)
    (column, cell), _ = nnls(terms * weight[:, None], variance * weight)
    return math.sqrt(column), math.sqrt(cell)


def _pulses(
    probe: _Probe,
    step: float,
    bound: float,
    drive: float,
    sigma: float,
    tell: Callable[[str], None],
) -> tuple[str, int]:
    """Take cells up and down; gives the table, and how many reads make a reading."""
    rows = np.arange(min(_ROWS, probe.n_in))
    columns = np.arange(min(_COLUMNS, probe.n_out))
    at_once = max(1, math.ceil(2 * bound / step / _READINGS))
    readings = math.ceil(2 * bound / (at_once * step))
    averaged = min(_MOST_AVERAGED, max(1, math.ceil((sigma / (0.2 * at_once * step)) ** 2)))
    block = np.zeros((probe.n_out, probe.n_in))
    block[np.ix_(columns, rows)] = at_once * step
    probe.program(np.zeros_like(block))
    lines = ["cell,cycle,pulse,direction,weight"]
    for cycle in range(1, CYCLES + 1):
        number = 0
        for sign, direction in ((1, "up"), (-1, "down")):
            tell(f"pulses {direction}, cycle {cycle} of {CYCLES}")
            for _ in range(readings):
                probe.change(sign * block)
                number += at_once
                held = probe.weights(rows, averaged, drive)[columns]
                lines += [
                    f"r{row}c{out},{cycle},{number},{direction},{held[out, row]:.6g}"
                    for row in range(len(rows))
                    for out in range(len(columns))
                ]
    return "\n".join(lines) + "\n", averaged


def _digits(value: float) -> float:
    return float(f"{value:.4g}")
