"""The wire, at length: faults over one training, and fuzzed requests.

python -m tests.torture.wire faults --count 1000
python -m tests.torture.wire fuzz --count 10000
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

from substrate.wire.states import States
from tests.fault_proxy import FaultProxy
from tests.substrate.wire.fuzz import fuzz
from tests.substrate.wire.test_faults import Restarting, train_through
from tests.wires import DANP, NATIVE, a_scenario, a_server, trained

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


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["faults", "fuzz"])
    parser.add_argument("--count", type=int)
    chosen = parser.parse_args()
    work, usual = {
        "faults": (faults, 1000),
        "fuzz": (fuzzed, 10_000),
    }[chosen.what]
    return 0 if work(chosen.count or usual) else 1


if __name__ == "__main__":
    sys.exit(main())
