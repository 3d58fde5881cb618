"""The page of a served chip: what its service tells, and nothing is asked of the chip for it."""

import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import torch

from substrate.new.write import write_new
from substrate.watch.chip import ChipPage
from substrate.watch.server import WatchServer
from substrate.wire.address import Guard
from tests.substrate.watch.browser import dom_in_a_browser
from tests.wires import DANP, NATIVE, a_host, a_scenario, a_server

LEARNING = {"rule": "bp", "optimiser": {"name": "sgd", "learning_rate": 0.3}}
X = torch.ones(3, 64)


def page_of(address: str) -> str:
    page = ChipPage(address, Guard())
    try:
        return page()
    finally:
        page.close()


def test_a_chip_is_shown_while_it_is_in_use_and_is_not_disturbed(tmp_path: Path) -> None:
    scenario = a_scenario(NATIVE, DANP)
    with a_server(scenario, tmp_path) as address:
        page = page_of(address)
        for shown in ("native rasch_2019", "Free", "Nobody has the chip.", "can be saved"):
            assert shown in page, shown
        with a_host(address) as host:
            host.begin(0)
            before = host.ledger()
            one = page_of(address)
            host.chip.passes(X, [None, None])
            counts = host.ledger()
            for _ in range(5):
                page = page_of(address)
            assert host.ledger() == counts != before  # nothing was driven for the page
            assert "passes" not in one
            for shown in ("In use", "has the chip since", "passes", "tell ledger", "positions"):
                assert shown.casefold() in page.casefold(), shown
            assert "<td" in page
        assert "Nobody has the chip." in page_of(address)


def test_what_is_refused_is_counted_and_bytes_are(tmp_path: Path) -> None:
    with a_server(a_scenario(NATIVE, DANP), tmp_path) as address, a_host(address) as host:
        host.begin(0)
        for x in (X, torch.full((3, 64), float("nan"))):
            with suppress(ValueError):
                host.chip.forward(x)
        health = host._link.line.calls.health()
        (passes,) = (each for each in health.done if each.what == "passes")
        assert (passes.count, passes.refused) == (2, 1)
        assert 0 < passes.seconds_p50 <= passes.seconds_p99 <= passes.seconds
        assert health.bytes_received > 2 * 3 * 64 * 4
        assert health.bytes_sent > 3 * (64 + 2 * 12 + 2 * 11 + 10) * 4
        assert health.requests == 2
        assert 0 < health.lease_seconds <= health.up_seconds


def test_what_the_driver_reports_is_shown_and_the_driver_is_not_asked(working_folder: Path) -> None:
    write_new("bench", "ProbeStation", working_folder)
    name = f"{working_folder}/probe_station.py:ProbeStation"
    bench = {"bench": name, "settings": {"temperature": 77.0}}
    scenario = a_scenario(bench, LEARNING, network={"layers": [16]})
    with a_server(scenario, working_folder / "states") as address, a_host(address) as host:
        host.begin(0)
        assert "temperature (K)" not in page_of(address)
        assert host.reported()["temperature (K)"] == 77.0
        host.chip.forward(X)
        for _ in range(3):
            page = page_of(address)
            assert "temperature (K)" in page
            assert "As the learner last asked for it" in page
        # the driver's latencies are those since it was asked last, by the learner
        assert "driver call p50 (ms)" in host.reported()


def test_a_chip_that_is_gone_is_said_to_be_and_found_again(tmp_path: Path) -> None:
    scenario = a_scenario(NATIVE, DANP)
    with a_server(scenario, tmp_path) as address:
        page = ChipPage(address, Guard())
        assert "Free" in page()
    gone = page()
    assert "Nothing to see" in gone
    assert f"{address}: no answer" in gone
    with a_server(scenario, tmp_path, address):
        assert "Free" in page()
    page.close()


def test_the_command_takes_an_address(tmp_path: Path) -> None:
    with a_server(a_scenario(NATIVE, DANP), tmp_path) as address:
        command = [sys.executable, "-m", "substrate", "watch", address, "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            url = process.stdout.readline().split()[0]
            dom = dom_in_a_browser(url, tmp_path)
            process.send_signal(signal.SIGINT)
            assert process.wait(300) == 0
    assert "native rasch_2019" in dom
    assert "Nobody has the chip." in dom


def test_the_command_says_at_once_that_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"localhost:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "substrate", "watch", address, "--port", "0"]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **both) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert f"{address}: no answer" in process.stderr.readline()
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(300) == 0


def test_a_real_browser_shows_it(tmp_path: Path) -> None:
    title = "<script>document.title='taken'</script>"
    with a_server(a_scenario(NATIVE, DANP), tmp_path) as address, a_host(address) as host:
        host.begin(0)
        host.chip.forward(X)
        page = ChipPage(address, Guard())
        calls, about = page.connect()
        page._connected = calls, about._replace(title=title)
        with WatchServer(page, "127.0.0.1", 0) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            dom = dom_in_a_browser(server.url, tmp_path)
            server.shutdown()
            thread.join()
        page.close()
    assert "<script" not in dom
    assert "<title>taken" not in dom
    for shown in ("In use", "What it was asked for", "Matrices on its arrays", "&lt;script&gt;"):
        assert shown in dom, shown
