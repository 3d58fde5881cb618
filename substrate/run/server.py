"""The server that local workers are forked from: a process that has imported all they need."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker, spawn
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.process import BaseProcess
from typing import Any


class _Worker(ForkServerProcess):
    """A process that does not run the user's script anew.

    multiprocessing imports the main module into every process that it starts, so that a script
    without `if __name__ == "__main__"` would begin another run in each worker. A unit needs nothing
    of that module.
    """

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:
        with _without_main_module():
            return ForkServerProcess._Popen(process_obj)


class _Context(ForkServerContext):
    Process = _Worker


def server_context() -> ForkServerContext:
    """Give the way to start processes from the server: one for a run and all its workers."""
    _ask_whose_child_this_is()
    context = _Context()
    context.set_forkserver_preload(["substrate.run.preload"])
    return context


def start_server() -> None:
    """Let it import what workers need while this process does other things."""
    server_context()
    forkserver.ensure_running()


def _ask_whose_child_this_is() -> None:
    """Have a process that came from the server ask the same one for processes of its own.

    It is documented so, and knows the server's address; but since the server is not its child, it
    would start another, which takes as long as all imports do.
    """
    server: Any = forkserver._forkserver
    known = getattr(server, "_forkserver_address", None) is not None
    if known and getattr(server, "_forkserver_pid", 0) is None:
        server.ensure_running = resource_tracker.ensure_running


_STARTING = threading.Lock()


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Leave the main module out of what a process is told that this thread starts."""
    mine = threading.get_ident()
    with _STARTING:
        whole = spawn.get_preparation_data

        def told(name: str) -> dict[str, Any]:
            found: dict[str, Any] = whole(name)
            if threading.get_ident() == mine:
                for key in ("init_main_from_name", "init_main_from_path"):
                    found.pop(key, None)
            return found

        spawn.get_preparation_data = told
        try:
            yield
        finally:
            spawn.get_preparation_data = whole
