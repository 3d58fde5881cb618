"""Memory that two processes share, where there is room for it and where there is none."""

from __future__ import annotations

import multiprocessing
from collections import namedtuple

import pytest

from substrate.wire import shared as module
from substrate.wire.shared import share, shared


def _write(arrays) -> None:
    memory = shared(arrays)
    memory.replies[:4] = bytes(memory.requests[:4])[::-1]


def test_another_process_reads_and_writes_it():
    context = multiprocessing.get_context("spawn")
    memory = shared(arrays := share(context))
    memory.requests[:4] = b"abcd"
    process = context.Process(target=_write, args=(arrays,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert bytes(memory.replies[:4]) == b"dcba"


@pytest.mark.parametrize("free", [0, 2**20])
def test_none_is_shared_where_there_is_no_room(free, monkeypatch):
    usage = namedtuple("Usage", "total used free")(0, 0, free)
    monkeypatch.setattr(module, "disk_usage", lambda _: usage)
    assert share(multiprocessing.get_context()) is None
    assert shared(None) is None
