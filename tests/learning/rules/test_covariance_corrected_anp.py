from dataclasses import replace

import torch

from learning.rules.activity_node_perturbation import ActivityNodePerturbation
from learning.rules.covariance_corrected_anp import CovarianceCorrectedANP
from tests.learning.rules.gradients import trial, true_gradients


def remembered(rule: CovarianceCorrectedANP, samples: int):
    seen = trial(rule, samples)
    return replace(seen, state=rule.remember(seen))


def test_with_its_first_state_alone_it_is_anp_scaled():
    rule = CovarianceCorrectedANP(covariance_decay=0.5, ridge=0.5)
    seen = trial(rule, 50)
    identity = {f"covariance.{layer}": torch.eye(n) for layer, n in enumerate((5, 4, 3))}
    corrected = rule.errors(replace(seen, state=identity))
    plain = ActivityNodePerturbation().errors(seen)
    for one, other in zip(corrected, plain, strict=True):
        torch.testing.assert_close(one, other / 1.5)


def test_the_covariance_is_the_decayed_mean_of_normalised_outer_products():
    rule = CovarianceCorrectedANP(covariance_decay=0.75)
    seen = trial(rule, 40)
    state = rule.remember(replace(seen, state=rule.remember(seen)))
    changes = seen.activity_changes
    norm = torch.cat(changes, dim=1).square().sum(1)
    for layer, change in enumerate(changes):
        batch = torch.einsum("si,sj,s->ij", change, change, 12 / norm) / 40
        expected = 0.75**2 * torch.eye(change.shape[1]) + (1 - 0.75**2) * batch
        torch.testing.assert_close(state[f"covariance.{layer}"], expected, rtol=1e-4, atol=1e-5)


def test_without_decay_and_ridge_it_is_the_least_squares_regression():
    # Σ_l⁻¹⟨δL δa_l⟩ over one batch, each sample weighted by 1/‖δa‖²: numpy's lstsq solves the same
    rule = CovarianceCorrectedANP(covariance_decay=0.0, ridge=1e-9)
    seen = remembered(rule, 4000)
    errors = rule.errors(seen)
    for layer, error in enumerate(errors):
        change = seen.activity_changes[layer].double()
        weight = 1 / sum(each.double().square().sum(1) for each in seen.activity_changes)
        root = weight.sqrt()[:, None]
        solution = torch.linalg.lstsq(root * change, root * seen.loss_changes[0][:, None]).solution
        torch.testing.assert_close(error.double().mean(0), solution[:, 0], rtol=2e-3, atol=2e-4)


def test_it_finds_the_gradient_that_anp_turns():
    rule = CovarianceCorrectedANP(covariance_decay=0.0, ridge=1e-6)
    corrected = rule.errors(remembered(rule, 20_000))
    plain = ActivityNodePerturbation().errors(trial(rule, 20_000))

    def angle(estimate, truth):
        mean = estimate.mean(0)
        cosine = torch.dot(mean, truth) / (mean.norm() * truth.norm())
        return torch.rad2deg(torch.arccos(cosine)).item()

    # both estimates spread by less than 2° at 20,000 samples of 12 nodes
    truth = true_gradients()[1]
    assert angle(corrected[1], truth) < 5
    assert angle(plain[1], truth) > angle(corrected[1], truth) + 3


def test_remembering_leaves_the_state_before_as_it_was():
    rule = CovarianceCorrectedANP()
    seen = remembered(rule, 10)
    before = {name: value.clone() for name, value in seen.state.items()}
    rule.remember(seen)
    assert all(torch.equal(before[name], value) for name, value in seen.state.items())


def test_samples_without_any_change_give_zero():
    rule = CovarianceCorrectedANP()
    seen = trial(rule, 8, sigma=0.0)
    errors = rule.errors(replace(seen, state=rule.remember(seen)))
    assert all(torch.equal(error, torch.zeros_like(error)) for error in errors)


def test_in_a_convolution_channels_are_pooled_over_positions():
    rule = CovarianceCorrectedANP(covariance_decay=0.0)
    seen = trial(rule, 30)
    as_positions = replace(
        seen, activity_changes=tuple(change.unsqueeze(1) for change in seen.activity_changes)
    )
    positions, plain = rule.remember(as_positions), rule.remember(seen)
    torch.testing.assert_close(positions["covariance.0"], plain["covariance.0"])
    errors = rule.errors(replace(as_positions, state=positions))
    assert errors[0].shape == (30, 1, 5)
