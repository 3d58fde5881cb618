"""Data sets, by the names that scenarios use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from substrate.data.dataset import Dataset
    from substrate.scenario.schema import Data

DATASETS = {
    "digits": "scikit-learn's bundled digits, 8×8 pixels, 10 classes, 1,437 + 360 samples",
}


def load_dataset(settings: Data) -> Dataset:
    """Load the data set that a scenario names."""
    from substrate.data import digits

    return {"digits": digits.load}[settings.name]()
