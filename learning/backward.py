"""The way of an error from the last layer back to the first.

    e_l = f'(a_l) ⊙ R_{l+1}ᵀ M_{l+1}ᵀ e_{l+1}

M is W where an array is driven from its columns, and its mirror B where a rule keeps one. Between
two matrices lie activation and layout, which the digital periphery goes back through exactly; what
stands in place of f' where it has none is the rule's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from devices.interface import Chip


def propagate(
    chip: Chip,
    read: Callable[[int, Tensor], Tensor],
    output_error: Tensor,
    pre_activations: Sequence[Tensor],
    slope: Callable[[int], Tensor | None],
) -> list[Tensor]:
    """Give e_l of every layer, in the shape of its pre-activation.

    Args:
        chip: whose R and periphery are gone back through.
        read: gives M_lᵀ y for a layer's number, counted from 0, and y (samples, n_out).
        output_error: e_L, (batch, n_out).
        pre_activations: a_l of every layer.
        slope: gives what stands for f'(a_l); None for f' itself.
    """
    errors = [output_error.to(pre_activations[-1].dtype)]
    for layer in range(len(pre_activations) - 1, 0, -1):
        error = errors[0]
        rows = read(layer, error.flatten(0, -2))
        if chip.decorrelates:
            rows = chip.read_decorrelation_transposed(layer, rows)
        rows = rows.view(*error.shape[:-1], -1)
        a = pre_activations[layer - 1]
        errors.insert(0, chip.pull_back(layer - 1, a, rows, slope(layer - 1)))
    return errors
