"""Node perturbation through an activation that has no derivative.

By Stein's lemma ⟨δL ε⟩/σ² is the gradient of the smoothed loss a ↦ ⟨L(a + ε)⟩, for any L. With the
activation sign, one hidden layer and the mean squared error that loss has a closed form:

    m_j = ⟨sign(a_j + ε_j)⟩ = erf(a_j / σ√2)
    ⟨L⟩ = mean_k [ (Σ_j W_kj m_j + b_k - y_k)² + Σ_j W_kj² (1 - m_j²) + σ² ]
"""

import torch

from devices.activations import sign
from learning.estimator import Estimator
from learning.losses import mean_squared_error
from tests.chips import make_chip, torch_network
from tests.rules import rule_settings
from tests.statistics import assert_mean

SIZES = (4, 5, 3)
SIGMA = 0.5
SAMPLES = 50_000


def test_np_follows_the_gradient_of_the_smoothed_loss() -> None:
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(1, SIZES[0], generator=generator)
    y = torch.randn(1, SIZES[-1], generator=generator)
    hidden, _, output = torch_network(SIZES)
    a = hidden(x).detach().requires_grad_()
    m = torch.erf(a / (SIGMA * 2**0.5))
    spread = (1 - m.square()) @ output.weight.detach().square().T
    smoothed = ((output(m) - y).square() + spread).mean()
    (expected,) = torch.autograd.grad(smoothed, a)

    rule = rule_settings("np", sigma=SIGMA)
    estimator = Estimator(make_chip(SIZES, activation=sign), rule, mean_squared_error, generator)
    targets = y.expand(SAMPLES, -1)
    estimate = estimator.estimate(x.expand(SAMPLES, -1), targets)
    # at most one false alarm in a million runs
    assert_mean(estimate.errors[0], expected[0])
