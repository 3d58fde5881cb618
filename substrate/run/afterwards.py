"""What training leaves behind: the network read again, after some time, and with cells failing.

Only evaluations, with random streams of their own. Time is set back after each; broken cells stay
broken, so they come last, and those of a smaller fraction are among those of a larger one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

from devices.crossbars.base import NO_FAILURES, NO_TIME, Aged, Breakable, Crossbar
from devices.interface import Chip
from devices.seal import SealedChip, arrays
from substrate.randomness import stream
from substrate.record.afterwards import Afterwards, What

HOUR, DAY = 3600.0, 86400.0
TIMES = (HOUR, DAY, 30 * DAY)
"""Seconds after training."""
FAILING = (0.001, 0.01)
"""Fractions of cells."""
_ON_ARRAYS: tuple[What, ...] = ("drift", "failing cells")
_ELSEWHERE = "the chip is behind a wire"


def what_is_left(
    chip: Chip,
    seed: int,
    test: Callable[[], tuple[float, float | None]],
    aside: Callable[..., AbstractContextManager[None]],
) -> list[Afterwards]:
    """Test a trained network as a device would leave it; its cells are broken afterwards.

    Args:
        chip: trained.
        seed: of the streams.
        test: gives loss and accuracy.
        aside: sets the training's streams and the chip's time apart, by purpose.
    """

    def left(what: What, amount: float, do: Callable[[], None] = lambda: None) -> Afterwards:
        with aside("afterwards", what, f"{amount:g}"):
            do()
            loss, accuracy = test()
        finite = loss if math.isfinite(loss) else None
        return Afterwards(what=what, amount=amount, test_loss=finite, test_accuracy=accuracy)

    found = [left("read again", 0.0)]
    if not isinstance(chip, SealedChip):
        found += [Afterwards(what=each, amount=0.0, untried=_ELSEWHERE) for each in _ON_ARRAYS]
        return found
    parts = arrays(chip)
    still = [part.timeless if isinstance(part, Aged) else NO_TIME for part in parts]
    if None in still:
        found += [left("drift", seconds, partial(_age, parts, seconds)) for seconds in TIMES]
    else:
        found.append(Afterwards(what="drift", amount=0.0, untried=still[0]))
    whole = [part.unbreakable if isinstance(part, Breakable) else NO_FAILURES for part in parts]
    if None in whole:
        found += [
            left("failing cells", fraction, partial(_break, parts, fraction, seed))
            for fraction in FAILING
        ]
    else:
        found.append(Afterwards(what="failing cells", amount=0.0, untried=whole[0]))
    return found


def _age(parts: Sequence[Crossbar], seconds: float) -> None:
    for part in parts:
        if isinstance(part, Aged):
            part.advance(seconds)


def _break(parts: Sequence[Crossbar], fraction: float, seed: int) -> None:
    for number, part in enumerate(parts):
        if isinstance(part, Breakable) and part.unbreakable is None:
            # on the processor, so that the same cells fail wherever it computes
            part.fail(fraction, stream(seed, "failing cells", f"array {number}"))
