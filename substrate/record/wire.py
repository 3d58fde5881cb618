"""What a run tells of the wire between a learner and its chip."""

from __future__ import annotations

from pydantic import Field

from substrate.record.base import Part


class WireFigures(Part):
    """How the wire did in one training.

    Attributes:
        address: of the chip; empty for a process of the run's own.
        title: what the chip says that it is.
        latency_p50: median of the seconds from a request to its reply, the chip's own time
            included; of requests that have one.
        latency_p99: of a hundred replies the slowest but one takes no longer.
        bytes_sent: to the chip.
        bytes_received: from it.
        waiting: part of the training's time in which the learner waited for the chip.
        requests: sent, each counted once.
        sent_again: after a connection was lost; each is carried out once nevertheless.
        reconnections: after a connection was lost, or no reply came in time.
        restarts: of the chip, each gone on from the last state that was kept.
        chip: what the chip's driver reported, in runs of before; now `Arm.reported` has it.
    """

    address: str
    title: str
    latency_p50: float
    latency_p99: float
    bytes_sent: int
    bytes_received: int
    waiting: float
    requests: int
    sent_again: int
    reconnections: int
    restarts: int
    chip: dict[str, float] = Field({}, exclude_if=lambda value: not value)


def together(seeds: list[WireFigures]) -> WireFigures | None:
    """Put the figures of an arm's seeds together: sums, and of latencies and parts the mean.

    A p99 of means would hide a bad seed, so it is the largest.
    """
    if not seeds:
        return None
    first, count = seeds[0], len(seeds)
    return first.model_copy(
        update={
            "latency_p50": sum(each.latency_p50 for each in seeds) / count,
            "latency_p99": max(each.latency_p99 for each in seeds),
            "waiting": sum(each.waiting for each in seeds) / count,
            **{name: sum(getattr(each, name) for each in seeds) for name in _SUMS},
        }
    )


_SUMS = (*("bytes_sent", "bytes_received", "requests", "sent_again", "reconnections", "restarts"),)
