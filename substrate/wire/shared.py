"""Memory that two processes of one machine share: tensors lie there, beside a pipe's messages.

A pipe hands on 64 kB at a time, each piece with a copy into the kernel and one out of it, while
both ends take turns; so tensors are left in memory that both have. One message at a time lies in
it each way; what does not fit, or comes before the last was read, goes through the pipe.
"""

from __future__ import annotations

import os
from multiprocessing.context import BaseContext
from shutil import disk_usage
from tempfile import gettempdir
from typing import Any, NamedTuple

_BYTES = 4 * 2**20
"""Each way. Tensors of larger messages take so long to compute that copies hardly count."""


class Shared(NamedTuple):
    """What both ends write: whoever asks, and whoever answers."""

    requests: memoryview
    replies: memoryview


def share(context: BaseContext) -> tuple[Any, Any] | None:
    """Make what can be handed to a process that is started; None where there is no room for it."""
    # multiprocessing maps files there, and a write to one that finds no room ends the process
    folders = [path for path in ("/dev/shm", gettempdir()) if os.path.isdir(path)]
    if max(disk_usage(path).free for path in folders) < 4 * _BYTES:
        return None
    return context.RawArray("B", _BYTES), context.RawArray("B", _BYTES)


def shared(arrays: tuple[Any, Any] | None) -> Shared | None:
    """Give the memory of what `share` made, at either end."""
    if arrays is None:
        return None
    requests, replies = (memoryview(each).cast("B") for each in arrays)
    return Shared(requests, replies)
