"""What every data set gives: training and test samples as tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Dataset:
    """Samples and their targets.

    Attributes:
        name: as the scenario names it.
        x_train, x_test: inputs, (samples, ...).
        y_train, y_test: class numbers, (samples,).
        n_out: number of classes.

    Raises:
        ValueError: no samples, or not as many targets as samples.
    """

    name: str
    x_train: Float[Tensor, train * input]
    y_train: Tensor
    x_test: Float[Tensor, test * input]
    y_test: Tensor
    n_out: int

    def __post_init__(self) -> None:
        """Refuse an empty or uneven set."""
        for part, x, y in (
            ("training", self.x_train, self.y_train),
            ("test", self.x_test, self.y_test),
        ):
            if len(x) == 0:
                raise ValueError(f"data set {self.name} has no {part} samples")
            if len(x) != len(y):
                raise ValueError(f"data set {self.name}: {len(x)} {part} samples, {len(y)} targets")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.x_train.shape[1:])

    def to(self, device: torch.device) -> Dataset:
        """Copy to a device."""
        return Dataset(
            self.name,
            self.x_train.to(device),
            self.y_train.to(device),
            self.x_test.to(device),
            self.y_test.to(device),
            self.n_out,
        )
