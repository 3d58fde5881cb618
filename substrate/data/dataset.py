"""What every data set gives: training and test samples as tensors."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from substrate.data.meaning import in_words, refuse_misfits
from substrate.randomness import stream

VALIDATION_FRACTION = 0.2
"""Of the training samples, what is held out where something is chosen by its figures."""


@dataclass(frozen=True)
class Dataset:
    """Samples and their targets.

    Attributes:
        name: as the scenario names it.
        x_train, x_test: inputs, (samples, inputs) or (samples, channels, height, width).
        y_train, y_test: class numbers, (samples,), or in a regression values, (samples, n_out).
        n_out: number of classes, or of values.
        notes: how the files were read where they could have been read otherwise.

    Raises:
        DataError: as `refuse_misfits`.
    """

    name: str
    x_train: Float[Tensor, "train *input"]
    y_train: Tensor
    x_test: Float[Tensor, "test *test_input"]
    y_test: Tensor
    n_out: int
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an empty or uneven set."""
        parts = {key: getattr(self, key) for key in ("x_train", "y_train", "x_test", "y_test")}
        refuse_misfits(self.name, parts, self.n_out, regression=self.regression)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.x_train.shape[1:])

    @property
    def regression(self) -> bool:
        """Whether the targets are values, and not classes."""
        return self.y_train.is_floating_point()

    def validation(self) -> Dataset:
        """Hold training samples out, in place of the test samples, which are then seen by nobody.

        Whatever is chosen by a figure, such as a learning rate, is chosen on these. The draw is the
        same every time.

        Raises:
            DataError: there is only one training sample.
        """
        held_out = max(1, round(VALIDATION_FRACTION * len(self.x_train)))
        order = torch.randperm(len(self.x_train), generator=stream(0, "validation"))
        out, kept = (
            part.sort().values.to(self.x_train.device)
            for part in (order[:held_out], order[held_out:])
        )
        x, y = self.x_train, self.y_train
        return replace(self, x_train=x[kept], y_train=y[kept], x_test=x[out], y_test=y[out])

    @property
    def understood(self) -> str:
        """What this is, in one line, as a look at the files alone finds it too."""
        return in_words(
            self.name,
            (len(self.x_train), len(self.x_test)),
            self.input_shape,
            self.n_out,
            self.notes,
            regression=self.regression,
        )

    @property
    def described(self) -> str:
        """What this is, and how much of what is tested on is trained on."""
        seen = self.seen_in_training
        told = f"; {seen:,} of the test samples stand among the training samples too"
        return self.understood + (told if seen else "")

    @cached_property
    def seen_in_training(self) -> int:
        """Test samples whose inputs are those of a training sample, to the last bit."""
        train, test = (
            (hash(each.tobytes()) for each in part.flatten(1).numpy(force=True))
            for part in (self.x_train, self.x_test)
        )
        known = set(train)
        return sum(each in known for each in test)

    @cached_property
    def test_checksum(self) -> str:
        """SHA-256 of the test samples and targets, by which runs know that they share them."""
        digest = hashlib.sha256()
        for part in (self.x_test, self.y_test):
            digest.update(f"{part.dtype} {tuple(part.shape)}".encode())
            digest.update(part.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def to(self, device: torch.device) -> Dataset:
        """Copy to a device."""
        return replace(
            self,
            x_train=self.x_train.to(device),
            y_train=self.y_train.to(device),
            x_test=self.x_test.to(device),
            y_test=self.y_test.to(device),
        )
