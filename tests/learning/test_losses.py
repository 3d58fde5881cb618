"""Losses against closed forms."""

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from learning.losses import LossError, black_box, cross_entropy, mean_squared_error


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
    with pytest.raises(LossError, match=r"my.py:wrong .* must give one number .* shape \(2,\)"):
        loss(torch.zeros(2, 3), torch.zeros(2))


def test_a_black_box_writes_into_copies_alone() -> None:
    def vandal(output: Tensor, target: Tensor) -> Tensor:
        target.copy_(output.argmax(1))
        output.zero_()
        return kept

    kept = torch.tensor([1.0, 2.0])
    output, target = torch.tensor([[0.0, 1.0], [0.0, 1.0]]), torch.tensor([0, 0])
    given = black_box(vandal, "vandal")(output, target)
    kept.zero_()  # a buffer of its own that it uses again
    assert given.tolist() == [1, 2]
    assert target.tolist() == [0, 0]
    assert output.tolist() == [[0, 1], [0, 1]]


def complex_loss(output: Tensor, target: Tensor) -> Tensor:
    return torch.fft.fft(output.sum(1))


def gives_nothing(output: Tensor, target: Tensor) -> None:
    return


def raises(output: Tensor, target: Tensor) -> Tensor:
    return cross_entropy(output, target[:1])


def leaves(output: Tensor, target: Tensor) -> Tensor:
    sys.exit(0)


@pytest.mark.parametrize(
    ("function", "said", "lines"),
    [
        (complex_loss, "gave complex numbers", 0),
        (gives_nothing, "must give a tensor, an array or a list of numbers, and gave NoneType", 0),
        (raises, "raises ValueError: Expected input batch_size", 1),
        (leaves, r"ends the program: SystemExit\(0\)", 1),
    ],
)
def test_what_is_no_loss_is_named_by_file_and_line(
    function: Callable[..., object], said: str, lines: int
) -> None:
    line = function.__code__.co_firstlineno + lines
    with pytest.raises(LossError, match=rf"my.py:f \({__file__}:{line}\) {said}"):
        black_box(function, "my.py:f")(torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64))


def test_a_loss_without_the_gradient_that_is_asked_for_says_so() -> None:
    loss = black_box(lambda output, target: output.detach().sum(1), "mine")
    output = torch.ones(2, 3, requires_grad=True)
    with pytest.raises(LossError, match="has no gradient, which backpropagation needs"):
        loss(output, torch.zeros(2))
