"""Random draws that are fast on a processor, and the same whatever the number of threads.

On a processor a call takes 64 bits from the stream that is handed in, as a key, and every number
follows from the key and its own place (`draws_kernel.py`): who makes which numbers makes no
difference. Elsewhere, and for other numbers than float32, torch's own generator draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple, Union

from jaxtyping import Float

from devices.deferred import torch
from devices.threads import for_each, has_kernel, share

if TYPE_CHECKING:
    from torch import Tensor

_CACHED = 2**15
"""Numbers of every tensor that are worked on at once, so that they stay in a core's cache."""


class Keyed:
    """The numbers of one part of some work: they follow from key, part and call alone."""

    def __init__(self, key: int, part: int = 0) -> None:
        """Take 64 bits, and the part's number, below 2³²."""
        self.key = key
        self._calls = part << 32

    def next_call(self) -> int:
        """Give the upper half of the counter for one more call."""
        self._calls += 1
        return self._calls


class Rounding(NamedTuple):
    """Rounding to the levels of a converter.

    Attributes:
        steps: between levels, one for all reads or one for each.
        levels: to either side of zero.
    """

    steps: Float[Tensor, " reads"]
    levels: int


Randomness = Union["torch.Generator", Keyed]
"""What numbers are drawn from."""


def normal_(out: Float[Tensor, "*shape"], std: float, source: Randomness) -> Tensor:
    """Fill a tensor with N(0, std²), in place."""
    if isinstance(source, torch.Generator) and not has_kernel(out):
        return out.normal_(0.0, std, generator=source)
    return _fill(out, None, std, source, normal=True)


def uniform_(out: Float[Tensor, "*shape"], source: Randomness) -> Tensor:
    """Fill a tensor with U[0, 1), in place."""
    if isinstance(source, torch.Generator) and not has_kernel(out):
        return out.uniform_(generator=source)
    return _fill(out, None, 1.0, source, normal=False)


def plus_normal(
    signal: Float[Tensor, "*shape"],
    std: float,
    source: Randomness,
    *,
    overwrite: bool = False,
    rounding: Rounding | None = None,
) -> Float[Tensor, "*shape"]:
    """Give a signal plus N(0, std²), as a new tensor or with `overwrite` in the signal's place.

    With `rounding` the sums are rounded while they are in a core's cache; only where `has_kernel`.
    """
    if isinstance(source, torch.Generator) and not has_kernel(signal):
        noise = normal_(torch.empty_like(signal), std, source)
        return signal.add_(noise) if overwrite else noise.add_(signal)
    signal = signal.contiguous()
    out = signal if overwrite else torch.empty_like(signal)
    return _fill(out, signal, std, source, normal=True, rounding=rounding)


def over_rows(
    work: Callable[[Sequence[Tensor], Randomness], None],
    tensors: Sequence[Float[Tensor, ...]],
    generator: torch.Generator,
) -> None:
    """Do element-wise work that draws numbers, in place, on a few rows after another.

    Args:
        work: takes rows of the tensors, in their order, and what to draw from.
        tensors: the first is (rows, columns), and so is or broadcasts to it every other one; on a
            processor, float32.
        generator: the stream that all parts are drawn from.
    """
    rows, columns = tensors[0].shape
    if tensors[0].device.type != "cpu":
        work(tensors, generator)
        return
    at_once = max(1, _CACHED // columns)
    split: list[Iterable[Tensor]] = [
        each.split(at_once) if len(each) == rows else repeat(each) for each in tensors
    ]
    key = _draw_key(generator)

    def work_on(numbered: tuple[int, tuple[Tensor, ...]]) -> None:
        number, part = numbered
        work(part, Keyed(key, number))

    for_each(work_on, list(enumerate(zip(*split, strict=False))))


def _fill(
    out: Tensor,
    signal: Tensor | None,
    scale: float,
    source: Randomness,
    *,
    normal: bool,
    rounding: Rounding | None = None,
) -> Tensor:
    # numba takes long to import, and much is done here without a draw
    from devices.draws_kernel import TILE, fill

    if isinstance(source, torch.Generator):
        source = Keyed(_draw_key(source))
    key, call = source.key, source.next_call()
    made = out if out.is_contiguous() else torch.empty(out.shape)
    values = made.view(-1).numpy()
    added = values[:0] if signal is None else signal.detach().view(-1).numpy()
    steps, lines, levels = values[:0], 0, 0
    if rounding is not None:
        steps, levels = rounding.steps.numpy(), rounding.levels
        lines = len(values) // len(steps)

    tiles = -(-len(values) // TILE)
    at_once = share(tiles, TILE)

    def fill_tiles(first: int) -> None:
        part = slice(first * TILE, (first + at_once) * TILE)
        fill(
            *(values[part], added[part], scale, first, key, call, normal),
            *(steps, lines, levels),
        )

    for_each(fill_tiles, range(0, tiles, at_once))
    return out if made is out else out.copy_(made)


def _draw_key(generator: torch.Generator) -> int:
    drawn = torch.randint(-(2**63), 2**63 - 1, (), generator=generator)
    return int(drawn) % 2**64
