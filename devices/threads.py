"""Python work on the threads that torch computes with.

After every operation torch's OpenMP threads keep their cores busy for some milliseconds, waiting
for the next one, so that threads of one's own would find no core free. Where torch is built with
GNU's OpenMP (its Linux wheels are) its entry point `GOMP_parallel` is there to be called, and runs
a function on these very threads; elsewhere a pool of threads does the work.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from devices.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

WORTHWHILE = 2**17
"""Numbers that take as long to make as it takes to hand work to another thread, about 0.1 ms."""

_Part = TypeVar("_Part")
_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def has_kernel(tensor: Tensor) -> bool:
    """Whether our compiled loops take it: they know float32 on a processor alone."""
    return tensor.is_cpu and tensor.dtype == torch.float32


def share(count: int, numbers: int) -> int:
    """Give how many of `count` equal pieces of some numbers a thread takes at once."""
    return max(1, WORTHWHILE // numbers, -(-count // torch.get_num_threads()))


def for_each(work: Callable[[_Part], None], parts: Sequence[_Part]) -> None:
    """Do some work on all parts, on as many threads as torch has; whoever is free takes the next.

    Raises:
        Exception: the first that `work` raised.
    """
    threads = torch.get_num_threads()
    if threads == 1 or len(parts) <= 1:
        for part in parts:
            work(part)
        return
    left = iter(parts)
    raised: list[BaseException] = []

    def take(_: object) -> None:
        try:
            for part in left:
                work(part)
        except BaseException as error:  # nothing may pass through the C library
            raised.append(error)

    parallel = _gomp_parallel()
    if parallel is None:
        list(_pool(threads).map(take, range(threads)))
    else:
        parallel(_FUNCTION(take), None, threads, 0)
    if raised:
        raise raised[0]


@cache
def _gomp_parallel() -> Any:
    """Give `void GOMP_parallel(void (*)(void *), void *, unsigned, unsigned)`, if it is there."""
    try:
        parallel = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, OSError, TypeError):
        return None
    parallel.argtypes = (_FUNCTION, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    parallel.restype = None
    return parallel


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="devices")
