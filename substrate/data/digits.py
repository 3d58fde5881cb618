"""scikit-learn's bundled digits: 1,797 images of 8×8 pixels, ten classes, no download.

One fifth of each class is held out as the test set by a fixed draw, the same for every seed.
Source: UCI Optical Recognition of Handwritten Digits, the test part (Alpaydin and Kaynak, 1998).
"""

from __future__ import annotations

import numpy as np

from substrate.data.arrays import dataset_from_arrays
from substrate.data.dataset import Dataset
from substrate.scenario.schema.data import Digits

_FULL_SCALE = 16.0


def load(settings: Digits) -> Dataset:
    """Load the digits, pixels scaled to 0…1.

    Raises:
        DataError: a limit is larger than what there is.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        (x / _FULL_SCALE).astype(np.float32).reshape(-1, 1, 8, 8),
        y,
        test_size=0.2,
        stratify=y,
        random_state=0,
    )
    return dataset_from_arrays(
        "digits",
        {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test},
        n_out=10,
        limit_train=settings.limit_train,
        limit_test=settings.limit_test,
    )
