"""Connections that fail and chips that restart: nothing is done twice, and nothing is left out."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from devices.interface import LayerUpdate
from substrate.run.training import ArmRun
from substrate.wire.address import Guard
from substrate.wire.arm import serve_arm
from substrate.wire.errors import ChipRestarted, ChipUnreachable, LeaseLost, LeaseTaken
from substrate.wire.host import RemoteHost
from substrate.wire.link import Link
from substrate.wire.retries import Patience
from substrate.wire.server import start_server
from substrate.wire.states import States
from substrate.wire.stream import Stream
from tests.fault_proxy import FaultProxy
from tests.wires import CPU, DANP, NATIVE, a_host, a_scenario, a_server, few_digits, trained

QUICK = Patience(deadline=1.0, attempts_seconds=60.0)


class Restarting:
    """A server that can be started anew at the same port, as after a power cut."""

    def __init__(self, scenario, states: Path) -> None:
        self._about = scenario, states
        self._server = None
        self._lock = threading.Lock()
        self.address = "localhost:0"
        self.start()

    def start(self) -> None:
        with self._lock:
            self._start()

    def _start(self) -> None:
        if self._server is not None:
            self._server.stop(None).wait()
        scenario, states = self._about
        data = few_digits(scenario)
        served = serve_arm(scenario, "arm", data.input_shape, data.n_out, CPU, states, secret=False)
        for _ in range(50):
            try:
                self._server, self.address = start_server(served, self.address, Guard())
                return
            except ValueError:  # the port is not free yet
                time.sleep(0.05)
        raise RuntimeError("the port does not get free")

    def stop(self) -> None:
        self._server.stop(None).wait()


def train_through(scenario, address: str) -> tuple[ArmRun, RemoteHost, Link, Counter[str]]:
    """Train, and go on from the last epoch where the chip was restarted, as a unit does.

    Gives the restarts and reconnections of all attempts, too. A lease may be lost with a reply; it
    lapses.
    """
    kept = None
    seen: Counter[str] = Counter()
    while True:
        link = Link(Stream(address, Guard(), QUICK))
        try:
            link.lease()
            host = RemoteHost(link)
            run = ArmRun(scenario, "arm", 0, few_digits(scenario), CPU, host)
            if kept is not None:
                run.restore(*kept)
            for epoch in run.epochs():
                kept = run.state(), epoch
            seen["reconnection"] += link.line.meter.reconnections
            return run, host, link, seen
        except (ChipRestarted, LeaseLost, LeaseTaken) as problem:
            seen["restart"] += isinstance(problem, ChipRestarted)
            seen["reconnection"] += link.line.meter.reconnections
            link.close()
            time.sleep(1.0 if isinstance(problem, LeaseTaken) else 0.0)


@pytest.mark.parametrize(("faults", "restarts"), [(40, 2)])
def test_a_training_through_faults_ends_as_one_without(faults, restarts, tmp_path):
    scenario = a_scenario(NATIVE, DANP, epochs=8)
    here, _ = trained(scenario)
    chip = Restarting(scenario, tmp_path)
    port = int(chip.address.rpartition(":")[2])
    proxy = FaultProxy(("127.0.0.1", port), faults, every=8, restarts=restarts, restart=chip.start)
    try:
        there, _, link, seen = train_through(scenario, proxy.address)
        name = bytes(there.state()["chip.kept as"].tolist()).decode()
        kept, expected = States(tmp_path).read(name), here.state()
        for each, value in kept.items():
            assert torch.equal(value, expected[f"chip.{each}"]), each
        # every update was carried out once: the chip's own count
        assert there.ledger() == here.ledger()
        assert seen["reconnection"] > 0
        assert proxy.injected["restart"] == restarts
        assert seen["restart"] > 0  # not each: one that comes before there is a lease harms nobody
        link.close()
    finally:
        proxy.close()
        chip.stop()
    assert proxy.left == 0, proxy.injected


class HeaderProxy(FaultProxy):
    """Spoils one header, where it is first sent."""

    def __init__(self, server: tuple[str, int], header: bytes, *, to_learner: bool) -> None:
        super().__init__(server, 0, every=1)
        self.header, self.way = header, to_learner
        self.spoilt = 0

    def changed(self, piece: bytes, *, to_learner: bool) -> bytes:
        if self.spoilt or to_learner is not self.way or self.header not in piece:
            return piece
        self.spoilt += 1
        return piece.replace(self.header, bytes([self.header[0] ^ 1]) + self.header[1:], 1)


@pytest.mark.parametrize(
    ("header", "to_learner"), [(b"grpc-status", True), (b"Describe", False), (b"Drive", False)]
)
def test_a_header_that_was_spoilt_once_does_not_stay(header, to_learner, tmp_path):
    scenario = a_scenario(NATIVE, DANP)
    with a_server(scenario, tmp_path) as address:
        server = "127.0.0.1", int(address.rpartition(":")[2])
        proxy = HeaderProxy(server, header, to_learner=to_learner)
        with a_host(proxy.address, Patience(10.0, 60.0)) as host:
            host.begin(0)
            host.ledger()
        proxy.close()
    assert proxy.spoilt == 1


LOOK_FOR_A_CHIP = """
import sys
from substrate.wire.address import Guard
from substrate.wire.errors import ChipUnreachable
from substrate.wire.retries import Patience
from substrate.wire.stream import Stream
try:
    Stream(sys.argv[1], Guard(), Patience(1.0, 0.0))
