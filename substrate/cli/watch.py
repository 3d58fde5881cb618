"""`substrate watch`."""

from __future__ import annotations

import signal
from pathlib import Path

from substrate.scenario.source import ScenarioError
from substrate.terminal import tell
from substrate.watch.server import NotLoopbackError, WatchServer


def watch_command(folder: Path, host: str, port: int, anyone: bool) -> None:
    """Serve the page of a run until Ctrl-C.

    Raises:
        ScenarioError: the folder is none, or the address is reached from elsewhere unasked.
        OSError: the address cannot be listened on.
    """
    if not folder.is_dir():
        raise ScenarioError("is no folder", file=str(folder))
    try:
        server = WatchServer(folder.resolve(), host, port, anyone=anyone)
    except NotLoopbackError as problem:
        hint = "add --anyone if everybody who reaches it may read the page"
        raise ScenarioError(str(problem), file="--host", hint=hint) from None
    except ValueError:
        hint = "an address of this machine, such as 127.0.0.1"
        raise ScenarioError("is no address", file="--host", found=host, hint=hint) from None
    # a shell that starts it in the background lets it ignore Ctrl-C and kill -INT
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with server:
        try:
            tell(f"{server.url}  (Ctrl-C ends it)")
            server.serve_forever()
        except KeyboardInterrupt:
            tell("")
