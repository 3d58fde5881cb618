"""The mirror, against the weights that it must find and the gradient that it must give."""

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from scipy import stats

from devices.interface import Capability, LayerShape
from devices.noise.base import NoiseSource
from devices.noise.common_mode import CommonModeNoise
from devices.noise.gaussian import GaussianNoise
from learning.alignment import angle
from learning.critic import fit_critic
from learning.estimator import Estimator
from learning.losses import cross_entropy
from learning.optimisers import mean_outer_product
from learning.rules import Trial
from learning.rules.iterative_node_perturbation import IterativeNodePerturbation
from learning.rules.weight_mirror import WeightMirror
from learning.states import below
from tests.chips import make_chip
from tests.learning.rules.gradients import trial
from tests.rules import rule_settings
from tests.statistics import assert_mean

SIZES = (6, 5, 4, 3)


def batch(samples: int = 500) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(9)
    x = torch.randn(samples, SIZES[0], generator=generator)
    return x, torch.randint(3, (samples,), generator=generator)


def noisy(model, seed: int) -> NoiseSource:
    return NoiseSource(model, torch.Generator().manual_seed(seed))


def estimator(chip, own: dict | None = None, *, source: str = "injected", **passes) -> Estimator:
    settings = rule_settings("weight_mirror", own, source=source, **{"baseline": "noisy", **passes})
    generators = (torch.Generator().manual_seed(seed) for seed in (3, 4))
    return Estimator(chip, settings, cross_entropy, *generators)


def trained(chip, repeats: int, own: dict | None = None, **passes) -> Estimator:
    """Passes without updates."""
    running, (x, target) = estimator(chip, own, **passes), batch()
    for _ in range(repeats):
        running.estimate(x, target)
    return running


def misfits(chip) -> list[float]:
    """‖B - W‖ / ‖W‖ of every layer but the first."""
    return [
        (
            (layer.mirror.weights - layer.crossbar.weights).norm() / layer.crossbar.weights.norm()
        ).item()
        for layer in chip._layers[1:]
    ]


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


def expected_steps(rule: WeightMirror, seen: Trial, mirror: torch.Tensor) -> torch.Tensor:
    """The step that each sample asks for, (samples, n_out, n_in), before the rate."""
    seen = replace(seen, state=rule.remember(seen))
    (update,) = rule.requests(seen, lambda layer, x: x @ mirror.T)
    assert update.layer == 1
    outer = update.mirror
    return -torch.einsum("si,sj->sij", outer.d, outer.x)


WEIGHTS = torch.randn(3, 4, generator=torch.Generator().manual_seed(8))


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


def test_the_covariance_is_inverted_with_every_fourth_trial_and_after_a_restart_too():
    chip, (x, target) = make_chip(SIZES), batch()
    running = estimator(chip)
    ridge = WeightMirror().ridge
    inverses = []
    for _ in range(6):
        running.estimate(x, target)
        state = running.state()
        inverses.append(state["rule.inverse.1"])
        if len(inverses) in {1, 5}:
            ridged = state["rule.covariance.1"] + ridge * state["rule.variance.1"] * torch.eye(5)
            torch.testing.assert_close(inverses[-1] @ ridged, torch.eye(5), atol=1e-4, rtol=0)
        if len(inverses) == 3:
            running = estimator(chip)
            running.restore(state)
    assert [torch.equal(each, inverses[0]) for each in inverses] == [True] * 4 + [False] * 2
    assert torch.equal(inverses[4], inverses[5])


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


@pytest.mark.parametrize("regression", ["least_squares", "lms"])
@pytest.mark.parametrize("sigma", [1e-3, 1e-2])
def test_passes_alone_bring_the_mirror_to_the_weights(regression, sigma):
    chip = make_chip(SIZES)
    own = {"regression": regression}
    trained(chip, 20, own, sigma=sigma)
    few = misfits(chip)
    trained(chip, 300, own, sigma=sigma)
    for early, late in zip(few, misfits(chip), strict=True):
        assert late < early
        assert late < 0.1


def test_the_update_turns_to_the_gradient_with_the_number_of_passes():
    x, target = batch()

    def angles(repeats: int, sigma: float) -> list[float]:
        chip = make_chip(SIZES)
        estimate = trained(chip, repeats, sigma=sigma).estimate(x, target)
        # the truth at the very pass that was observed: its noise is part of a
        loss = lambda output: cross_entropy(output, target)  # noqa: E731
        observed, gradients = make_chip(SIZES).backpropagate(x, loss)
        return [
            angle(mean_outer_product(d, seen), mean_outer_product(g, clean))
            for d, seen, g, clean in zip(
                estimate.errors, estimate.inputs, gradients, observed.inputs, strict=True
            )
        ]

    for sigma in (1e-3, 1e-2):
        few, many = angles(3, sigma), angles(300, sigma)
        assert many[-1] < 1.5  # the output's error needs no mirror
        for early, late in zip(few[:-1], many[:-1], strict=True):
            assert late < early
            assert late < 6


def test_noise_that_a_layer_shares_makes_lms_diverge_and_not_least_squares():
    sizes = (6, 40, 40, 3)

    def worst(regression: str) -> float:
        shared = CommonModeNoise(std=0.3)
        chip = make_chip(
            sizes,
            capabilities=frozenset({Capability.OBSERVE, Capability.ACTIVATION_DERIVATIVE}),
            output_noise=noisy(shared, 1),
            input_noise=noisy(GaussianNoise(std=1e-3), 2),
        )
        trained(chip, 150, {"regression": regression}, source="intrinsic")
        return max(misfits(chip))

    assert worst("least_squares") < 2
    assert not worst("lms") < 100


