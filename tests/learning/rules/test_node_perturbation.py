import pytest

from learning.rules.node_perturbation import NodePerturbation
from tests.learning.rules.gradients import trial, true_gradients
from tests.statistics import assert_mean


@pytest.mark.parametrize("noisy_baseline", [False, True])
def test_the_expected_update_is_the_gradient(noisy_baseline):
    rule = NodePerturbation()
    errors = rule.errors(trial(rule, 400_000, noisy_baseline=noisy_baseline))
    for error, gradient in zip(errors, true_gradients(), strict=True):
        assert_mean(error, gradient)
