"""The page of a served chip: what its service tells without a lease, which touches no chip.

The service is asked how it does (`Health`), once each time that the page is looked at. That neither
drives the chip nor asks its driver, so whoever has the lease is not disturbed.
"""

from __future__ import annotations

import time

from substrate.environment import versions
from substrate.record.summary import Verdict
from substrate.report.pages import Section, render_page
from substrate.report.wire import seconds, size
from substrate.report.wording import NOTHING, percent
from substrate.watch.page import render_problem
from substrate.wire import chip_pb2 as pb
from substrate.wire.address import Guard
from substrate.wire.calls import Calls
from substrate.wire.errors import WireError
from substrate.wire.replies import Described
from substrate.wire.retries import Patience

_LOOK = "The page looks again by itself. It shows, and can do nothing to the chip or its learner."
_PATIENCE = Patience(deadline=3.0, attempts_seconds=3.0)


class ChipPage:
    """The page of the chip at an address, made anew whenever it is asked for."""

    def __init__(self, address: str, guard: Guard) -> None:
        """Look at an address; nothing is connected before the page is asked for."""
        self._address, self._guard = address, guard
        self._connected: tuple[Calls, Described] | None = None

    def connect(self) -> tuple[Calls, Described]:
        """Give the connection, and what the chip told of itself; made now if there is none.

        Raises:
            WireError: nobody answers, or not as a chip does.
        """
        if self._connected is None:
            calls = Calls(self._address, self._guard, _PATIENCE)
            try:
                self._connected = calls, calls.describe()
            except WireError:
                calls.close()
                raise
        return self._connected

    def __call__(self) -> str:
        """Give the page; of a chip that does not answer it says so, and connects the next time."""
        try:
            calls, about = self.connect()
            health = calls.health()
            if health.boot != about.boot:  # what it tells of itself may be new as well
                self.close()
                _, about = self.connect()
            return render_chip(about, health, self._address)
        except WireError as problem:
            self.close()
            return render_problem(str(problem), self._address, _LOOK)

    def close(self) -> None:
        """Disconnect."""
        if self._connected is not None:
            self._connected[0].close()
        self._connected = None


def render_chip(about: Described, health: pb.HealthReply, address: str) -> str:
    """Give the page of a chip as HTML text."""
    tone: Verdict = "feasible" if not health.holder else "undecided"
    sections = [
        _asked(health),
        _reported(health),
        _matrices(about),
        _itself(about),
    ]
    return render_page(
        title=about.title,
        headline="In use" if health.holder else "Free",
        tone=tone,
        reasons=[_holder(about, health), _traffic(health)],
        sections=[each for each in sections if each.rows],
        about=f"{address}: {_can(about)}",
        command=f"substrate watch {address}",
        versions=versions(),
        notices=[_LOOK],
    )


def _holder(about: Described, health: pb.HealthReply) -> str:
    if not health.holder:
        return "Nobody has the chip."
    since = time.strftime("%H:%M:%S", time.localtime(time.time() - health.lease_seconds))
    return (
        f"{health.holder} has the chip since {since} ({_period(health.lease_seconds)});"
        f" {_many(health.requests, 'request')} so far, {health.updates:,} of which changed weights."
        f" The lease lapses in {health.lease_seconds_left:.0f} s unless it is renewed, which a"
        f" learner does every {about.lease_seconds / 3:.0f} s."
    )


def _traffic(health: pb.HealthReply) -> str:
    worked = sum(each.seconds for each in health.done)
    share = percent(min(1.0, worked / health.up_seconds)) if health.up_seconds else NOTHING
    return (
        f"The server was started {_period(health.up_seconds)} ago, and has received"
        f" {size(health.bytes_received)} and sent {size(health.bytes_sent)} since; the chip was at"
        f" work {share} of that time."
    )


def _asked(health: pb.HealthReply) -> Section:
    rows = [
        (
            each.what.replace("_", " "),
            f"{each.count:,}",
            f"{each.refused:,}",
            seconds(each.seconds_p50),
            seconds(each.seconds_p99),
            _period(each.seconds),
        )
        for each in sorted(health.done, key=lambda each: -each.seconds)
    ]
    return Section(
        "What it was asked for",
        "Since the server was started. Times are those that the chip took; on their way and in"
        " line requests spend more.",
        headings=("What", "Times", "Refused or failed", "Median", "99 %", "All"),
        rows=rows,
        numbers=(1, 2, 3, 4, 5),
    )


def _reported(health: pb.HealthReply) -> Section:
    return Section(
        "From the driver",
        f"As the learner last asked for it, {_period(health.figures_seconds_ago)} ago.",
        headings=("What", "Then"),
        rows=[(name, f"{value:.5g}") for name, value in sorted(health.figures.items())],
        numbers=(1,),
    )


def _matrices(about: Described) -> Section:
    return Section(
        "Matrices on its arrays",
        headings=("Layer", "Inputs", "Outputs", "Positions"),
        rows=[
            (str(number), *(f"{size:,}" for size in (each.n_in, each.n_out, each.positions)))
            for number, each in enumerate(about.shapes, start=1)
        ],
        numbers=(0, 1, 2, 3),
    )


def _itself(about: Described) -> Section:
    return Section(
        "What it tells of itself",
        about.source,
        headings=("Parameter", "Value", "Meaning"),
        rows=about.parameters,
        numbers=(1,),
    )


def _can(about: Described) -> str:
    able = sorted(each.value.replace("_", " ") for each in about.capabilities)
    if about.decorrelates:
        able.append("decorrelation")
    if about.mirrors:
        able.append("mirrors")
    return f"{', '.join(able)}; {'can' if about.saves else 'cannot'} be saved"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _period(value: float) -> str:
    """``1.3 ms``, ``12 s``, ``3 min``, ``2.5 h``."""
    for unit, name in ((3600, "h"), (60, "min")):
        if value >= 2 * unit:
            return f"{value / unit:.3g} {name}"
    return seconds(value)
