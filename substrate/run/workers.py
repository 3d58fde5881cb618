"""Local workers: processes that do units side by side, one thread each.

The pool is pebble's, since a worker of it that dies takes down its own task alone; the standard
library's and loky's break as a whole, and which task was to blame is not known. Workers are forked
from a server that has imported torch and the simulators once; that server is a process of its own
without threads, so that forking it is safe. A worker ends with the process that asked for it,
however that one ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psutil
import torch

from substrate.assemble.layouts import layouts
from substrate.data.dataset import Dataset
from substrate.run.server import server_context
from substrate.scenario.schema import Scenario

_P = ParamSpec("_P")
_T = TypeVar("_T")

_WORKER_BYTES = 350_000_000
"""What a worker needs for itself: torch, the simulators and their compiled loops."""

_COPIES = 8
"""Of every weight: itself, its change, two moments, R or a mirror, the checkpoint and its bytes."""


class InProcess(Executor):
    """Does at once, in this process, what is submitted."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Do it; Ctrl-C goes through."""
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as problem:
            future.set_exception(problem)
        return future


class _Processes(Executor):
    """pebble's pool in the shape of the standard library's."""

    def __init__(self, count: int) -> None:
        from pebble import ProcessPool

        context = server_context()
        self._pool = ProcessPool(
            count, initializer=_begin, initargs=(context.Value("i", 0),), context=context
        )

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        future: Future[_T] = self._pool.schedule(fn, args=list(args), kwargs=kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            self._pool.stop()
        else:
            self._pool.close()
        if wait:
            self._pool.join()


@contextmanager
def local_workers(count: int) -> Iterator[Executor]:
    """Give an executor of so many processes; of one, this process itself.

    What is not done when the block is left is stopped.
    """
    if count == 1:
        yield InProcess()
        return
    workers = _Processes(count)
    try:
        yield workers
    finally:
        workers.shutdown(cancel_futures=True)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def default_jobs(scenario: Scenario, dataset: Dataset, device: torch.device) -> int:
    """One process a core within the memory at hand, or one a GPU."""
    if device.type == "cuda":
        return torch.cuda.device_count()
    return max(1, min(cores(), memory_at_hand() // unit_bytes(scenario, dataset)))


def unit_bytes(scenario: Scenario, dataset: Dataset) -> int:
    """Estimate the memory of a worker with its unit: itself, the data, weights, and activities."""
    shapes = [each.shape for each in layouts(scenario.network, dataset.input_shape, dataset.n_out)]
    weights = sum(shape.n_in * (shape.n_out + shape.n_in) for shape in shapes)
    batch = max(scenario.training.batch_size, 1000)  # the latter in evaluation
    activities = batch * sum(shape.n_in + 4 * shape.n_out for shape in shapes)
    data = sum(
        part.numel() * part.element_size()
        for part in (dataset.x_train, dataset.x_test, dataset.y_train, dataset.y_test)
    )
    return _WORKER_BYTES + 2 * data + 4 * (_COPIES * weights + 4 * activities)


def memory_at_hand() -> int:
    """Bytes that are free, or would be if files were not cached, within this container's limit."""
    free = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    limit, used = (_number(group / f"memory.{name}") for name in ("max", "current"))
    return free if limit is None or used is None else max(0, min(free, limit - used))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such group, or `max`
        return None


def _begin(counter: Any) -> None:
    """Set a worker up: one thread, Ctrl-C left to the parent, an end with the parent, a GPU."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=end_with_parent, daemon=True).start()
    with counter.get_lock():
        number, counter.value = counter.value, counter.value + 1
    if torch.cuda.is_available():
        torch.cuda.set_device(number % torch.cuda.device_count())
