"""How a wire did, at either end: latency, bytes, waiting for the chip, and what it was asked."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

import numpy as np

from substrate.record.wire import WireFigures
from substrate.wire import chip_pb2 as pb

_MOST = 20_000
"""Durations that are kept; beyond that every second one goes."""


class Durations:
    """Many durations, of which quantiles are asked for."""

    def __init__(self) -> None:
        """Start with none."""
        self.count = 0
        self.seconds = 0.0
        self._kept: list[float] = []
        self._every = 1

    def add(self, seconds: float) -> None:
        """Take one more."""
        self.count += 1
        self.seconds += seconds
        if self.count % self._every == 0:
            self._kept.append(seconds)
            if len(self._kept) >= _MOST:
                del self._kept[::2]
                self._every *= 2

    def p50_and_p99(self) -> tuple[float, float]:
        """Give the median, and what of a hundred the slowest but one takes; 0 of none."""
        p50, p99 = np.percentile(np.array(self._kept or [0.0]), [50, 99])
        return float(p50), float(p99)


class Meter:
    """Counts what goes over a wire."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.sent = self.received = self.requests = self.updates = 0
        self.again = self.reconnections = 0
        self.waited = 0.0
        self._latencies = Durations()
        self._began = time.perf_counter()

    @property
    def replies(self) -> int:
        """Counted so far."""
        return self._latencies.count

    def answered(self, seconds: float, waited: float) -> None:
        """Count a reply: seconds since its request was sent, and those that were spent waiting."""
        self.waited += waited
        self._latencies.add(seconds)

    def figures(self, title: str, address: str, restarts: int) -> WireFigures:
        """Give the figures so far."""
        p50, p99 = self._latencies.p50_and_p99()
        return WireFigures(
            address=address,
            title=title,
            latency_p50=p50,
            latency_p99=p99,
            bytes_sent=self.sent,
            bytes_received=self.received,
            waiting=min(1.0, self.waited / max(time.perf_counter() - self._began, 1e-9)),
            requests=self.requests,
            sent_again=self.again,
            reconnections=self.reconnections,
            restarts=restarts,
            chip={},
        )


class Tally:
    """Counts at the chip's end what was asked of it, kind by kind, and the bytes of it.

    Attributes:
        updates: requests that changed weights.
    """

    def __init__(self) -> None:
        """Start at nothing."""
        self._lock = threading.Lock()
        self._done: dict[str, Durations] = defaultdict(Durations)
        self._refused: dict[str, int] = defaultdict(int)
        self._received = self._sent = self.updates = 0
        self._began = time.monotonic()
        self._reported: dict[str, float] = {}
        self._reported_at = self._began

    def moved(self, received: int, sent: int) -> None:
        """Count the bytes of a request and of its reply."""
        with self._lock:
            self._received += received
            self._sent += sent

    def done(self, what: str, seconds: float, *, refused: bool) -> None:
        """Count what was carried out, or was not."""
        with self._lock:
            self._done[what].add(seconds)
            self._refused[what] += refused
            self.updates += what == "apply" and not refused

    def reported(self, figures: dict[str, float]) -> None:
        """Keep what the chip's driver reported."""
        with self._lock:
            self._reported, self._reported_at = dict(figures), time.monotonic()

    def write(self, told: pb.HealthReply) -> None:
        """Tell all of it."""
        with self._lock:
            now = time.monotonic()
            told.up_seconds = now - self._began
            told.bytes_received, told.bytes_sent = self._received, self._sent
            told.figures.update(self._reported)
            if self._reported:
                told.figures_seconds_ago = now - self._reported_at
            for what, durations in self._done.items():
                p50, p99 = durations.p50_and_p99()
                told.done.add(
                    what=what,
                    count=durations.count,
                    refused=self._refused[what],
                    seconds_p50=p50,
                    seconds_p99=p99,
                    seconds=durations.seconds,
                )
