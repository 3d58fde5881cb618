"""Holding samples out for whatever is chosen by a figure."""

import pytest
import torch

from substrate.data.dataset import VALIDATION_FRACTION, Dataset
from substrate.data.error import DataError


def numbered(train: int) -> Dataset:
    x = torch.arange(train + 5.0)[:, None]
    y = torch.arange(train + 5) % 5
    return Dataset("numbers", x[:train], y[:train], x[train:], y[train:], 5)


def test_a_part_of_the_training_samples_is_held_out_and_no_test_sample_is_left() -> None:
    whole = numbered(200)
    split = whole.validation()
    assert len(split.x_test) == VALIDATION_FRACTION * 200
    both = torch.cat([split.x_train, split.x_test]).flatten()
    assert both.sort().values.tolist() == list(range(200))
    for x, y in ((split.x_train, split.y_train), (split.x_test, split.y_test)):
        assert torch.equal(x[:, 0].long() % 5, y)
    assert split.x_test.flatten().tolist() != list(range(40))


def test_the_draw_is_the_same_every_time() -> None:
    assert torch.equal(numbered(50).validation().x_test, numbered(50).validation().x_test)


def test_of_one_sample_none_can_be_held_out() -> None:
    with pytest.raises(DataError, match="no training samples"):
        numbered(1).validation()
