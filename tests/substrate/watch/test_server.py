"""The server: one page, to this machine, by GET; and the page as a browser shows it."""

import http.client
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from substrate.record.folder import UNITS
from substrate.watch.page import RunPage
from substrate.watch.server import NotLoopbackError, WatchServer
from tests.substrate.watch.browser import dom_in_a_browser
from tests.substrate.watch.conftest import TITLE, Going


@pytest.fixture
def server(going: Going) -> Iterator[WatchServer]:
    with WatchServer(RunPage(going.folder), "127.0.0.1", 0) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(
    server: WatchServer, path: str = "/", method: str = "GET", host: str | None = None
) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=300)
    headers = {} if host is None else {"Host": host}
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer.status, content, answer.headers


def test_the_page_is_given_and_asks_to_be_looked_at_again(
    server: WatchServer, going: Going
) -> None:
    going.reaches("bench", 0, [0.1, 0.4])
    status, page, headers = ask(server)
    assert status == 200
    assert "40.0 %" in page
    assert headers["Refresh"] == "5"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    going.reaches("bench", 0, [0.1, 0.4, 0.55])
    assert "55.0 %" in ask(server)[1]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("[::1]:{port}", 200),
        ("evil.example:{port}", 421),
        ("127.0.0.1.evil.example:{port}", 421),
        ("localhost", 421),
        ("127.0.0.1:1", 421),
        ("", 421),
    ],
)
def test_a_name_that_only_leads_here_is_not_served(
    server: WatchServer, host: str, status: int
) -> None:
    found, page, _ = ask(server, host=host.format(port=server.server_port))
    assert found == status
    assert ("script" in page) == (status == 200)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "BREW"])
def test_nothing_but_reading_is_there(server: WatchServer, method: str) -> None:
    status, _, headers = ask(server, method=method)
    assert status == 405
    assert headers["Allow"] == "GET"


@pytest.mark.parametrize("path", ["/units.json", "/../units.json", "//etc/passwd", "/?a=b"])
def test_there_is_one_page(server: WatchServer, path: str) -> None:
    status, page, _ = ask(server, path)
    assert status == 404
    assert page == "There is one page here: /\n"


def test_what_is_malformed_is_answered_and_the_server_goes_on(server: WatchServer) -> None:
    for request in (
        b"\x00\xff\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=300) as peer:
            peer.sendall(request)
            peer.shutdown(socket.SHUT_WR)
            answer = peer.makefile("rb").read()
        # to what is older than status lines http.server answers with its page alone
        refused = answer.startswith(b"HTTP/1.0 4") or b"Error code: 4" in answer
        assert refused, (request[:30], answer[:80])
    assert ask(server)[0] == 200


def test_a_run_that_is_damaged_or_not_begun_is_shown_as_such(
    server: WatchServer, going: Going
) -> None:
    record = (going.folder / UNITS).read_text()
    (going.folder / UNITS).write_text(record[:-200])
    status, page, _ = ask(server)
    assert status == 200
    assert "units.json" in page
    (going.folder / UNITS).write_text(record)
    assert "In training" in ask(server)[1]


def test_other_machines_are_served_only_if_somebody_says_so(going: Going) -> None:
    for host in ("0.0.0.0", "192.0.2.1", "::"):
        with pytest.raises(NotLoopbackError):
            WatchServer(RunPage(going.folder), host, 0)
    with pytest.raises(ValueError, match="does not appear to be"):
        WatchServer(RunPage(going.folder), "somewhere", 0)
    with WatchServer(RunPage(going.folder), "0.0.0.0", 0, anyone=True) as everywhere:
        port = everywhere.server_port
        assert everywhere.knows(f"192.0.2.1:{port}")
        assert not everywhere.knows(f"evil.example:{port}")


def test_the_command_says_where_and_ends_with_ctrl_c(going: Going) -> None:
    command = [sys.executable, "-m", "substrate", "watch", str(going.folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(300) == 0


def test_the_command_refuses_what_makes_no_sense(going: Going) -> None:
    for arguments, message in (
        ([str(going.folder), "--host", "0.0.0.0"], "reached from other machines; add --anyone"),
        ([str(going.folder), "--host", "somewhere"], "is no address"),
        ([str(going.folder / "none")], "is no folder, and no address"),
        (["192.0.2.1:50051"], "is another machine"),
        ([str(going.folder), "--token", "t"], "are for a chip's address"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "substrate", "watch", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 2
        assert message in done.stderr


def test_a_real_browser_shows_it_and_runs_nothing_of_it(
    server: WatchServer, going: Going, tmp_path: Path
) -> None:
    told = {"temperature (K)": 4.25}
    going.ends(going.reaches("bench", 0, [0.1, 0.5], reported=told), noise=0.25)
    going.reaches("clean", 0, [0.1, 0.9])
    dom = dom_in_a_browser(server.url, tmp_path)
    assert TITLE.replace("<", "&lt;").replace(">", "&gt;") in dom
    assert "<script" not in dom
    assert "<title>taken" not in dom
    for shown in ("In training", "40.0 points", "25.0 %", "temperature (K)", "Learning curves"):
        assert shown in dom, shown
