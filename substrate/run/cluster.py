"""A running Dask cluster as what does units (the optional extra `dask`).

Dask's own executor is used as it is. A unit is told to a worker as text, and is written into the
store, which all workers must see under the same path. A worker that is lost is Dask's affair first:
the scheduler gives its task to another, and after some such losses calls the task off.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from substrate.scenario.source import ScenarioError

_MESSAGES_KEPT = 10


@contextmanager
def cluster_workers(address: str) -> Iterator[tuple[Executor, int]]:
    """Join a cluster; gives its executor, and how many workers there are now.

    What is not done when the block is left is called off.

    Args:
        address: `dask://host:port` of the scheduler.

    Raises:
        ScenarioError: distributed is not installed, or no scheduler answers.
    """
    place = address.removeprefix("dask://")
    try:
        import dask.config
        from distributed import Client
    except ImportError:
        message = "needs the package distributed, which is not installed"
        hint = "pip install 'substrate[dask]'"
        raise ScenarioError(message, file=f"--cluster {address}", hint=hint) from None
    # a connection would keep the last thousand messages, that is units, for whoever debugs Dask
    keep_few = {"distributed.admin.low-level-log-length": _MESSAGES_KEPT}
    try:
        with dask.config.set(keep_few):
            client = Client(f"tcp://{place}", set_as_default=False)
    except (OSError, ValueError) as problem:
        message = f"no Dask scheduler answers: {problem}"
        raise ScenarioError(message, file=f"--cluster {address}") from None
    with client:
        yield client.get_executor(), max(1, len(client.nthreads()))
