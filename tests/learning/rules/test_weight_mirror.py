"""The mirror, against the weights that it must find and the gradient that it must give."""

from dataclasses import replace

import pytest
import torch

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
from tests.learning.rules.linear_trials import WEIGHTS, linear_trial
from tests.rules import rule_settings

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
