"""What two layers of a linear network of known weights show, for tests of mirrors."""

import torch

from devices.interface import LayerShape
from learning.rules import Trial

WEIGHTS = torch.randn(3, 4, generator=torch.Generator().manual_seed(8))


def linear_trial(samples: int, weights: torch.Tensor, *, readout: float = 0.0) -> Trial:
    """What two layers of a linear network show, noise of known size on every reading of x*."""
    generator = torch.Generator().manual_seed(5)
    n_out, n_in = weights.shape
    mix = torch.eye(n_in) + 0.5 * torch.randn(n_in, n_in, generator=generator) / n_in**0.5

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    x = normal(samples, n_in) @ mix.T
    a = x @ weights.T + 0.5 * normal(samples, n_out)
    seen = x + readout * 2**0.5 * normal(samples, n_in)
    first = torch.zeros(samples, n_in)
    return Trial(
        (LayerShape(n_in, 1), LayerShape(n_out, n_in)),
        (first, a),
        (None,),
        (torch.zeros(samples),),
        0.0,
        input_changes=(torch.zeros(samples, 1), seen),
        pre_activations=(first, a),
    )
