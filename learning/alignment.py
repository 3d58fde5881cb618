"""How far a rule's update points away from another's, such as backpropagation's (Fig. 1, 5, 6).

angle(U, V) = arccos(⟨U, V⟩ / ‖U‖‖V‖)
U_l = ⟨d_l x_{l-1}ᵀ⟩ over n noise samples of every input, and over the inputs
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float64
from torch import Tensor

from learning.estimator import Estimator
from learning.optimisers import mean_outer_product

_SAMPLES_AT_ONCE = 1000


def angle(update: Tensor, reference: Tensor) -> Float64[Tensor, ""]:
    """Give the angle between two tensors of the same shape, in degrees, 0 to 180; NaN for zeros.

    It stays where they are, so that nobody waits for one angle after the other.
    """
    u, v = update.double().flatten(), reference.double().flatten()
    cosine = torch.dot(u, v) / (u.norm() * v.norm())
    return torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))


def averaged_gradients(
    estimator: Estimator, x: Tensor, target: Tensor, noise_samples: Sequence[int]
) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
    """Average a rule's estimate of every layer's ∂L/∂W_l over noise samples, without learning.

    Inputs are repeated side by side in one batch, since every sample of a batch draws noise of its
    own; so many samples cost few passes.

    Args:
        estimator: the rule on its chip.
        x: inputs, (batch, ...).
        target: their targets.
        noise_samples: numbers of noise samples per input at which to stop, increasing.

    Yields:
        The number, and the mean over that many, (n_out, n_in) in float64 for every layer. They are
        running means: each goes on from the one before.

    Raises:
        ValueError: the numbers do not increase from at least 1.
    """
    if any(late <= early for early, late in itertools.pairwise([0, *noise_samples])):
        raise ValueError(f"noise samples must increase from at least 1, not {noise_samples}")
    together = max(1, _SAMPLES_AT_ONCE // len(x))
    totals: list[Tensor] = []
    done = 0
    for stop in noise_samples:
        while done < stop:
            repeats = min(together, stop - done)
            gradients = _gradients(estimator, _repeat(x, repeats), _repeat(target, repeats))
            if not totals:
                totals = [torch.zeros_like(gradient) for gradient in gradients]
            for total, gradient in zip(totals, gradients, strict=True):
                total.add_(gradient, alpha=repeats)
            done += repeats
        yield stop, tuple(total / done for total in totals)


def _gradients(estimator: Estimator, x: Tensor, target: Tensor) -> list[Tensor]:
    estimate = estimator.estimate(x, target)
    return [
        mean_outer_product(error, inputs).double()
        for error, inputs in zip(estimate.errors, estimate.inputs, strict=True)
    ]


def _repeat(samples: Tensor, repeats: int) -> Tensor:
    return samples.repeat(repeats, *[1] * (samples.ndim - 1))
