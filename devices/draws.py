"""Random draws that are fast on a processor, and the same whatever the number of threads.

A large tensor is filled in chunks of a fixed size. Every chunk has a generator of its own, seeded
from the stream that was handed in, so that who fills which chunk makes no difference. torch's
processor generator takes seeds of 32 bits: in a run of n chunks about n² / 2³³ pairs of chunks
have the same numbers, somewhere in unrelated reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import repeat
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

_Part = TypeVar("_Part")

CHUNK = 2**16
"""Numbers drawn from one seed: few enough to stay in a core's cache while they are made."""


def normal_(out: Float[Tensor, "*shape"], std: float, generator: torch.Generator) -> Tensor:
    """Fill a contiguous tensor with N(0, std²), in place."""

    def fill(part: Tensor, its_own: torch.Generator) -> None:
        part.normal_(0.0, std, generator=its_own)

    return _fill(out, fill, generator)


def uniform_(out: Float[Tensor, "*shape"], generator: torch.Generator) -> Tensor:
    """Fill a contiguous tensor with U[0, 1), in place."""

    def fill(part: Tensor, its_own: torch.Generator) -> None:
        part.uniform_(generator=its_own)

    return _fill(out, fill, generator)


def over_rows(
    work: Callable[[Sequence[Tensor], torch.Generator], None],
    tensors: Sequence[Float[Tensor, ...]],
    generator: torch.Generator,
) -> None:
    """Do element-wise work that draws numbers, in place, on a few rows after another.

    Args:
        work: takes rows of the tensors, in their order, and the generator to draw from.
        tensors: the first is (rows, columns), and so is or broadcasts to it every other one.
        generator: the stream that all chunks are seeded from.
    """
    rows, columns = tensors[0].shape
    if tensors[0].device.type != "cpu":
        work(tensors, generator)
        return
    at_once = max(1, CHUNK // 2 // columns)
    parts: list[Iterable[Tensor]] = [
        each.split(at_once) if len(each) == rows else repeat(each) for each in tensors
    ]
    _seeded(work, list(zip(*parts, strict=False)), generator)


def _fill(
    out: Tensor, fill: Callable[[Tensor, torch.Generator], None], generator: torch.Generator
) -> Tensor:
    if out.device.type != "cpu" or out.numel() <= CHUNK:
        fill(out, generator)
    else:
        _seeded(fill, out.view(-1).split(CHUNK), generator)
    return out


def _seeded(
    work: Callable[[_Part, torch.Generator], None],
    parts: Sequence[_Part],
    generator: torch.Generator,
) -> None:
    """Do the parts of some work, each with a generator of its own, on as many threads as torch."""
    seeds: list[int] = torch.randint(2**32, (len(parts),), generator=generator).tolist()

    def one(part: _Part, seed: int) -> None:
        work(part, torch.Generator().manual_seed(seed))

    threads = torch.get_num_threads()
    list(map(one, parts, seeds) if threads == 1 else _pool(threads).map(one, parts, seeds))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="draws")
