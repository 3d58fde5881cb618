"""What became of every test sample in an arm's last evaluation, for every seed, in one file a run.

Two arms are compared sample by sample (`substrate.run.verdict`), which their accuracies alone do
not allow. A tensor of the safetensors file is named `SEED ARM` and holds, for each test sample in
the order of the data set, whether it was classified rightly, or in a regression its loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

from substrate.record import RecordError
from substrate.record.folder import OUTCOMES

BySample = npt.NDArray[np.generic]
"""(samples,): bool of classes, float64 of losses."""


def encoded(outcomes: Mapping[str, Mapping[int, BySample]]) -> bytes:
    """Give the content of the file, from outcomes by arm and seed; the same for the same ones."""
    named = {
        f"{seed} {arm}": by_sample
        for arm, seeds in outcomes.items()
        for seed, by_sample in seeds.items()
    }
    return save(named)


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
