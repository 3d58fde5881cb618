import gc

import pytest
import torch

from devices.interface import Capability
from devices.seal import chip_state, restore_chip, seal
from learning.decorrelation import DecorrelationSettings
from learning.estimator import Estimator
from learning.learner import Learner, LearningSettings
from learning.losses import cross_entropy
from learning.optimisers import OptimiserSettings
from learning.requirements import PerturbationSettings, RuleSettings
from learning.rules import Trial
from learning.rules.backpropagation import Backpropagation
from learning.rules.iterative_node_perturbation import IterativeNodePerturbation
from learning.rules.weight_mirror import WeightMirror
from tests.chips import make_chip
from tests.rules import rule_settings

SIZES = (6, 5, 4, 3)
RULES = ["bp", "np", "np_observed", "inp", "anp", "anp_corrected", "weight_mirror"]


def batch(samples: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(9)
    x = torch.randn(samples, 6, generator=generator)
    return x, torch.randint(3, (samples,), generator=generator)


def learner(chip, rule: str, optimiser: str, every: int = 1, seed: int = 0) -> Learner:
    settings = LearningSettings(
        rule_settings(rule, baseline="noisy"),
        OptimiserSettings(optimiser, 1e-2, 0.9, "dense"),
        DecorrelationSettings(1e-2, 0.5, every),
    )
    return Learner(chip, settings, cross_entropy, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("optimiser", ["momentum", "adam"])
def test_training_goes_on_from_a_saved_state_bit_for_bit(rule, optimiser):
    x, target = batch()
    chip = seal(make_chip(SIZES, decorrelated=True))
    teacher = learner(chip, rule, optimiser, every=3)
    for _ in range(4):
        teacher.step(x, target)
    saved, saved_chip = teacher.state(), chip_state(chip)
    for _ in range(4):
        teacher.step(x, target)
    other_chip = seal(make_chip(SIZES, decorrelated=True, seed=8))
    other = learner(other_chip, rule, optimiser, every=3, seed=8)
    restore_chip(other_chip, saved_chip)
    other.restore(saved)
    for _ in range(4):
        other.step(x, target)
    one, two = chip_state(chip), chip_state(other_chip)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_saved_state_is_a_copy():
    x, target = batch()
    chip = seal(make_chip(SIZES, decorrelated=True))
    teacher = learner(chip, "anp_corrected", "adam")
    teacher.step(x, target)
    saved = teacher.state() | chip_state(chip)
    before = {name: value.clone() for name, value in saved.items()}
    teacher.step(x, target)
    assert all(torch.equal(before[name], value) for name, value in saved.items())


def test_calibration_passes_come_before_training(monkeypatch):
    x, target = batch()
    chip = make_chip(SIZES)
    passes, run = chip.passes, []

    def counting(x, perturbs, **kwargs):
        run.append(len(perturbs))
        return passes(x, perturbs, **kwargs)

    monkeypatch.setattr(chip, "passes", counting)
    settings = rule_settings("np_observed", {"calibration_trials": 4})
    estimator = Estimator(chip, settings, cross_entropy, torch.Generator())
    estimator.estimate(x, target)
    assert sum(run) == 2 * 4 + 2
    estimator.estimate(x, target)
    assert sum(run) == 2 * 4 + 2 + 2


def test_r_is_updated_every_few_steps_and_from_part_of_the_batch():
    x, target = batch()
    chip = make_chip(SIZES, decorrelated=True)
    teacher = learner(chip, "anp", "adam", every=3)
    changed = []
    for _ in range(7):
        before = chip._layers[0].decorrelation.matrix.clone()
        teacher.step(x, target)
        changed.append(not torch.equal(before, chip._layers[0].decorrelation.matrix))
    assert changed == [True, False, False, True, False, False, True]
    half, whole = make_chip(SIZES, decorrelated=True), make_chip(SIZES, decorrelated=True)
    learner(half, "bp", "adam").step(x, target)
    learner(whole, "bp", "adam").step(torch.cat([x[:10], 100 * x[10:]]), target)
    # the first layer's input is x itself while R is the identity: the second half plays no part
    assert torch.equal(half._layers[0].decorrelation.matrix, whole._layers[0].decorrelation.matrix)


@pytest.mark.parametrize("rule", RULES)
def test_nothing_that_a_step_allocates_grows_with_the_number_of_steps(rule):
    x, target = batch()
    teacher = learner(make_chip(SIZES, decorrelated=True), rule, "adam", every=2)

    def tensors() -> tuple[int, int]:
        gc.collect()
        alive = [each for each in gc.get_objects() if type(each) is torch.Tensor]
        return len(alive), sum(each.untyped_storage().nbytes() for each in alive)

    for _ in range(4):
        teacher.step(x, target)
    after_few = tensors()
    for _ in range(20):
        teacher.step(x, target)
    assert tensors() == after_few


def test_what_a_rule_does_not_read_is_not_held():
    x, _ = batch()
    noise = tuple(torch.randn(20, n) for n in SIZES[1:])
    chip = make_chip(SIZES)
    baseline, perturbed = chip.passes(x, [None, noise], read_inputs=[0], read_pre_activations=())
    everything = chip.passes(x, [None, noise])
    assert perturbed.inputs == ()
    assert baseline.pre_activations == ()
    assert torch.equal(perturbed.output, everything[1].output)
    for one, other in zip(baseline.inputs[1:], everything[0].inputs[1:], strict=True):
        assert torch.equal(one, other)
        assert one.untyped_storage().nbytes() == one.nbytes


@pytest.mark.parametrize(
    "rule",
    [
        WeightMirror(sample_fraction=0.3),
        WeightMirror(sample_fraction=0.3, output_error="critic", critic_fraction=0.1),
        WeightMirror(sample_fraction=0.1, output_error="critic", critic_fraction=0.3),
    ],
)
def test_the_second_pass_takes_no_more_of_the_batch_than_the_rule_reads(rule, monkeypatch):
    chip = seal(make_chip(SIZES))
    seen: list[tuple[int, list[int]]] = []
    passes = type(chip).passes

    def watched(self, x, perturbs, **options):
        seen.append((len(x), options["samples"]))
        return passes(self, x, perturbs, **options)

    monkeypatch.setattr(type(chip), "passes", watched)
    given = []
    monkeypatch.setattr(
        WeightMirror, "remember", lambda self, trial: given.append(trial) or trial.state
    )
    monkeypatch.setattr(WeightMirror, "requests", lambda self, trial, read: ())
    monkeypatch.setattr(WeightMirror, "errors", lambda self, trial: (trial.output,))
    perturbation = PerturbationSettings("injected", "noisy", 0.1, resamples=2)
    generator = torch.Generator().manual_seed(0)
    settings = RuleSettings(rule, perturbation)
    x, target = batch()
    Estimator(chip, settings, cross_entropy, generator).estimate(x, target)
    assert seen == [(20, [20, 6, 6])]
    for trial in given:
        assert [len(change) for change in trial.activity_changes] == [6, 6, 6]
        assert [len(change) for change in trial.input_changes] == [6, 6, 6]
        assert len(trial.loss_changes[0]) == 6
        assert [len(a) for a in trial.pre_activations] == [20, 20, 20]
        # the output's change is that of the loss of the same samples: two noisy passes of each
        after = trial.output[:6] + trial.activity_changes[-1]
        losses = cross_entropy(after, target[:6]) - cross_entropy(trial.output[:6], target[:6])
        torch.testing.assert_close(trial.loss_changes[0], losses)


def test_trials_before_training_are_made_once_in_one_layer_too(monkeypatch):
    x, target = batch()
    for sizes in ((6, 3), SIZES):
        chip, counts = make_chip(sizes), []
        passes = chip.passes

        def counted(x, perturbs, passes=passes, counts=counts, **options):
            counts.append(len(perturbs))
            return passes(x, perturbs, **options)

        monkeypatch.setattr(chip, "passes", counted)
        own = {"passes_before_training": 5}
        settings = rule_settings("weight_mirror", own, source="injected", baseline="noisy")
        teacher = Estimator(chip, settings, cross_entropy, torch.Generator().manual_seed(0))
        for _ in range(3):
            teacher.estimate(x, target)
        assert counts == [2] * (5 + 3)


class _Remembers(IterativeNodePerturbation):
    """INP that looks at its observed changes as well."""

    name = "remembers"
    reads_activities = True
    reads_inputs = True
    knows_perturbation = True

    def errors(self, trial):
        seen.append(trial)
        return super().errors(trial)


seen: list[Trial] = []


def test_layer_by_layer_every_change_is_that_of_the_layers_own_pass():
    x, target = batch()
    seen.clear()
    perturbation = PerturbationSettings("injected", "clean", 0.1, resamples=3)
    settings = RuleSettings(_Remembers(), perturbation)
    generator = torch.Generator().manual_seed(0)
    Estimator(make_chip(SIZES), settings, cross_entropy, generator).estimate(x, target)
    assert len(seen) == 3
    for trial in seen:
        for layer, perturbation in enumerate(trial.perturbations):
            # nothing before a layer was perturbed, so that what it shows is what was injected
            torch.testing.assert_close(trial.activity_changes[layer], perturbation[layer])
            assert not trial.input_changes[layer].any()


class SendsBackHalf(Backpropagation):
    """A rule of one's own that sends back something else than the gradient."""

    is_gradient = False

    def errors(self, trial: Trial) -> tuple[torch.Tensor, ...]:
        (whole,) = super().errors(trial)
        return (whole / 2,)


@pytest.mark.parametrize("gradients", [True, False])
def test_only_backpropagation_is_replaced_by_a_differentiated_pass(gradients):
    """A rule that sends errors back through W is the same on a chip that can do more."""
    able = frozenset(Capability) - (set() if gradients else {Capability.GRADIENTS})
    x, target = batch()
    found = []
    for rule in (Backpropagation(), SendsBackHalf()):
        chip = make_chip(SIZES, capabilities=able)
        running = Estimator(chip, RuleSettings(rule, None), cross_entropy, torch.Generator())
        found.append(running.estimate(x, target).errors)
    for whole, half in zip(*found, strict=True):
        assert whole.norm() > 0
        torch.testing.assert_close(half, whole / 2, rtol=1e-5, atol=1e-7)
