"""Samples held out of the training data."""

import torch

from substrate.data.dataset import Dataset


def test_a_validation_split_parts_the_training_data_and_leaves_the_test_data_out() -> None:
    x = torch.arange(10.0)[:, None]
    full = Dataset("numbers", x, x[:, 0].long(), x[:3] + 100, torch.zeros(3).long(), 10)
    split = full.validation_split(torch.Generator().manual_seed(0), fraction=0.3)
    assert (len(split.x_train), len(split.x_test)) == (7, 3)
    parts = torch.cat([split.x_train, split.x_test])
    assert parts.flatten().sort().values.equal(torch.arange(10.0))
    assert split.y_train.equal(split.x_train[:, 0].long())
    assert split.y_test.equal(split.x_test[:, 0].long())
    again = full.validation_split(torch.Generator().manual_seed(0), fraction=0.3)
    assert again.x_test.equal(split.x_test)
    other = full.validation_split(torch.Generator().manual_seed(1), fraction=0.3)
    assert not other.x_test.equal(split.x_test)
