"""What is measured when a training is over: its noise, its ledger, and what it leaves behind.

Should that fail, a unit whose chip can be saved has failed beside its last checkpoint, and is
finished from there by a later attempt. Of a chip that cannot be saved nothing would be left but to
train anew, so there what fails is left out, with the reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from substrate.record.afterwards import Afterwards
from substrate.record.ledger import Ledger
from substrate.record.summary import LayerNoise, Unmeasured, UnmeasuredSeed
from substrate.run.training import ArmRun

_T = TypeVar("_T")


class LastFigures(NamedTuple):
    """What was measured; see `substrate.record.unit.UnitEnd`."""

    noise: list[LayerNoise]
    ledger: Ledger | None
    afterwards: list[Afterwards]
    unmeasured: list[UnmeasuredSeed]


def last_figures(run: ArmRun, seed: int, *, can_be_saved: bool) -> LastFigures:
    """Measure a trained arm; its cells are broken afterwards.

    Args:
        run: trained to its end.
        seed: of it.
        can_be_saved: whether there is a checkpoint to finish from, should this fail.
    """
    unmeasured: list[UnmeasuredSeed] = []

    def measured(do: Callable[[], _T], otherwise: Callable[[str], _T]) -> _T:
        try:
            return do()
        except Exception as problem:
            if can_be_saved:
                raise
            reason = f"{type(problem).__name__}: {problem}"
            warnings.warn(f"trained to the end, but not all was measured: {reason}", stacklevel=1)
            return otherwise(f"it failed with {reason}")

    def left_out(what: Unmeasured, nothing: _T) -> Callable[[str], _T]:
        def told(why: str) -> _T:
            unmeasured.append(UnmeasuredSeed(seed=seed, what=what, why=why))
            return nothing

        return told

    return LastFigures(
        measured(run.observed_noise, left_out("observed noise", [])),
        measured(run.ledger, left_out("ledger", None)),
        measured(run.afterwards, _untried),
        unmeasured,
    )


def _untried(why: str) -> list[Afterwards]:
    return [Afterwards(what="read again", amount=0.0, untried=why)]
