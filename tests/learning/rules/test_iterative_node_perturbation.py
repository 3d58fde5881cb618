from learning.rules.iterative_node_perturbation import IterativeNodePerturbation
from tests.learning.rules.gradients import trial, true_gradients
from tests.statistics import assert_mean


def test_the_expected_update_is_the_gradient():
    rule = IterativeNodePerturbation()
    for error, gradient in zip(rule.errors(trial(rule, 100_000)), true_gradients(), strict=True):
        assert_mean(error, gradient)
