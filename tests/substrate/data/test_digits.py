"""scikit-learn's digits."""

import torch

from tests.substrate.data.conftest import Load


def test_digits_are_images_split_by_class(load: Load) -> None:
    data = load(name="digits")
    assert data.x_train.shape == (1437, 1, 8, 8)
    assert data.x_test.shape == (360, 1, 8, 8)
    assert (data.x_train.min(), data.x_train.max()) == (0, 1)
    fifth = torch.bincount(torch.cat([data.y_train, data.y_test])) / 5
    assert (torch.bincount(data.y_test) - fifth).abs().max() <= 1


def test_no_test_image_is_trained_on(load: Load) -> None:
    data = load(name="digits")
    train = {tuple(row) for row in data.x_train.flatten(1).tolist()}
    assert sum(tuple(row) in train for row in data.x_test.flatten(1).tolist()) == 0
