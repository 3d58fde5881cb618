"""The server that processes are forked from."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection

import psutil

from substrate.run.server import server_context

SECONDS = 120


def _tell_parents(pipe: Connection, below: int) -> None:
    """Send the process ids of this process's parent and of those begun from here."""
    pipe.send(psutil.Process(os.getpid()).ppid())
    if below:
        child = server_context().Process(target=_tell_parents, args=(pipe, below - 1))
        child.start()
        child.join()
        pipe.send(child.exitcode)


def test_processes_that_came_from_it_ask_the_same_server():
    ours, theirs = multiprocessing.Pipe()
    process = server_context().Process(target=_tell_parents, args=(theirs, 2))
    process.start()
    theirs.close()
    told = []
    while len(told) < 5:
        assert ours.poll(SECONDS)
        told.append(ours.recv())
    process.join(SECONDS)
    assert told[:3] == [told[0]] * 3
    assert told[3:] == [0, 0]
    assert told[0] != os.getpid()
