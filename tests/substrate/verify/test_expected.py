"""Expected errors are held to the gradient as often wrongly, and as sharply, as is stated."""

import pytest
import torch

from learning.rules import RULES, Rule
from learning.rules.base import Trial
from learning.rules.node_perturbation import NodePerturbation
from substrate.verify.expected import assert_unbiased, draw_errors
from substrate.verify.networks import DEEP, ONE_LAYER, SmallNetwork


class TenPercentTooLarge(NodePerturbation):
    def errors(self, trial: Trial) -> tuple[torch.Tensor, ...]:
        return tuple(1.1 * error for error in super().errors(trial))


def fails(rule: Rule, network: SmallNetwork, seed: int, false_alarm: float) -> bool:
    errors = draw_errors(rule, network, seed, replicas=40, samples=500, warm_up=2)
    try:
        assert_unbiased(errors, false_alarm)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("name", ["np", "anp"])
def test_right_rules_fail_as_rarely_as_stated(name: str) -> None:
    """Fifty networks at 5 %; a binomial bound at one in a million."""
    from scipy import stats

    alarms = sum(fails(RULES[name](), ONE_LAYER, seed, 0.05) for seed in range(50))
    assert stats.binomtest(alarms, 50, 0.05).pvalue > 1e-6


@pytest.mark.parametrize("network", [ONE_LAYER, DEEP], ids=lambda each: each.name)
def test_a_tenth_too_much_is_found(network: SmallNetwork) -> None:
    assert all(fails(TenPercentTooLarge(), network, seed, 1e-4) for seed in range(5))
