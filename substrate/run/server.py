"""The server that local workers are forked from: a process that has imported all they need."""

from __future__ import annotations

import multiprocessing
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext


def server_context() -> ForkServerContext:
    """Give the way to start processes from the server."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["substrate.run.preload"])
    return context


def start_server() -> None:
    """Let it import what workers need while this process does other things."""
    server_context()
    forkserver.ensure_running()