def test_the_output_error_from_loss_changes_is_inp_of_the_last_layer():
    last = IterativeNodePerturbation()
    seen = trial(last, 1000)
    rule = WeightMirror(output_error="perturbation")
    # the pass that perturbs the last layer alone: δa_L is what was injected there
    alone = replace(
        seen,
        activity_changes=(*seen.activity_changes[:-1], seen.perturbations[-1][-1]),
        loss_changes=(seen.loss_changes[-1],),
    )
    (error,) = rule.errors(alone)
    torch.testing.assert_close(error, last.errors(seen)[-1])


@pytest.mark.parametrize("told", [True, False])
def test_a_mirror_is_told_of_what_was_asked_if_it_is_to_be(told):
    from learning.learner import Learner, LearningSettings
    from learning.optimisers import OptimiserSettings

    chip = make_chip(SIZES)
    settings = rule_settings("weight_mirror", {"told": told, "rate": 1e-12}, sigma=1e-3)
    sgd = OptimiserSettings("sgd", 1.0, 0.0, "dense")
    generators = torch.Generator().manual_seed(0), torch.Generator().manual_seed(1)
    learner = Learner(chip, LearningSettings(settings, sgd), cross_entropy, *generators)
    before = [layer.crossbar.weights.clone() for layer in chip._layers]
    learner.step(*batch())
    for layer, start in zip(chip._layers[1:], before[1:], strict=True):
        change = layer.crossbar.weights - start
        expected = change if told else torch.zeros_like(change)
        torch.testing.assert_close(layer.mirror.weights, expected, atol=1e-6, rtol=1e-4)


def test_the_observed_slope_of_a_comparator_is_its_step_over_a_bin():
    from devices.activations import sign

    rule = WeightMirror(slope="observed", slope_bins=6)
    generator = torch.Generator().manual_seed(2)
    a = torch.randn(1000, 100, generator=generator)
    change = 0.05 * torch.randn(1000, 100, generator=generator)
    seen = Trial(
        (LayerShape(100, 1), LayerShape(1, 100)),
        (change, torch.zeros(1000, 1)),
        (None,),
        (torch.zeros(1000),),
        0.0,
        input_changes=(torch.zeros(1000, 1), sign(a + change) - sign(a)),
        pre_activations=(a, torch.zeros(1000, 1)),
        output_changes=(sign(a + change) - sign(a),),
    )
    seen = replace(seen, state=rule.remember(seen))
    slope = rule.slope_at(0, seen)
    spread = a.square().mean().sqrt()
    inside = (a > 0) & (a < 0.9 * spread)
    # bins are one rms wide; the step of 2 at 0 lies on the border of two, and each has half of it.
    # Some 2,000 crossings of uneven weight: a standard error of some 4 %
    assert slope[inside].mean() * spread == pytest.approx(1.0, rel=0.25)
    assert slope[a.abs() > 1.2 * spread].abs().max() == 0


def test_a_slope_is_observed_in_bins_whatever_a_training_that_diverges_shows():
    """The epoch comes to its end, and is then said to have diverged."""
    rule = WeightMirror(slope="observed", slope_bins=4)
    a = torch.tensor([[float("nan"), float("inf"), -float("inf"), 0.1]])
    seen = Trial(
        (LayerShape(4, 1), LayerShape(1, 4)),
        (a, torch.zeros(1, 1)),
        (None,),
        (torch.zeros(1),),
        0.0,
        input_changes=(torch.zeros(1, 1), a),
        pre_activations=(a, torch.zeros(1, 1)),
        output_changes=(a,),
    )
    seen = replace(seen, state=rule.remember(seen))
    assert rule.slope_at(0, seen).shape == a.shape


def test_what_it_needs_follows_from_its_settings():
    slope, loss = Capability.ACTIVATION_DERIVATIVE, Capability.LOSS_DERIVATIVE
    assert WeightMirror().needs == {Capability.OBSERVE, slope, loss}
    observing = WeightMirror(slope="observed", output_error="critic")
    assert observing.needs == {Capability.OBSERVE}


def test_a_critic_is_fitted_on_its_part_of_the_batch_alone():
    rule = WeightMirror(output_error="critic", critic_fraction=0.25, sample_fraction=0.1)
    assert rule.perturbed_fraction == 0.25
    draws = torch.Generator().manual_seed(1)
    seen = replace(
        linear_trial(25, WEIGHTS),
        loss_changes=(torch.randn(25, generator=draws),),
        pre_activations=(torch.zeros(100, 4), torch.zeros(100, 3)),
        output=torch.randn(100, 3, generator=draws),
        target=torch.randint(3, (100,), generator=draws),
        generator=torch.Generator().manual_seed(0),
    )
    state = below("critic", rule.remember(seen))
    fitted = fit_critic(
        {},
        seen.output[:25],
        seen.target[:25],
        seen.activity_changes[-1],
        seen.loss_changes[0],
        torch.Generator().manual_seed(0),
    )
    assert state.keys() == fitted.keys()
    assert all(torch.equal(state[name], fitted[name]) for name in fitted)


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
