"""What a wire costs: a whole run with its chips in processes of their own, and bytes a second.

The digits scenario is run with `--isolated` and without, in turn, as its user waits for it. Passes
go over gRPC on a local socket, to a chip that takes no time and to the ideal chip on one thread;
the floor is the same bytes through a bare pipe between the same two processes, without a message's
checksum, tensors or numbers.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from unittest.mock import patch

import torch

from devices.interface import Chip, Observation
from substrate.assemble.host import SimulatedHost
from substrate.bench.jobs import seconds_of_run
from substrate.environment import scenarios_folder
from substrate.run.workers import cores
from substrate.scenario.schema import Scenario
from substrate.terminal import tell
from substrate.wire.address import Guard
from substrate.wire.arm import serve_arm
from substrate.wire.host import RemoteHost
from substrate.wire.link import Link
from substrate.wire.server import start_server
from substrate.wire.stream import Stream

WIDTH, BATCH, INPUTS = 1024, 1000, 64
_SCENARIO = {
    "name": "wire",
    "network": {"layers": [WIDTH, WIDTH]},
    "arms": {
        "arm": {
            "chip": {"crossbar": "ideal"},
            "learning": {"rule": "danp", "optimiser": {"learning_rate": 0.1}},
        }
    },
    "baselines": {"bp": {"learning": {"rule": "bp", "optimiser": {"learning_rate": 0.1}}}},
}


class Isolated(NamedTuple):
    """Whole runs of the digits scenario.

    Attributes:
        what: how it is run.
        inside: seconds with the chips in the learner's process, run by run.
        apart: seconds with each in a process of its own, run by run.
    """

    what: str
    inside: list[float]
    apart: list[float]

    @property
    def longer(self) -> float:
        """By which fraction all runs with `--isolated` together took longer."""
        return sum(self.apart) / sum(self.inside) - 1


class Rate(NamedTuple):
    """Passes over the wire.

    Attributes:
        chip: what was at the other end.
        megabytes: that one request for passes moves, both ways.
        rate: megabytes a second, the median of all requests.
        of_floor: of the rate through a bare pipe.
    """

    chip: str
    megabytes: float
    rate: float
    of_floor: float


def bench_isolated(pairs: int) -> Iterator[Isolated]:
    """Run the digits scenario with its chips inside and apart, in turn, so many times each.

    With one job learner and chip have a core each, where there are two; with a job a core, as runs
    are by default, they share it.
    """
    file, count = str(scenarios_folder() / "native_danp.yaml"), cores()
    for what, words in (
        ("one seed, one job", ["--seeds", "1", "--jobs", "1"]),
        (f"{count} jobs on {count} cores", ["--jobs", str(count)]),
    ):
        found = Isolated(what, [], [])
        for _ in range(pairs):
            found.apart.append(seconds_of_run([file, *words, "--isolated"]))
            found.inside.append(seconds_of_run([file, *words]))
        yield found


def bench_rates(requests: int) -> list[Rate]:
    """Ask for passes of a thousand samples at 1024 units, so many times of each chip."""
    x = torch.randn(BATCH, INPUTS)
    return [
        _rate(chip, x, requests, still=still)
        for still, chip in ((True, "a chip that takes no time"), (False, "the ideal chip"))
    ]


def _rate(chip: str, x: torch.Tensor, requests: int, *, still: bool) -> Rate:
    with _served(still) as (address, pipe):
        link = Link(Stream(address, Guard()))
        link.lease()
        host, meter = RemoteHost(link), link.line.meter

        def ask() -> None:
            host.chip.passes(x, [None, None])

        host.begin(0)
        ask()
        before = meter.sent, meter.received
        seconds = _median_time(ask, requests)
        sent, received = (
            (now - then) // requests
            for now, then in zip((meter.sent, meter.received), before, strict=True)
        )
        link.close()
        data = bytes(sent)

        def exchange() -> None:
            pipe.send_bytes(data)
            pipe.recv_bytes()

        pipe.send_bytes(str(received).encode())
        floor = _median_time(exchange, requests)
    moved = (sent + received) / 1e6
    return Rate(chip, moved, moved / seconds, floor / seconds)


def _median_time(work: Callable[[], None], count: int) -> float:
    found = []
    for _ in range(count):
        clock = time.perf_counter()
        work()
        found.append(time.perf_counter() - clock)
    return median(found)


@contextmanager
def _served(still: bool) -> Iterator[tuple[str, Connection]]:
    """Serve the chip from a process of its own; gives its address, and a pipe to its process."""
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/socket"
        process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(address, still, folder, theirs), daemon=True
        )
        process.start()
        theirs.close()
        ours.recv_bytes()
        yield address, ours
        process.kill()
        process.join()


def _serve(address: str, still: bool, folder: str, pipe: Connection) -> None:
    torch.set_num_threads(1)
    scenario = Scenario.model_validate(_SCENARIO)
    served = serve_arm(
        *(scenario, "arm", (INPUTS,), 10, torch.device("cpu"), Path(folder)), secret=False
    )
    with patch.object(SimulatedHost, "begin", _begin_still) if still else nullcontext():
        server, _ = start_server(served, address, Guard())
        pipe.send_bytes(b"ready")
        back = bytes(int(pipe.recv_bytes()))
        server.stop(None).wait()
    while True:
        pipe.recv_bytes()
        pipe.send_bytes(back)


_begin = SimulatedHost.begin


def _begin_still(host: SimulatedHost, seed: int) -> None:
    _begin(host, seed)
    chip: Any = _Still(host.chip)
    host._chip = chip


class _Still:
    """A chip whose passes take no time: what is read was made before."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._made: dict[int, tuple[Observation, ...]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chip, name)

    def passes(
        self, x: torch.Tensor, perturbs: Sequence[Any], **options: Any
    ) -> tuple[Observation, ...]:
        if len(perturbs) not in self._made:
            self._made[len(perturbs)] = self._chip.passes(x, perturbs, **options)
        return self._made[len(perturbs)]


def show_wire(isolated: Sequence[Isolated], rates: Sequence[Rate], as_json: bool) -> None:
    """Print the figures."""
    if as_json:
        told = {
            "isolated": [{**each._asdict(), "longer": each.longer} for each in isolated],
            "rates": [each._asdict() for each in rates],
        }
        tell(json.dumps(told, indent=2))
        return
    for run in isolated:
        each = [100 * (b / a - 1) for a, b in zip(run.inside, run.apart, strict=True)]
        tell(
            f"the digits scenario, {run.what}, {len(each)} pairs of whole runs:"
            f" {median(run.inside):.1f} s in process and {median(run.apart):.1f} s isolated"
            f" (medians); {min(each):.0f} to {max(each):.0f} % longer,"
            f" {100 * run.longer:.0f} % all together"
        )
    for rate in rates:
        tell(
            f"passes of batch {BATCH} at {WIDTH} units, {rate.chip}: {rate.megabytes:.1f} MB a"
            f" request, {rate.rate:.0f} MB/s, {100 * rate.of_floor:.0f} % of a bare pipe's"
        )
