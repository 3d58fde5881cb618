"""The wire, at length: faults over one training, fuzzed requests, and how fast it is.

python -m tests.torture.wire faults --count 1000
python -m tests.torture.wire fuzz --count 10000
python -m tests.torture.wire epochs
python -m tests.torture.wire bytes
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from multiprocessing import Process, get_context
from pathlib import Path

import torch

from devices.interface import Observation
from substrate.data import load_dataset
from substrate.run.isolated import isolated_host
from substrate.run.server import start_server as start_forkserver
from substrate.run.training import ArmRun
from substrate.scenario.load import load_scenario
from substrate.scenario.schema import Scenario
from substrate.wire.states import States
from tests.fault_proxy import FaultProxy
from tests.substrate.wire.fuzz import fuzz
from tests.substrate.wire.test_faults import Restarting, train_through
from tests.wires import CPU, DANP, NATIVE, a_host, a_scenario, a_server, trained

_WIDTH, _BATCH = 1024, 1000


def faults(count: int) -> bool:
    """One training through so many faults, next to one without."""
    scenario = a_scenario(NATIVE, DANP, epochs=-(-count // 6))
    here, _ = trained(scenario)
    with tempfile.TemporaryDirectory() as folder:
        chip = Restarting(scenario, Path(folder))
        port = int(chip.address.rpartition(":")[2])
        proxy = FaultProxy(
            ("127.0.0.1", port), count, every=6, restarts=count // 50, restart=chip.start
        )
        began = time.monotonic()
        there, _, link, seen = train_through(scenario, proxy.address)
        name = bytes(there.state()["chip.kept as"].tolist()).decode()
        kept, expected = States(Path(folder)).read(name), here.state()
        same = all(torch.equal(value, expected[f"chip.{each}"]) for each, value in kept.items())
        once = there.ledger() == here.ledger()
        print(f"faults: {dict(proxy.injected)}, not injected {proxy.left}")
        print(
            f"restarts: {proxy.injected['restart']}, of which the learner noticed"
            f" {seen['restart']} and went on from its last epoch; one that comes before it has the"
            " lease it cannot notice"
        )
        print(f"{there.ledger().steps} updates, each done once by the chip's count: {once}")
        print(f"final weights bitwise those of an undisturbed run: {same}")
        print(f"{time.monotonic() - began:.0f} s; {seen['reconnection']} reconnections")
        link.close()
        chip.stop()
        proxy.close()
    return same and once and proxy.left == 0


def _serve(address: str, ready: object) -> None:
    torch.set_num_threads(1)
    scenario = a_scenario({**NATIVE, "inject": True}, {**DANP, "decorrelation": {}})
    with tempfile.TemporaryDirectory() as folder, a_server(scenario, Path(folder), address):
        ready.set()
        time.sleep(10**6)


def fuzzed(count: int) -> bool:
    """Send so many requests that no learner sends to a server in a process of its own."""
    context = get_context("spawn")
    ready, folder = context.Event(), tempfile.mkdtemp()
    address = f"unix:{folder}/socket"
    server: Process = context.Process(target=_serve, args=(address, ready), daemon=True)
    server.start()
    ready.wait()
    began = time.monotonic()
    answers, memory = fuzz(address, count, 0, server.pid)
    alive = server.is_alive()
    server.kill()
    third = max(1, len(memory) // 3)
    early, late = (
        statistics.median(each) / 1e6 for each in (memory[third : 2 * third], memory[-third:])
    )
    print(f"{count} requests in {time.monotonic() - began:.0f} s: {dict(answers)}")
    print(
        f"alive: {alive}; its memory {early:.0f} MB in the second third, {late:.0f} MB in the last"
    )
    return alive and late < 1.1 * early


def epochs(count: int) -> bool:
    """Epochs of the digits scenario over the local wire and in process, in alternation."""
    start_forkserver()
    scenario, _ = load_scenario(Path("scenarios/native_danp.yaml"))
    dataset = load_dataset(scenario.data)
    whole = [0.0, 0.0]
    for arm in ("native", "clean_danp"):
        with (
            tempfile.TemporaryDirectory() as folder,
            isolated_host(scenario, arm, dataset, CPU, Path(folder)) as host,
        ):
            runs = [ArmRun(scenario, arm, 0, dataset, CPU, each).epochs() for each in (None, host)]
            times: list[list[float]] = [[], []]
            for epoch in range(count + 2):
                figures = []
                for run, own in zip(runs, times, strict=True):
                    began = time.perf_counter()
                    figures.append(next(run).test_loss)
                    if epoch > 1:  # what is made on first use is none of an epoch
                        own.append(time.perf_counter() - began)
                assert figures[0] == figures[1], epoch
            here, there = map(statistics.median, times)
            ratios = [b / a for a, b in zip(*times, strict=True)]
            print(
                f"{arm}: epoch in process {here:.3f} s, over the wire {there:.3f} s;"
                f" ratio of medians {there / here:.2f}, median of ratios"
                f" {statistics.median(ratios):.2f}, least {min(ratios):.2f}; {host.figures()}",
                flush=True,
            )
            whole = [whole[0] + here, whole[1] + there]
    print(f"both arms: {100 * (whole[1] / whole[0] - 1):.0f} % longer over the wire")
    return whole[1] <= 1.25 * whole[0]


class _Still:
    """A chip whose passes take no time: what is read was made before."""

    def __init__(self, chip: object) -> None:
        self._chip = chip
        self._made: dict[int, tuple[Observation, ...]] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._chip, name)

    def passes(self, x: torch.Tensor, perturbs: list[object], **options: object) -> object:
        if len(perturbs) not in self._made:
            self._made[len(perturbs)] = self._chip.passes(x, perturbs, **options)
        return self._made[len(perturbs)]


def _serve_wide(address: str, still: bool, ready: object) -> None:
    from substrate.assemble.host import SimulatedHost

    torch.set_num_threads(1)
    if still:
        begin = SimulatedHost.begin

        def begun(self: SimulatedHost, seed: int) -> None:
            begin(self, seed)
            self._chip = _Still(self._chip)

        SimulatedHost.begin = begun
    with tempfile.TemporaryDirectory() as folder, a_server(_wide(), Path(folder), address):
        ready.set()
        time.sleep(10**6)


def _wide() -> Scenario:
    return a_scenario(
        {"crossbar": "ideal"},
        {"rule": "danp", "decorrelation": None, "optimiser": {"name": "sgd", "learning_rate": 0.1}},
        network={"layers": [_WIDTH, _WIDTH]},
    )


def throughput(count: int) -> bool:
    """Passes of batch 1000 at 1024 units: bytes a second, with the chip's time and without."""
    context = get_context("spawn")
    rates = {}
    for still in (False, True):
        ready, folder = context.Event(), tempfile.mkdtemp()
        address = f"unix:{folder}/socket"
        server: Process = context.Process(
            target=_serve_wide, args=(address, still, ready), daemon=True
        )
        server.start()
        ready.wait()
        with a_host(address) as host:
            host.begin(0)
            x = torch.randn(_BATCH, 64)
            seconds = []
            for _ in range(count):
                before = host._link.line.meter.sent + host._link.line.meter.received
                began = time.perf_counter()
                host.chip.passes(x, [None, None])
                seconds.append(time.perf_counter() - began)
                moved = host._link.line.meter.sent + host._link.line.meter.received - before
        server.kill()
        rates[still] = moved / statistics.median(seconds) / 1e6
        best = moved / min(seconds) / 1e6
        print(
            f"{'wire alone' if still else 'with the chip'}: {moved / 1e6:.1f} MB a request,"
            f" {rates[still]:.0f} MB/s (median), {best:.0f} MB/s (best)"
        )
    return rates[True] >= 500


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["faults", "fuzz", "epochs", "bytes"])
    parser.add_argument("--count", type=int)
    chosen = parser.parse_args()
    work, usual = {
        "faults": (faults, 1000),
        "fuzz": (fuzzed, 10_000),
        "epochs": (epochs, 8),
        "bytes": (throughput, 15),
    }[chosen.what]
    return 0 if work(chosen.count or usual) else 1


if __name__ == "__main__":
    sys.exit(main())
