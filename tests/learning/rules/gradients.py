"""What the rules' estimates are compared with: the gradient by autograd, on a small net."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from devices.interface import LayerShape
from learning.rules import Rule, Trial
from tests.chips import make_chip

SIZES = (6, 5, 4, 3)
SIGMA = 1e-3


def one_input_repeated(samples: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(1, SIZES[0], generator=generator)
    return x.expand(samples, -1).contiguous(), torch.ones(samples, dtype=torch.int64)


def loss(output: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(output.double(), target, reduction="none")


def true_gradients(sizes: Sequence[int] = SIZES) -> tuple[Tensor, ...]:
    """∂L/∂a_l of the one input."""
    x, target = one_input_repeated(1)
    _, gradients = make_chip(sizes).backpropagate(x, lambda output: loss(output, target))
    return tuple(gradient[0] for gradient in gradients)


def trial(
    rule: Rule,
    samples: int,
    *,
    sizes: Sequence[int] = SIZES,
    sigma: float = SIGMA,
    noisy_baseline: bool = False,
) -> Trial:
    """One comparison of passes for every sample, all of the same input."""
    chip = make_chip(sizes)
    x, target = one_input_repeated(samples)
    generator = torch.Generator().manual_seed(7)

    def draw() -> tuple[Tensor, ...]:
        return tuple(
            sigma * torch.randn(samples, n_out, generator=generator) for n_out in sizes[1:]
        )

    epsilon = draw()
    perturbations = [epsilon]
    if rule.layer_by_layer:
        perturbations = [
            tuple(e if layer == alone else None for layer, e in enumerate(epsilon))
            for alone in range(len(epsilon))
        ]
    first = draw() if noisy_baseline else None
    baseline, *perturbed = chip.passes(x, [first, *perturbations])
    return Trial(
        shapes=tuple(LayerShape(n_out, n_in) for n_in, n_out in itertools.pairwise(sizes)),
        activity_changes=tuple(
            after - before
            for after, before in zip(
                perturbed[0].pre_activations, baseline.pre_activations, strict=True
            )
        ),
        perturbations=tuple(perturbations),
        loss_changes=tuple(
            loss(seen.output, target) - loss(baseline.output, target) for seen in perturbed
        ),
        sigma=sigma,
    )
