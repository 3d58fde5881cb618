"""Losses against closed forms."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from learning.losses import black_box, cross_entropy, mean_squared_error


def test_cross_entropy_is_minus_the_log_of_the_softmax() -> None:
    output = torch.tensor([[0.0, math.log(3.0)], [math.log(4.0), 0.0]])
    loss = cross_entropy(output, torch.tensor([0, 0]))
    assert loss.dtype == torch.float64
    torch.testing.assert_close(loss, torch.tensor([math.log(4), math.log(5 / 4)]).double())


def test_mean_squared_error_is_the_mean_over_outputs() -> None:
    output = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    target = torch.tensor([[0.0, 4.0], [1.0, 1.0]])
    assert mean_squared_error(output, target).tolist() == [2.5, 1.0]


def test_class_numbers_stand_for_one_hot_values() -> None:
    output = torch.tensor([[0.5, 0.0, 0.0]])
    assert mean_squared_error(output, torch.tensor([0])).tolist() == pytest.approx([0.25 / 3])
    assert mean_squared_error(output, torch.tensor([2])).tolist() == pytest.approx([1.25 / 3])


def zero_one(output: Tensor, target: Tensor) -> np.ndarray:
    return np.asarray(output).argmax(1) != np.asarray(target)


def test_a_black_box_may_compute_with_numpy() -> None:
    loss = black_box(zero_one, "zero_one")
    output = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert loss(output, torch.tensor([1, 1])).tolist() == [0, 1]
    assert loss(output, torch.tensor([1, 1])).is_floating_point()


def test_a_black_box_keeps_autograd() -> None:
    loss = black_box(mean_squared_error, "mine")
    output = torch.ones(2, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(output, torch.zeros(2, 3)).sum(), output)
    torch.testing.assert_close(gradient, torch.full((2, 3), 2 / 3))


@pytest.mark.parametrize("wrong", [lambda o, t: o, lambda o, t: 1.0, lambda o, t: [1.0] * 5])
def test_a_black_box_must_give_one_number_a_sample(wrong: object) -> None:
    loss = black_box(wrong, "my.py:wrong")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"my.py:wrong must give one number .* shape \(2,\)"):
        loss(torch.zeros(2, 3), torch.zeros(2))
