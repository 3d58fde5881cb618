import pytest
import torch

from devices.interface import Capability
from learning.decorrelation import DecorrelationSettings
from learning.learner import Learner, LearningSettings
from learning.losses import cross_entropy
from learning.optimisers import OptimiserSettings
from learning.requirements import required_capabilities
from tests.chips import make_chip, torch_network
from tests.rules import rule_settings
from tests.statistics import assert_mean

SIZES = (6, 5, 4, 3)
SGD = OptimiserSettings("sgd", 1.0, 0.0, "dense")


def settings(rule: str, *, optimiser: OptimiserSettings = SGD, rate: float | None = None, **kwargs):
    decorrelation = None if rate is None else DecorrelationSettings(rate)
    return LearningSettings(rule_settings(rule, **kwargs), optimiser, decorrelation)


def learner(chip, learning: LearningSettings, seed: int = 0) -> Learner:
    return Learner(chip, learning, cross_entropy, torch.Generator().manual_seed(seed))


def batch(samples: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(9)
    x = torch.randn(samples, 6, generator=generator)
    return x, torch.randint(3, (samples,), generator=generator)


def changes_of_a_step(learning: LearningSettings, x, target, seed: int) -> list[torch.Tensor]:
    chip = make_chip(SIZES)
    before = [layer.crossbar.weights.clone() for layer in chip._layers]
    learner(chip, learning, seed).step(x, target)
    return [
        layer.crossbar.weights - start for layer, start in zip(chip._layers, before, strict=True)
    ]


def test_a_bp_step_is_a_torch_step():
    x, target = batch(8)
    network = torch_network(SIZES)
    cross_entropy(network(x), target).mean().backward()
    changes = changes_of_a_step(settings("bp"), x, target, 0)
    for change, linear in zip(changes, network[::2], strict=True):
        torch.testing.assert_close(change, -linear.weight.grad)


@pytest.mark.parametrize("rule", ["np", "inp"])
@pytest.mark.parametrize("baseline", ["clean", "noisy"])
def test_steps_go_down_the_gradient_on_average(rule, baseline):
    x, target = batch(4)
    network = torch_network(SIZES)
    cross_entropy(network(x), target).mean().backward()
    x, target = x.repeat(250, 1), target.repeat(250)
    learning = settings(rule, baseline=baseline)
    steps = [changes_of_a_step(learning, x, target, seed) for seed in range(150)]
    for layer, linear in enumerate(network[::2]):
        changes = torch.stack([step[layer].flatten() for step in steps])
        assert_mean(changes, -linear.weight.grad.flatten())


def test_resampling_averages_estimates():
    x, target = batch(100)
    spreads = []
    for resamples in (1, 16):
        learning = settings("anp", resamples=resamples)
        steps = [changes_of_a_step(learning, x, target, seed)[0] for seed in range(40)]
        spreads.append(torch.stack(steps).var(0).mean().item())
    # the ratio of two variances over 40 draws of 30 weights is within a factor of two of 16
    assert 8 < spreads[0] / spreads[1] < 32


def test_with_decorrelation_inputs_lose_their_correlation():
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(2000, 6, generator=generator) @ torch.randn(6, 6, generator=generator)
    target = torch.zeros(2000, dtype=torch.int64)
    chip = make_chip(SIZES, decorrelated=True)
    teacher = learner(chip, settings("anp", rate=0.01))

    def off_diagonal() -> float:
        return (torch.corrcoef(chip.forward(x).inputs[0].T) - torch.eye(6)).abs().mean().item()

    before = off_diagonal()
    for part in x.repeat(5, 1).split(100):
        teacher.step(part, target[:100])
    assert off_diagonal() < before / 2


def test_the_same_generator_repeats_a_step_bitwise():
    x, target = batch(50)
    one, other = (changes_of_a_step(settings("anp"), x, target, 3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_what_settings_need_of_a_chip():
    observe, inject, clean = Capability.OBSERVE, Capability.INJECT, Capability.CLEAN_PASS
    transposed, slope = Capability.TRANSPOSED_READ, Capability.ACTIVATION_DERIVATIVE
    for learning, needs in (
        (settings("bp"), {transposed, slope, Capability.LOSS_DERIVATIVE}),
        (
            settings("weight_mirror", source="intrinsic", baseline="noisy"),
            {observe, slope, Capability.LOSS_DERIVATIVE},
        ),
        (settings("anp", source="intrinsic", baseline="noisy"), {observe}),
        (settings("anp", source="intrinsic", baseline="clean"), {observe, clean}),
        (settings("anp", source="injected", baseline="noisy"), {observe, inject}),
        (settings("np", source="both", baseline="noisy"), {observe, inject}),
    ):
        assert required_capabilities(learning.rule) == needs
