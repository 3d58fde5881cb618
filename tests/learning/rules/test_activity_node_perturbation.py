import torch

from learning.rules.activity_node_perturbation import ActivityNodePerturbation
from learning.rules.iterative_node_perturbation import IterativeNodePerturbation
from tests.chips import make_chip
from tests.learning.rules.gradients import SIZES, one_input_repeated, trial, true_gradients
from tests.statistics import assert_mean


def test_in_one_layer_it_is_inp():
    sizes = (6, 5)
    anp, inp = ActivityNodePerturbation(), IterativeNodePerturbation()
    together = trial(inp, 1000, sizes=sizes, sigma=1e-2)
    (by_activity,), (one_by_one,) = anp.errors(together), inp.errors(together)
    torch.testing.assert_close(by_activity, one_by_one, rtol=1e-3, atol=1e-3)


def test_in_one_layer_the_expected_update_is_the_gradient():
    sizes = (6, 5)
    rule = ActivityNodePerturbation()
    for noisy_baseline in (False, True):
        (error,) = rule.errors(trial(rule, 100_000, sizes=sizes, noisy_baseline=noisy_baseline))
        assert_mean(error, true_gradients(sizes)[0])


def test_in_many_layers_it_is_equation_6_of_the_linearised_network():
    """The truth: δa and δL to first order, by the products of autograd's Jacobian with ε."""
    rule = ActivityNodePerturbation()
    samples = 200
    given = trial(rule, samples)
    epsilon = given.perturbations[0]
    x, _ = one_input_repeated(samples)
    chip = make_chip(SIZES)
    gradients = true_gradients()

    def pre_activations(*perturbation: torch.Tensor) -> tuple[torch.Tensor, ...]:
        signal, seen = x, []
        for layer, e in zip(chip._layers, perturbation, strict=True):
            seen.append(signal @ layer.crossbar.weights.T + layer.bias + e)
            signal = layer.activation(seen[-1])
        return tuple(seen)

    zeros = tuple(torch.zeros_like(e) for e in epsilon)
    _, change = torch.func.jvp(pre_activations, zeros, epsilon)
    loss_change = sum((e * g).sum(1) for e, g in zip(epsilon, gradients, strict=True))
    norm = sum(c.square().sum(1) for c in change)
    for error, c in zip(rule.errors(given), change, strict=True):
        truth = sum(SIZES[1:]) * (loss_change / norm)[:, None] * c
        # first order in σ, and float32 rounding of outputs near one
        torch.testing.assert_close(error, truth, rtol=0.02, atol=0.02 * truth.abs().max().item())


def test_the_expected_update_of_every_layer_goes_downhill():
    rule = ActivityNodePerturbation()
    for error, gradient in zip(rule.errors(trial(rule, 100_000)), true_gradients(), strict=True):
        along = error @ gradient / gradient.norm()
        assert along.mean() > 6 * along.std() / len(along) ** 0.5


def test_samples_that_did_not_change_teach_nothing():
    rule = ActivityNodePerturbation()
    for error in rule.errors(trial(rule, 10, sigma=0.0)):
        assert torch.equal(error, torch.zeros_like(error))
