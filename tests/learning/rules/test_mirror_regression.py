"""How the mirror is found: the regression alone, on differences that follow from known weights."""

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from scipy import stats

from learning.rules import Trial
from learning.rules.weight_mirror import WeightMirror
from tests.learning.rules.linear_trials import WEIGHTS, linear_trial
from tests.statistics import assert_mean


def expected_steps(rule: WeightMirror, seen: Trial, mirror: torch.Tensor) -> torch.Tensor:
    """The step that each sample asks for, (samples, n_out, n_in), before the rate."""
    seen = replace(seen, state=rule.remember(seen))
    (update,) = rule.requests(seen, lambda layer, x: x @ mirror.T)
    assert update.layer == 1
    outer = update.mirror
    return -torch.einsum("si,sj->sij", outer.d, outer.x)


@pytest.mark.parametrize("regression", ["least_squares", "lms"])
def test_the_expected_change_is_zero_at_the_weights(regression):
    rule = WeightMirror(regression=regression)
    steps = expected_steps(rule, linear_trial(20_000, WEIGHTS), WEIGHTS)
    z = steps.mean(0) / steps.std(0) * len(steps) ** 0.5
    assert z.abs().max() < stats.norm.isf(1e-6 / (2 * z.numel()))


@pytest.mark.parametrize("regression", ["least_squares", "lms"])
def test_elsewhere_it_leads_to_the_weights(regression):
    rule = WeightMirror(regression=regression, covariance_decay=0.0, ridge=1e-6)
    seen = linear_trial(20_000, WEIGHTS)
    x = seen.input_changes[1]
    expected = WEIGHTS
    if regression == "lms":
        expected = WEIGHTS @ (x.T @ x / len(x)) / x.square().mean()
    assert_mean(expected_steps(rule, seen, torch.zeros(3, 4)).flatten(1), expected.flatten())


def errors_of_regression(samples: int, inputs: int, **own) -> list[float]:
    """‖B - W‖ / ‖W‖ over 200 trials of one layer, whose noise is as large as its signal."""
    rule, generator = WeightMirror(told=False, **own), torch.Generator().manual_seed(7)
    weights = torch.randn(10, inputs, generator=generator) / inputs**0.5
    mirror, found = torch.zeros_like(weights), []
    seen = linear_trial(samples, weights)

    def read(_: int, x: torch.Tensor) -> torch.Tensor:
        return x @ mirror.T

    for number in range(200):
        x = torch.randn(samples, inputs, generator=generator)
        a = x @ weights.T + torch.randn(samples, 10, generator=generator)
        changes = (seen.activity_changes[0], a)
        seen = replace(seen, activity_changes=changes, input_changes=(x[:, :1], x), number=number)
        seen = replace(seen, state=rule.remember(seen))
        (update,) = rule.requests(seen, read)
        mirror -= update.mirror.rate * update.mirror.d.T @ update.mirror.x
        found.append(((mirror - weights).norm() / weights.norm()).item())
    return found


@pytest.mark.parametrize("regression", ["least_squares", "lms"])
@pytest.mark.parametrize(("samples", "inputs"), [(5, 128), (10, 256), (25, 512)])
def test_few_samples_of_a_wide_layer_do_not_make_it_diverge(samples, inputs, regression):
    # noise as large as the signal keeps it from W
    assert max(errors_of_regression(samples, inputs, regression=regression)) < 1.5


def test_many_samples_make_a_step_of_the_rate_that_was_asked_for():
    rule, seen = WeightMirror(regression="lms"), linear_trial(200, WEIGHTS)
    seen = replace(seen, state=rule.remember(seen))
    (update,) = rule.requests(seen, lambda layer, x: x @ torch.zeros(4, 3))
    whole = seen.input_changes[1] / seen.state["variance.1"]
    assert torch.equal(update.mirror.x, whole)
    assert update.mirror.rate == rule.rate / 200


def test_lms_cannot_undo_readout_noise():
    with pytest.raises(ValidationError, match="needs regression: least_squares"):
        WeightMirror(regression="lms", input_readout_std=0.1)


@pytest.mark.parametrize("corrected", [False, True])
def test_readout_noise_of_the_inputs_shrinks_the_mirror_as_predicted_and_can_be_undone(corrected):
    sigma = 0.6
    seen = linear_trial(40_000, WEIGHTS, readout=sigma)
    rule = WeightMirror(
        covariance_decay=0.0, ridge=1e-6, input_readout_std=sigma if corrected else 0.0
    )
    mirror = torch.zeros(3, 4)
    for _ in range(60):
        mirror = mirror + 0.5 * expected_steps(rule, seen, mirror).mean(0)
    x = seen.input_changes[1]
    observed = x.T @ x / len(x)
    shrunk = WEIGHTS @ (torch.eye(4) - 2 * sigma**2 * torch.linalg.inv(observed))
    assert (shrunk - WEIGHTS).norm() > 0.3 * WEIGHTS.norm()
    # standard errors of the regression are below 0.01, and seven of them far below 0.1
    torch.testing.assert_close(mirror, WEIGHTS if corrected else shrunk, atol=0.1, rtol=0)


def test_a_mirror_is_found_from_its_part_of_the_whole_batch():
    """A tenth of the quarter of 10 samples that the critic has, 3, would be 2 of them."""
    rule = WeightMirror(output_error="critic", critic_fraction=0.25, sample_fraction=0.1)
    seen = replace(
        linear_trial(3, WEIGHTS),
        pre_activations=(torch.zeros(10, 4), torch.zeros(10, 3)),
        state={"variance.1": torch.ones(())},
    )
    lms = rule.model_copy(update={"regression": "lms"})
    (update,) = lms.requests(seen, lambda layer, x: x @ WEIGHTS.T)
    assert len(update.mirror.x) == 1


def test_what_it_remembers_is_laid_out_as_a_checkpoint_gives_it_back():
    """Products of another layout round otherwise, and a resumed run would differ."""
    state = WeightMirror().remember(linear_trial(100, WEIGHTS))
    assert state["inverse.1"].is_contiguous()
    assert all(value.is_contiguous() for value in state.values())


@pytest.mark.parametrize("awake", [slice(None), slice(0, 1)])
def test_inputs_that_wake_up_between_two_inversions_do_not_blow_the_mirror_up(awake):
    rule, mirror = WeightMirror(), torch.zeros(3, 4)
    loud = linear_trial(100, WEIGHTS)
    still = loud.input_changes[1].clone()
    still[:, awake] = 0.0
    state = {}
    for number in range(40):
        x = still if number == 0 else loud.input_changes[1]
        seen = replace(
            loud,
            activity_changes=(loud.activity_changes[0], x @ WEIGHTS.T),
            input_changes=(loud.input_changes[0], x),
            state=state,
            number=number,
        )
        state = rule.remember(seen)
        (update,) = rule.requests(replace(seen, state=state), lambda layer, x, b=mirror: x @ b.T)
        mirror = mirror - update.mirror.rate * update.mirror.d.T @ update.mirror.x
        assert mirror.norm() < 3 * WEIGHTS.norm(), number
    assert (mirror - WEIGHTS).norm() < 0.1 * WEIGHTS.norm()
