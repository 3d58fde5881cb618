"""Serving the page: one page, by GET, to browsers of this machine unless the user says otherwise.

A page that somebody else's site makes a browser ask for is a request to this machine as well, with
a name of theirs that leads here (DNS rebinding). So a request must name the address that the server
was started with, or one of the loopback's own names; others get 421.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from typing import Any

REFRESH_SECONDS = 5
_TIMEOUT_SECONDS = 10
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class NotLoopbackError(ValueError):
    """The address would be reached from other machines."""


class WatchServer(ThreadingHTTPServer):
    """Serves one page."""

    daemon_threads = True

    def __init__(
        self, page: Callable[[], str], host: str, port: int, *, anyone: bool = False
    ) -> None:
        """Listen; `serve_forever` serves.

        Args:
            page: gives it as HTML text; one call at a time.
            host: an address of this machine.
            port: 0 for any that is free.
            anyone: whether other machines may be served.

        Raises:
            NotLoopbackError: the address is not this machine's own, and nobody asked for that.
            OSError: it cannot be listened on.
        """
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        if not address.is_loopback and not anyone:
            raise NotLoopbackError(f"{host} is reached from other machines")
        self.address_family = AF_INET if address.version == 4 else AF_INET6
        self._page, self._making = page, threading.Lock()
        super().__init__((str(address), port), _Handler)
        shown = f"[{address}]" if address.version == 6 else str(address)
        self.url = f"http://{shown}:{self.server_port}/"
        names = {*_LOOPBACK_NAMES, shown} if address.is_loopback else {shown}
        self.hosts = {f"{name}:{self.server_port}" for name in names}
        # 0.0.0.0 is every address of this machine, and each is a number that no name stands for
        self.any_number = address.is_unspecified

    def knows(self, host: str) -> bool:
        """Whether a request names this server, and not something that leads here."""
        if host.lower() in self.hosts:
            return True
        name, _, port = host.rpartition(":")
        return self.any_number and port == str(self.server_port) and _is_number(name)

    def page(self) -> bytes:
        """Give the page, as it is now."""
        with self._making:
            return self._page().encode()


class _Handler(BaseHTTPRequestHandler):
    server: WatchServer
    timeout = _TIMEOUT_SECONDS
    server_version = "substrate"
    sys_version = ""
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        if not self._known():
            return
        if self.path != "/":
            self._give(HTTPStatus.NOT_FOUND, b"There is one page here: /\n", "text/plain")
            return
        self._give(HTTPStatus.OK, self.server.page(), "text/html")

    def _refuse(self) -> None:
        if self._known():
            self._give(HTTPStatus.METHOD_NOT_ALLOWED, b"This page is read.\n", "text/plain")

    def __getattr__(self, name: str) -> Callable[[], None]:
        # http.server looks for `do_` and the method's name
        if name.startswith("do_"):
            return self._refuse
        raise AttributeError(name)

    def _known(self) -> bool:
        hosts = self.headers.get_all("Host") or []
        if len(hosts) == 1 and self.server.knows(hosts[0].strip()):
            return True
        self._give(HTTPStatus.MISDIRECTED_REQUEST, b"Not the name of this server.\n", "text/plain")
        return False

    def _give(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if status == HTTPStatus.OK:
            self.send_header("Refresh", str(REFRESH_SECONDS))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what is asked for is the reader's affair."""


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
