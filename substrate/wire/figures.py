"""How a wire did: latency, bytes, and how much of the time was spent waiting for the chip."""

from __future__ import annotations

import time

import numpy as np

from substrate.record.wire import WireFigures

_MOST = 100_000
"""Latencies that are kept; beyond that every second one goes."""


class Meter:
    """Counts what goes over a wire."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.sent = self.received = self.requests = self.updates = 0
        self.again = self.reconnections = 0
        self.waited = 0.0
        self._latencies: list[float] = []
        self._every = 1
        self._seen = 0
        self._began = time.perf_counter()
        self._chip: dict[str, float] = {}

    def answered(self, seconds: float, waited: float) -> None:
        """Count a reply: seconds since its request was sent, and those that were spent waiting."""
        self.waited += waited
        self._seen += 1
        if self._seen % self._every == 0:
            self._latencies.append(seconds)
            if len(self._latencies) >= _MOST:
                del self._latencies[::2]
                self._every *= 2

    def reported(self, figures: dict[str, float]) -> None:
        """Keep what the chip's driver reported last."""
        self._chip = dict(figures)

    def figures(self, title: str, address: str, restarts: int) -> WireFigures:
        """Give the figures so far."""
        latencies = np.array(self._latencies or [0.0])
        p50, p99 = (float(each) for each in np.percentile(latencies, [50, 99]))
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
            chip=self._chip,
        )
