"""Activations: their values, and training through those that have no derivative."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.activations import (
    ACTIVATIONS,
    DIFFERENTIABLE,
    leaky_relu,
    sign,
    staircase,
    step,
)


def test_comparators_take_zero_to_be_above_the_threshold() -> None:
    a = torch.tensor([-2.0, -1e-30, 0.0, 1e-30, 3.0])
    assert sign(a).tolist() == [-1, -1, 1, 1, 1]
    assert step(a).tolist() == [0, 0, 1, 1, 1]
    assert a.tolist()[0] == -2.0


def test_a_leaky_relu_has_the_slope_that_it_is_given() -> None:
    a = torch.tensor([-5.0, -0.5, 0.0, 0.5, 5.0], requires_grad=True)
    out = leaky_relu(0.2)(a)
    torch.testing.assert_close(out, torch.tensor([-1.0, -0.1, 0.0, 0.5, 5.0]))
    (slope,) = torch.autograd.grad(out.sum(), a)
    assert slope[[0, 1, 3, 4]].tolist() == pytest.approx([0.2, 0.2, 1.0, 1.0])
    assert leaky_relu(0.01)(a).equal(ACTIVATIONS["leaky_relu"](a))


def test_a_staircase_of_two_levels_is_the_sign() -> None:
    a = torch.linspace(-2, 2, 101)
    assert staircase(2)(a).equal(sign(a))


def test_four_levels_have_their_thresholds_midway() -> None:
    a = torch.tensor([-9.0, -0.67, -0.66, -0.01, 0.01, 0.66, 0.67, 9.0])
    expected = torch.tensor([-1, -1, -1 / 3, -1 / 3, 1 / 3, 1 / 3, 1, 1])
    torch.testing.assert_close(staircase(4)(a), expected)


@settings(max_examples=50, deadline=None)
@given(levels=st.integers(2, 300), values=st.lists(st.floats(-3, 3, width=32), min_size=1))
def test_a_staircase_rounds_to_the_nearest_of_its_levels(levels: int, values: list[float]) -> None:
    a = torch.tensor(values)
    out = staircase(levels)(a)
    grid = torch.linspace(-1, 1, levels)
    nearest = (a.clamp(-1, 1)[:, None] - grid).abs().min(1).values
    torch.testing.assert_close((a.clamp(-1, 1) - out).abs(), nearest, rtol=0, atol=1e-5)


def test_many_levels_approach_the_clipped_identity() -> None:
    a = torch.linspace(-2, 2, 1001)
    torch.testing.assert_close(staircase(100_001)(a), a.clamp(-1, 1), rtol=0, atol=1.1e-5)


def test_fewer_than_two_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        staircase(1)


def test_only_differentiable_activations_have_a_slope() -> None:
    a = torch.linspace(-0.9, 0.9, 8, requires_grad=True)
    for name, activation in ACTIVATIONS.items():
        out = activation(a)
        if name in DIFFERENTIABLE:
            (slope,) = torch.autograd.grad(out.sum(), a)
            assert slope.abs().max() > 0.1
        else:
            assert not out.requires_grad
