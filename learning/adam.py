"""Adam as torch takes its step, with torch's defaults (Kingma and Ba, ICLR 2015).

    m ← β_1 m + (1 - β_1) g,   v ← β_2 v + (1 - β_2) g²
    w ← w - η m̂ / (√v̂ + ε),   m̂ = m / (1 - β_1ᵗ),   v̂ = v / (1 - β_2ᵗ)

torch's function is called, not its class: the first object of that class imports torch's compiler,
which takes longer than torch itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def adam_step(
    parameters: list[Tensor],
    gradients: list[Tensor],
    means: list[Tensor],
    mean_squares: list[Tensor],
    steps: list[Tensor],
    rate: float,
) -> None:
    """Change w, m, v and t in place.

    Args:
        parameters: w, of any shapes.
        gradients: g, in the shapes of w.
        means: m, likewise; zeros at first.
        mean_squares: v, likewise.
        steps: t of every w, a tensor with no axes.
        rate: η.
    """
    from torch.optim.adam import adam  # here, so that settings are read without torch

    adam(
        parameters,
        gradients,
        means,
        mean_squares,
        [],
        steps,
        fused=True,
        amsgrad=False,
        beta1=0.9,
        beta2=0.999,
        lr=rate,
        weight_decay=0.0,
        eps=1e-8,
        maximize=False,
    )
