"""Losses of every sample, as functions of the network's output.

    cross-entropy:       L = -log softmax(z)_class
    mean squared error:  L = mean_k (z_k - y_k)²
    black box:           L = any function of output and target, differentiable or not

The first two are computed in float64, so that the difference of two almost equal losses, which is
all that a perturbation rule goes by, is rounded once (in the output) and not twice.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Loss = Callable[[Tensor, Tensor], Tensor]
"""(output (batch, n_out), target) → loss of every sample, (batch,)."""


def cross_entropy(
    output: Float[Tensor, "batch classes"], target: Tensor
) -> Float[Tensor, " batch"]:
    """Categorical cross-entropy against class numbers, (batch,) (Appendix F)."""
    return functional.cross_entropy(output.double(), target, reduction="none")


def mean_squared_error(
    output: Float[Tensor, "batch n_out"], target: Tensor
) -> Float[Tensor, " batch"]:
    """Squared error, mean over the outputs (Appendix J).

    Args:
        output: of the network.
        target: values, (batch, n_out), or class numbers, (batch,), which stand for one-hot values.
    """
    if not target.is_floating_point():
        target = functional.one_hot(target, output.shape[1])
    return (output.double() - target.double()).square().mean(1)


LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "mean_squared_error": mean_squared_error,
}


def loss_gradient(
    loss: Loss, output: Float[Tensor, "batch n_out"], target: Tensor
) -> Float[Tensor, "batch n_out"]:
    """Give ∂L/∂a_L of every sample, by autograd through the loss alone.

    Raises:
        RuntimeError: autograd cannot differentiate the loss.
    """
    with torch.enable_grad():
        output = output.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(output, target).sum(), output)
    return gradient


class LossError(ValueError):
    """A loss of the user's own failed, or gave what is no loss; `str()` names its file and line."""


def black_box(function: Callable[[Tensor, Tensor], Any], name: str) -> Loss:
    """Make a loss of any function of (output, target), whatever it computes with.

    The function gets tensors of its own (`numpy.asarray` makes arrays of them on the CPU), which
    it may write into, and may give a tensor, an array or a list of numbers.

    Args:
        function: of output (batch, n_out) and target, to the loss of every sample, (batch,).
        name: what to call it in messages.

    Raises:
        LossError: from a call, if the function raises or leaves Python, does not give one real
            number a sample, or gives no gradient where one is asked for.
    """

    def loss(output: Tensor, target: Tensor) -> Tensor:
        try:
            # copies: what it writes into would be scored against, and trained on, later
            given = function(output.clone(), target.clone())
        except (Exception, SystemExit) as problem:
            _failed(function, name, problem)
        try:
            values = torch.as_tensor(given, device=output.device).clone()
        except (TypeError, ValueError, RuntimeError):
            raise LossError(
                f"the loss {name}{_place(function)} must give a tensor, an array or a list of"
                f" numbers, and gave {type(given).__name__}"
            ) from None
        if values.shape != (len(output),):
            raise LossError(
                f"the loss {name}{_place(function)} must give one number for every sample, shape"
                f" ({len(output)},), and gave shape {tuple(values.shape)}"
            )
        if values.is_complex():
            raise LossError(
                f"the loss {name}{_place(function)} gave complex numbers; a loss is real, so give"
                " their .abs() or .real"
            )
        if output.requires_grad and not values.requires_grad:
            raise LossError(
                f"the loss {name}{_place(function)} has no gradient, which backpropagation needs:"
                " compute it with torch's differentiable functions, or take a rule that perturbs"
            )
        return values if values.is_floating_point() else values.double()

    return loss


def _failed(function: object, name: str, problem: BaseException) -> NoReturn:
    """Point to the last line of the function's own file that was running."""
    frames = traceback.extract_tb(problem.__traceback__)[1:]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    place = f" ({own[-1].filename}:{own[-1].lineno})" if own else _place(function)
    what = type(problem).__name__
    said = f"ends the program: {what}({problem})"
    if isinstance(problem, Exception):
        said = f"raises {what}: {problem}" if str(problem) else f"raises {what}"
    raise LossError(f"the loss {name}{place} {said}") from problem


def _place(function: object) -> str:
    """Where a function of Python's begins."""
    code = getattr(function, "__code__", None)
    return "" if code is None else f" ({code.co_filename}:{code.co_firstlineno})"