except ChipUnreachable as problem:
    print(problem)
"""


def _frame(kind: int, flags: int, payload: bytes = b"") -> bytes:
    """One of HTTP/2's of the whole connection (RFC 9113, section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, 0) + payload


def _say_good_bye(listener: socket.socket, code: int) -> None:
    settings, ack, good_bye = 4, 1, 7
    with suppress(OSError):
        while True:
            peer, _ = listener.accept()
            with peer:
                peer.recv(2**16)
                peer.sendall(_frame(settings, 0))
                peer.recv(2**16)  # what is asked stands behind the client's acknowledgement
                peer.sendall(_frame(settings, ack))
                peer.sendall(_frame(good_bye, 0, struct.pack(">II", 0, code)))
                while peer.recv(2**16):
                    pass


@pytest.mark.parametrize("code", [2, 1533323119])
def test_one_wrong_frame_does_not_end_the_process(code):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_say_good_bye, args=(listener, code), daemon=True)
        thread.start()
        command = [sys.executable, "-c", LOOK_FOR_A_CHIP, f"127.0.0.1:{listener.getsockname()[1]}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "no answer" in done.stdout


def test_updates_are_counted_at_the_server(tmp_path):
    scenario = a_scenario(NATIVE, DANP)
    with a_server(scenario, tmp_path) as address, a_host(address) as host:
        host.begin(0)
        before = host.ledger()
        for _ in range(5):
            host.chip.apply([LayerUpdate(0, bias=torch.ones(12))])
        assert host.ledger() == before
        assert host._link.line.calls.health().updates == 5


def test_changes_of_a_slow_chip_do_not_wait_for_what_is_asked_next(tmp_path):
    scenario = a_scenario(NATIVE, DANP)
    with a_server(scenario, tmp_path) as address, a_host(address) as host:
        line = host._link.line
        host.begin(0)
        host.ledger()
        line.meter.waited = 0.0  # whatever else the machine does
        host.chip.apply([LayerUpdate(0, bias=torch.ones(12))])
        assert line.meter.requests == 1
        line.meter.waited = 10.0
        host.chip.apply([LayerUpdate(0, bias=torch.ones(12))])
        assert line.meter.requests == 2
        until = time.monotonic() + 60
        while line.calls.health().updates < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert line.calls.health().updates == 2


def test_a_restart_is_noticed(tmp_path):
    scenario = a_scenario(NATIVE, DANP)
    chip = Restarting(scenario, tmp_path)
    with a_host(chip.address, QUICK) as host:
        host.begin(0)
        host.ledger()
        chip.start()
        with pytest.raises(ChipRestarted, match="was restarted"):
            host.ledger()
    chip.stop()


def test_a_chip_that_is_gone_is_given_up_in_time(tmp_path):
    scenario = a_scenario(NATIVE, DANP)
    chip = Restarting(scenario, tmp_path)
    with a_host(chip.address, Patience(1.0, 1.0)) as host:
        host.begin(0)
        host.ledger()
        chip.stop()
        began = time.monotonic()
        with pytest.raises(ChipUnreachable, match="no answer"):
            host.ledger()
        assert time.monotonic() - began < 30


def test_one_learner_has_the_chip_until_its_lease_lapses(tmp_path):
    scenario = a_scenario(NATIVE, DANP)
    with a_server(scenario, tmp_path, lease_seconds=3.0) as address:
        with a_host(address) as host:
            host.begin(0)
            with pytest.raises(LeaseTaken, match="is leased to"), a_host(address):
                pass
            time.sleep(4.5)  # the first one keeps it
            host.ledger()
            host._link.line._closed.set()  # as if its process had stopped
            host._link.line._watch.join()
            time.sleep(4.5)
            host._link.line._closed.clear()
            with a_host(address) as other:
                other.begin(0)
                other.ledger()
                with pytest.raises(LeaseLost, match="has lapsed"):
                    host.ledger()
        with a_host(address):  # given back at once
            pass
