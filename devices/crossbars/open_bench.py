"""A bench that is connected: which of its arrays are taken, and how long its driver takes."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from devices.bench import ArraySize, Bench


class BenchError(RuntimeError):
    """A bench does not do what `devices.bench` says; `str()` names class and method."""


class NoArrayError(ValueError):
    """The bench has too few arrays, or too small ones."""


class OpenBench:
    """A bench that is connected.

    Attributes:
        bench: the lab's.
        name: of its class.
        first: the array that was taken first, None before any was.
        close: leaves the bench; later calls do nothing.
    """

    def __init__(self, bench: Bench, release: Callable[[], object] = lambda: None) -> None:
        """Connect; the bench is closed, and `release` called, when nobody holds this any more."""
        self.bench = bench
        self.name = type(bench).__name__
        self._free = list(range(len(bench.arrays)))
        self.first: int | None = None
        self._calls: list[float] = []
        self._bytes = [0, 0]  # given to the driver, and taken from it
        self._since = time.monotonic()
        try:
            self.ask("open")
        except BaseException:
            release()
            raise
        self.close = weakref.finalize(self, _close, bench, release)

    def take(self, n_out: int, n_in: int) -> int:
        """Give the smallest array that is free and large enough.

        Raises:
            NoArrayError: there is none.
        """
        number = smallest(self.bench.arrays, self._free, n_out, n_in)
        if number is None:
            raise NoArrayError(
                f"{self.name} has no free array for {n_in} rows and {n_out} columns; "
                f"it has {in_words(self.bench.arrays)}"
            )
        self._free.remove(number)
        self.first = number if self.first is None else self.first
        return number

    def ask(self, method: str, *arguments: object) -> Any:
        """Call a method of the bench.

        Raises:
            BenchError: the connection failed, which is no fault of our own files.
        """
        began = time.monotonic()
        self._bytes[0] += sum(map(_bytes_of, arguments))
        try:
            found = getattr(self.bench, method)(*arguments)
            self._bytes[1] += _bytes_of(found)
            return found
        except OSError as problem:
            what = f"{type(problem).__name__}: {problem}"
            raise BenchError(f"{self.name}.{method} failed: {what}") from problem
        finally:
            self._calls.append(time.monotonic() - began)

    def metrics(self) -> dict[str, float]:
        """Give what the bench reports beside its reads, and how long it took since the last time.

        Raises:
            BenchError: it is no mapping of names to finite numbers.
        """
        times = self._times()
        found = self.ask("metrics")
        try:
            told = {str(name): float(value) for name, value in found.items()}
        except (AttributeError, TypeError, ValueError):
            raise BenchError(f"{self.name}.metrics gave {found!r}; numbers by name") from None
        for name, value in told.items():
            if not np.isfinite(value):
                raise BenchError(f"{self.name}.metrics gave {value} for {name!r}")
        return told | times

    def _times(self) -> dict[str, float]:
        """Latency and bytes of the driver's calls, and the share of time spent in them."""
        calls, self._calls = self._calls, []
        passed = max(time.monotonic() - self._since, 1e-9)
        self._since = time.monotonic()
        (given, taken), self._bytes = self._bytes, [0, 0]
        if not calls:
            return {}
        p50, p99 = np.quantile(calls, [0.5, 0.99])
        return {
            "driver call p50 (ms)": float(f"{1e3 * p50:.4g}"),
            "driver call p99 (ms)": float(f"{1e3 * p99:.4g}"),
            "to driver (MB)": float(f"{1e-6 * given:.4g}"),
            "from driver (MB)": float(f"{1e-6 * taken:.4g}"),
            "time in driver (%)": float(f"{100 * min(1.0, sum(calls) / passed):.3g}"),
        }


def smallest(arrays: Sequence[ArraySize], free: Sequence[int], n_out: int, n_in: int) -> int | None:
    """Give the number of the smallest free array that holds n_out × n_in; None if there is none."""
    fitting = [
        number for number in free if arrays[number].rows >= n_in and arrays[number].columns >= n_out
    ]
    cells = {number: arrays[number].rows * arrays[number].columns for number in fitting}
    return min(fitting, key=cells.__getitem__, default=None)


def in_words(arrays: Sequence[ArraySize]) -> str:
    """Say which arrays there are."""
    sizes = [f"{size.rows} × {size.columns}" for size in arrays]
    counts = {size: sizes.count(size) for size in sizes}
    listed = ", ".join(f"{count} of {size}" for size, count in counts.items())
    return f"{listed} (rows × columns)"


def _bytes_of(value: object) -> int:
    """Of an array, as it lies here: what a driver makes of it, it alone knows."""
    return value.nbytes if isinstance(value, np.ndarray) else 0


def _close(bench: Bench, release: Callable[[], object]) -> None:
    try:
        bench.close()
    finally:
        release()
