"""Crossbars on a bench: a lab's driver (`devices.bench`) behind the interface of every crossbar.

    read       a = s read(x / s),   s = max(1, max|x| / largest input), for every drive
    outer      ΔW = -rate Σ_s d_s x_sᵀ: as an outer product of x_s / s and s d_s, or dense, or with
               the target programmed
    written    W ← W + (target - mean of reads), in turns, where nothing can be programmed

A bench is opened once for all matrices of a chip. What it gives is checked here, so that a driver's
slip is named and not trained on.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from devices.bench import (
    Programs,
    ReadsTransposed,
    SavesArrays,
    Updates,
    UpdatesOuter,
)
from devices.crossbars.open_bench import BenchError, OpenBench
from devices.interface import CapabilityError, Dense, NotFiniteError, Outer
from devices.ledger import Wear

_ROUNDS = 12
"""Of reading and asking, until weights are written that cannot be programmed."""
_READS = 4
"""In every round, averaged."""
_NEAR = 0.01
"""Written well enough, a fraction of the largest weight: root mean square over the cells."""


class BenchCrossbar:
    """A matrix in the first rows and columns of one array of a bench."""

    noise_free = False
    draws_by_row = True  # its noise is in the rows as they are driven

    def __init__(self, opened: OpenBench, n_out: int, n_in: int, device: torch.device) -> None:
        """Take an array; tensors are given on `device`."""
        self._opened, self.shape, self._device = opened, (n_out, n_in), device
        self._array = opened.take(n_out, n_in)
        self._bench: Any = opened.bench
        self._size = opened.bench.arrays[self._array]
        self._programmings = self._reads_to_write = 0
        # T of the module's formula
        self._target = np.zeros((self._size.columns, self._size.rows))

    @property
    def wear(self) -> Wear:
        """See `devices.crossbars.base.Worn`; of pulses and pairs nothing is known."""
        return Wear(
            self._programmings,
            holds_target=not self._changes_in_place,
            forms_products=not isinstance(self._bench, UpdatesOuter),
            reads=self._reads_to_write,
        )

    def report(self) -> dict[str, float]:
        """See `devices.crossbars.base.Reports`; one matrix speaks for all of the bench."""
        return self._opened.metrics() if self._array == self._opened.first else {}

    def program(self, weights: Float[Tensor, "n_out n_in"]) -> None:
        """Write the weights, or have them written by updates."""
        bound = self._opened.bench.largest_weight
        self._target = self._padded(weights).clip(-bound, bound)
        if isinstance(self._bench, Programs):
            self._programmings += 1
            self._ask("program", self._target.copy())
        else:
            self._write_by_updates()

    def read(
        self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1
    ) -> Float[Tensor, "repeats_times_batch *positions n_out"]:
        """Drive the rows; every repeat is driven anew."""
        drives = x.reshape(-1, x.shape[-1]).repeat(repeats, 1)
        given = self._driven("read", drives, self._size.rows, self._size.columns)
        wanted = given[:, : self.shape[0]].contiguous()
        return wanted.view(repeats * len(x), *x.shape[1:-1], self.shape[0])

    def read_transposed(self, y: Float[Tensor, "samples n_out"]) -> Float[Tensor, "samples n_in"]:
        """Drive the columns.

        Raises:
            CapabilityError: the bench cannot.
        """
        if not isinstance(self._bench, ReadsTransposed):
            raise CapabilityError(f"{self._opened.name} has no read_transposed")
        given = self._driven("read_transposed", y, self._size.columns, self._size.rows)
        return given[:, : self.shape[1]].contiguous()

    def update(self, request: Outer | Dense) -> None:
        """Ask for the change in the form that the bench knows."""
        if isinstance(request, Outer) and isinstance(self._bench, UpdatesOuter):
            x = self._lines(request.x, self._size.rows)
            d = self._lines(-request.rate * request.d, self._size.columns)
            scale = self._scale(x)
            self._ask("update_outer", x / scale, d * scale)
            return
        if isinstance(request, Outer):
            request = Dense(-request.rate * request.d.T @ request.x)
        self._change(self._padded(request.delta))

    def _ask(self, method: str, *arguments: object) -> Any:
        return self._opened.ask(method, self._array, *arguments)

    @property
    def _changes_in_place(self) -> bool:
        return isinstance(self._bench, Updates | UpdatesOuter)

    def _change(self, change: Float64[np.ndarray, "columns rows"]) -> None:
        if isinstance(self._bench, Updates):
            self._ask("update", change)
        elif isinstance(self._bench, UpdatesOuter):
            rows = np.flatnonzero(change.any(0))  # a line of ΔW is the outer product of one row
            drive = min(1.0, self._opened.bench.largest_input)
            lines = drive * np.eye(self._size.rows)[rows]
            self._ask("update_outer", lines, change.T[rows] / drive)
        else:
            bound = self._opened.bench.largest_weight
            self._target = (self._target + change).clip(-bound, bound)
            self._programmings += 1
            self._ask("program", self._target.copy())

    def _write_by_updates(self) -> None:
        n_out, n_in = self.shape
        lines = self._opened.bench.largest_input * torch.eye(n_in).repeat(_READS, 1)
        for _ in range(_ROUNDS):
            held = self._driven("read", lines, self._size.rows, self._size.columns)
            self._reads_to_write += len(lines)
            mean = held.double().view(_READS, n_in, -1).mean(0).T.cpu().numpy()
            missing = np.zeros_like(self._target)
            held_weights = mean[:n_out] / self._opened.bench.largest_input
            missing[:n_out, :n_in] = self._target[:n_out, :n_in] - held_weights
            rms = float(np.sqrt((missing[:n_out, :n_in] ** 2).mean()))
            if rms <= _NEAR * self._opened.bench.largest_weight:
                return
            self._change(missing)
        warnings.warn(
            f"{self._opened.name}: after {_ROUNDS} rounds of updates its weights are still off by"
            f" {rms:.3g} rms of the {self._opened.bench.largest_weight:g} that a cell holds",
            stacklevel=2,
        )

    def _driven(self, method: str, drives: Tensor, lines: int, columns: int) -> Tensor:
        """Drive one side of the array within its range, and check what comes."""
        wanted = self._lines(drives, lines)
        scale = self._scale(wanted)
        given = self._ask(method, wanted / scale)
        where = f"{self._opened.name}.{method}"
        try:
            found = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError):
            raise BenchError(f"{where} gave {type(given).__name__}, no array of numbers") from None
        if found.shape != (len(wanted), columns):
            raise BenchError(
                f"{where} gave the shape {found.shape} for {len(wanted)} drives of {lines} lines; "
                f"{(len(wanted), columns)} is wanted"
            )
        if not np.isfinite(found).all():
            drive, line = np.argwhere(~np.isfinite(found))[0]
            raise BenchError(f"{where} gave {found[drive, line]} in drive {drive}, line {line}")
        return torch.from_numpy(found * scale).to(self._device, torch.float32)

    def _scale(
        self, drives: Float64[np.ndarray, "drives lines"]
    ) -> Float64[np.ndarray, "drives 1"]:
        """By how much each drive is beyond the range of inputs; 1 within it."""
        largest = np.abs(drives).max(axis=1, keepdims=True, initial=0.0)
        scale: np.ndarray = np.maximum(1.0, largest / self._opened.bench.largest_input)
        return scale

    def _lines(self, values: Tensor, lines: int) -> Float64[np.ndarray, "drives lines"]:
        padded = np.zeros((len(values), lines))
        padded[:, : values.shape[1]] = _finite(values, "a drive")
        return padded

    def _padded(self, matrix: Tensor) -> Float64[np.ndarray, "columns rows"]:
        padded = np.zeros((self._size.columns, self._size.rows))
        padded[: matrix.shape[0], : matrix.shape[1]] = _finite(matrix, "a change of weights")
        return padded


def _finite(values: Tensor, what: str) -> np.ndarray:
    """On the host; an instrument is sent nothing that is no number."""
    found = values.detach().cpu().numpy()
    if not np.isfinite(found).all():
        raise NotFiniteError(f"{what} is NaN or infinite; it was not sent to the bench")
    return found


class SavedBenchCrossbar(BenchCrossbar):
    """On a bench whose arrays can be saved."""

    def state(self) -> dict[str, Tensor]:
        """Give what the bench says, and the periphery's target."""
        saved: Mapping[str, np.ndarray] = self._ask("state")
        own = {f"bench.{name}": torch.from_numpy(np.array(value)) for name, value in saved.items()}
        return own | {
            "target": torch.from_numpy(self._target.copy()),
            "programmings": torch.tensor(self._programmings),
            "reads_to_write": torch.tensor(self._reads_to_write),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state."""
        self._target = state["target"].cpu().numpy().copy()
        self._programmings = int(state["programmings"])
        self._reads_to_write = int(state["reads_to_write"])
        saved = {
            name.removeprefix("bench."): value.cpu().numpy().copy()
            for name, value in state.items()
            if name.startswith("bench.")
        }
        self._ask("restore", saved)

    @contextmanager
    def without_trace(self) -> Iterator[None]:
        """See `devices.without_trace`: a bench that was read was read, and is not written anew."""
        yield


def crossbar_on(opened: OpenBench, n_out: int, n_in: int, device: torch.device) -> BenchCrossbar:
    """Take an array of a bench for a matrix of n_out × n_in."""
    kind = SavedBenchCrossbar if isinstance(opened.bench, SavesArrays) else BenchCrossbar
    return kind(opened, n_out, n_in, device)
