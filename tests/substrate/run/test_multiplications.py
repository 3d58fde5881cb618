"""What learners multiply, against counts by hand."""

import subprocess
import sys

import pytest
import torch

from learning.learner import Learner, LearningSettings
from learning.losses import mean_squared_error
from learning.optimisers import OptimiserSettings
from learning.requirements import PerturbationSettings, RuleSettings
from substrate.run.multiplications import Multiplications
from tests.chips import make_chip
from tests.rules import make_rule

SIZES = (6, 5, 3)
BATCH = 4


def learner(name: str, optimiser: str, write: str, **passes) -> Learner:
    rule = make_rule(name)
    perturbation = PerturbationSettings(**passes) if rule.perturbs else None
    settings = LearningSettings(
        RuleSettings(rule, perturbation), OptimiserSettings(optimiser, 0.1, 0.9, write)
    )
    return Learner(make_chip(SIZES), settings, mean_squared_error, torch.Generator())


@pytest.mark.parametrize(("optimiser", "each"), [("sgd", 1), ("momentum", 2), ("adam", 8)])
def test_backpropagation_multiplies_outer_products_and_the_step(optimiser, each):
    count = Multiplications()
    step = learner("bp", optimiser, "dense").step
    count.count("first", lambda: step(torch.randn(BATCH, 6), torch.randn(BATCH, 3)))
    weights, biases = 6 * 5 + 5 * 3, 5 + 3
    outer_products = BATCH * weights
    # the mean over the batch of biases' errors; the loss and its derivative of BATCH × 3 values
    small = biases + 12 * BATCH * 3
    exact = outer_products + each * (weights + biases)
    assert exact <= count.total <= exact + small


def test_pulses_spare_the_periphery_the_outer_product():
    count = Multiplications()
    step = learner("anp", "sgd", "pulses").step
    count.count("first", lambda: step(torch.randn(BATCH, 6), torch.randn(BATCH, 3)))
    nodes = BATCH * (5 + 3)
    # of δa its square, of d its factor and its mean, a handful a sample, the losses, the biases
    assert 3 * nodes <= count.total <= 3 * nodes + BATCH * (3 * 4 + 6) + 2 * (5 + 3) + 10


def test_later_steps_of_a_kind_count_the_same_and_are_not_looked_at():
    count = Multiplications()
    a = torch.randn(3, 4)

    def product() -> torch.Tensor:
        return _in_learning(a)

    count.count("kind", product)
    first = count.total
    assert first == 3 * 4 * 3
    count.count("kind", product)
    assert count.total == 2 * first


def _in_learning(a: torch.Tensor) -> torch.Tensor:
    """A product of a 3 × 4 with a 4 × 3 matrix, made by the learning package."""
    from learning.optimisers import mean_outer_product

    return mean_outer_product(a.T, a.T)


def test_a_regression_multiplies_its_covariance_factor_inverse_and_products():
    count = Multiplications()
    step = learner("weight_mirror", "sgd", "pulses", baseline="noisy").step
    totals = []
    for number in range(2):
        count.count(number, lambda: step(torch.randn(BATCH, 6), torch.randn(BATCH, 3)))
        totals.append(count.total - sum(totals))
    n = 5
    # of the first step alone: what is scaled at the start, C + λ c̄ I's factor and its inverse
    assert n**3 // 6 + n**3 // 3 <= totals[0] - totals[1] <= n**3 // 2 + n**2 + 2 * n
    assert totals[1] >= 2 * BATCH * n**2


def test_a_chips_own_products_are_not_the_learners():
    count = Multiplications()
    chip = make_chip(SIZES)
    count.count("pass", lambda: chip.forward(torch.randn(BATCH, 6)))
    assert count.total == 0


def test_looking_does_not_import_torchs_compiler():
    """It would take every worker more than a second."""
    script = """
import sys, torch
from substrate.run.multiplications import Multiplications
Multiplications().count("step", lambda: torch.ones(3) * 2)
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
