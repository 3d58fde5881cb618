"""`substrate watch`."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from substrate.cli.serve import guard_refused
from substrate.nearest import path_meant
from substrate.scenario.source import ScenarioError
from substrate.terminal import tell
from substrate.watch.server import NotLoopbackError, WatchServer


class Page(NamedTuple):
    """Where the page is served.

    Attributes:
        host: an address of this machine.
        port: 0 for any that is free.
        anyone: whether other machines may be served.
    """

    host: str
    port: int
    anyone: bool


def watch_command(
    watched: str, page: Page, files: tuple[Path | None, Path | None, Path | None, Path | None]
) -> None:
    """Serve the page of a run, or of a served chip, until Ctrl-C.

    Args:
        watched: the run's folder, or the chip's address.
        page: where it is served.
        files: certificate, key, authority and token, by which the chip knows us and we know it.

    Raises:
        ScenarioError: there is neither folder nor address, or the page would be reached from
            elsewhere unasked.
        OSError: the address cannot be listened on.
    """
    with _page_of(watched, files) as made:
        try:
            server = WatchServer(made, page.host, page.port, anyone=page.anyone)
        except NotLoopbackError as problem:
            hint = "add --anyone if everybody who reaches it may read the page"
            raise ScenarioError(str(problem), file="--host", hint=hint) from None
        except ValueError:
            hint = "an address of this machine, such as 127.0.0.1"
            raise ScenarioError(
                "is no address", file="--host", found=page.host, hint=hint
            ) from None
        # a shell that starts it in the background lets it ignore Ctrl-C and kill -INT
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with server:
            try:
                tell(f"{server.url}  (Ctrl-C ends it)")
                server.serve_forever()
            except KeyboardInterrupt:
                tell("")


@contextmanager
def _page_of(
    watched: str, files: tuple[Path | None, Path | None, Path | None, Path | None]
) -> Iterator[Callable[[], str]]:
    from substrate.wire.address import (
        AddressError,
        Guard,
        GuardError,
        check_address,
        open_channel,
    )

    if Path(watched).is_dir():
        from substrate.watch.page import RunPage

        if any(files):
            message = "--certificate, --key, --authority and --token are for a chip's address"
            raise ScenarioError(message, file=watched)
        yield RunPage(Path(watched).resolve())
        return
    try:
        check_address(watched)
    except AddressError:
        usual = "a run folder, or a served chip's host:port"
        hint = path_meant(Path(watched), Path.is_dir) or usual
        raise ScenarioError("is no folder, and no address", file=watched, hint=hint) from None
    from substrate.watch.chip import ChipPage
    from substrate.wire.errors import WireError

    guard = Guard(*files)
    try:
        open_channel(watched, guard, []).close()
        guard.secret()
    except GuardError as problem:
        raise guard_refused(problem) from None
    except AddressError as problem:
        raise ScenarioError(str(problem), file=watched) from None
    with closing(ChipPage(watched, guard)) as page:
        try:
            page.connect()
        except WireError as problem:  # it may be started later
            tell(f"{problem}; the page looks for it whenever it is asked for", err=True)
        yield page
