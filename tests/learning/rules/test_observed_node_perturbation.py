from dataclasses import replace

import pytest
import torch

from learning.rules.observed_node_perturbation import ObservedNodePerturbation
from tests.learning.rules.gradients import SIGMA, trial, true_gradients
from tests.statistics import assert_mean


def calibrated(rule: ObservedNodePerturbation, seen):
    state = seen.state
    for _ in range(rule.calibration_trials):
        state = rule.remember(replace(seen, state=state))
    return replace(seen, state=state)


@pytest.mark.parametrize("noisy_baseline", [False, True])
def test_the_first_layer_estimates_the_gradient(noisy_baseline):
    # in the first layer δa is the injected noise alone, so that the rule is NP without its bias
    rule = ObservedNodePerturbation(calibration_trials=1)
    seen = calibrated(rule, trial(rule, 50_000, noisy_baseline=noisy_baseline))
    assert_mean(rule.errors(seen)[0], true_gradients()[0])


@pytest.mark.parametrize(("noisy_baseline", "passes"), [(False, 1), (True, 2)])
def test_the_variance_is_that_of_the_difference_as_training_makes_it(noisy_baseline, passes):
    rule = ObservedNodePerturbation(calibration_trials=3)
    seen = calibrated(rule, trial(rule, 20_000, noisy_baseline=noisy_baseline))
    # 100,000 squares of normal deviates: a relative error of 0.45 %, five of which are allowed
    assert seen.state["variance.0"].item() == pytest.approx(passes * SIGMA**2, rel=0.0225)


def test_after_calibration_nothing_is_learned_any_more():
    rule = ObservedNodePerturbation(calibration_trials=2)
    seen = calibrated(rule, trial(rule, 10))
    louder = replace(trial(rule, 10, sigma=1.0), state=seen.state)
    assert rule.remember(louder) is seen.state


def test_calibration_takes_the_mean_over_its_trials():
    rule = ObservedNodePerturbation(calibration_trials=2)
    quiet, loud = trial(rule, 100), trial(rule, 100, sigma=2e-3)
    state = rule.remember(replace(loud, state=rule.remember(quiet)))
    one = rule.remember(quiet)["variance.1"]
    other = rule.remember(loud)["variance.1"]
    torch.testing.assert_close(state["variance.1"], (one + other) / 2)


def test_a_layer_without_noise_gives_zero():
    rule = ObservedNodePerturbation(calibration_trials=1)
    errors = rule.errors(calibrated(rule, trial(rule, 5, sigma=0.0)))
    assert all(torch.equal(error, torch.zeros_like(error)) for error in errors)
