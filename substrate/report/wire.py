"""The wire between learner and chip in words, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Iterator

from substrate.record.summary import Summary
from substrate.record.wire import WireFigures

_PREFIXES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def wired(summary: Summary) -> dict[str, WireFigures]:
    """Arms whose chip was behind a wire."""
    return {name: arm.wire for name, arm in summary.arms.items() if arm.wire is not None}


def lines(summary: Summary) -> Iterator[str]:
    """One line an arm: where the chip was, latency, bytes, waiting, and what went wrong."""
    for name, wire in wired(summary).items():
        yield (
            f"{name}: {where(wire)}; latency {seconds(wire.latency_p50)} (median),"
            f" {seconds(wire.latency_p99)} (99 %); {size(wire.bytes_sent)} sent,"
            f" {size(wire.bytes_received)} received; {100 * wire.waiting:.0f} % of the time spent"
            f" waiting; {troubles(wire)}"
        )


def where(wire: WireFigures) -> str:
    """``native rasch_2019 at localhost:50051``."""
    return f"{wire.title} {(wire.address and f'at {wire.address}') or 'in a process of its own'}"


def seconds(value: float) -> str:
    """``1.3 ms``."""
    return f"{1e3 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


def size(value: int) -> str:
    """``12.3 MB``."""
    for unit, name in _PREFIXES:
        if value >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value} bytes"


def troubles(wire: WireFigures) -> str:
    """Connections that were lost and restarts, in words."""
    if not wire.reconnections and not wire.restarts:
        return "never lost"
    lost = f"lost {_times(wire.reconnections)}, {wire.sent_again} requests sent again"
    return lost + (f"; restarted {_times(wire.restarts)}" if wire.restarts else "")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
