"""What became of every test sample in an arm's last evaluation: a file a unit, and one a run.

Two arms are compared sample by sample (`substrate.run.estimate`), which their accuracies alone do
not allow. A tensor of the safetensors file is named `SEED ARM` and holds, for each test sample in
the order of the data set, whether it was classified rightly, or in a regression its loss; in the
file of a unit it is named `outcome`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

from substrate.files import write_atomically
from substrate.record import RecordError
from substrate.record.folder import OUTCOMES

BySample = npt.NDArray[np.generic]
"""(samples,): bool of classes, float64 of losses."""


_OF_UNIT = "outcome"


def save_outcomes(folder: Path, outcomes: Mapping[str, Mapping[int, BySample]]) -> None:
    """Write the outcomes, by arm and seed, into a run folder."""
    write_atomically(folder / OUTCOMES, _encoded(outcomes))


def encoded_outcome(by_sample: BySample) -> bytes:
    """Give the content of a unit's file."""
    return save({_OF_UNIT: by_sample})


def read_outcome(content: bytes, path: Path) -> BySample:
    """Take a unit's outcome from the content of its file.

    Raises:
        RecordError: it is damaged.
    """
    try:
        return load(content)[_OF_UNIT]
    except Exception as problem:
        reason = str(problem).partition("\n")[0]
        raise RecordError(f"{path}: holds no readable outcome: {reason}") from problem


def load_outcomes(folder: Path) -> dict[str, dict[int, BySample]]:
    """Read a run folder's outcomes, by arm and seed; nothing where nobody kept any.

    Raises:
        RecordError: the file is damaged.
    """
    path = folder / OUTCOMES
    if not path.exists():
        return {}
    found: dict[str, dict[int, BySample]] = {}
    try:
        for name, by_sample in load(path.read_bytes()).items():
            seed, _, arm = name.partition(" ")
            found.setdefault(arm, {})[int(seed)] = by_sample
    except Exception as problem:
        reason = str(problem).partition("\n")[0]
        raise RecordError(f"{path}: holds no readable outcomes: {reason}") from problem
    return found


def _encoded(outcomes: Mapping[str, Mapping[int, BySample]]) -> bytes:
    named = {
        f"{seed} {arm}": by_sample
        for arm, seeds in outcomes.items()
        for seed, by_sample in seeds.items()
    }
    return save(named)
