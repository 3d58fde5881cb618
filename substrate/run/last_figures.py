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
from substrate.record.summary import LayerNoise
from substrate.run.training import ArmRun

_T = TypeVar("_T")


class LastFigures(NamedTuple):
    """What was measured; see `substrate.record.unit.UnitEnd`."""

    noise: list[LayerNoise]
    ledger: Ledger | None
    afterwards: list[Afterwards]


def last_figures(run: ArmRun, *, can_be_saved: bool) -> LastFigures:
    """Measure a trained arm; its cells are broken afterwards.

    Args:
        run: trained to its end.
        can_be_saved: whether there is a checkpoint to finish from, should this fail.
    """

    def measured(do: Callable[[], _T], otherwise: Callable[[str], _T]) -> _T:
        try:
            return do()
        except Exception as problem:
            if can_be_saved:
                raise
            reason = f"{type(problem).__name__}: {problem}"
            warnings.warn(f"trained to the end, but not all was measured: {reason}", stacklevel=1)
            return otherwise(reason)

    return LastFigures(
        measured(run.observed_noise, lambda _: []),
        measured(run.ledger, lambda _: None),
        measured(run.afterwards, _untried),
    )


def _untried(reason: str) -> list[Afterwards]:
    return [Afterwards(what="read again", amount=0.0, untried=f"it failed with {reason}")]
