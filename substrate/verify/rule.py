"""What every learning rule must do, one check a method; a pytest class as it stands."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import ClassVar
from unittest import SkipTest

import torch
import yaml
from torch import Tensor

from devices.interface import Capability, CapabilityError
from devices.seal import chip_state, restore_chip
from learning.losses import Loss, cross_entropy, mean_squared_error
from learning.rules import Rule, RuleState, Trial
from substrate.verify.described import assert_described, assert_named
from substrate.verify.expected import assert_downhill, assert_unbiased, draw_errors
from substrate.verify.networks import CONVOLUTION, DEEP, NETWORKS, ONE_LAYER, SmallNetwork
from substrate.verify.trials import (
    differing,
    disturbed,
    follow,
    made_of,
    permuted,
    quiet,
    set_up,
    shape_of,
    tensors_of,
    trials_of,
)


class RuleConformance:
    """Derive from it, set `rule`, and pytest does the rest.

    Attributes:
        rule: the rule under test, with its settings.
        seed: of all draws.
        false_alarm: chance that a right rule fails any one of the three statistical checks, and
            that one whose errors lead nowhere passes it.
        replicas: mini-batches behind every statistic.
        samples: perturbations of every input in a mini-batch.
        warm_up: mini-batches that a rule with a memory sees before its errors count.
    """

    rule: ClassVar[Rule]
    seed: ClassVar[int] = 0
    false_alarm: ClassVar[float] = 1e-4
    replicas: ClassVar[int] = 40
    samples: ClassVar[int] = 500
    warm_up: ClassVar[int] = 60
    measured: str = ""

    def test_describes_itself(self) -> None:
        """Names itself, cites its source, and describes every setting."""
        assert_named(type(self.rule), "name", "title", "citation")
        assert_described(type(self.rule))

    def test_settings_can_be_written_out(self) -> None:
        """Is the same rule after its settings were written to a file and read again."""
        written = json.loads(json.dumps(self.rule.model_dump(mode="json")))
        again = type(self.rule).model_validate(written)
        assert again == self.rule, f"the settings read again are {again!r}"
        for setting in type(self.rule).model_fields:
            (read,) = yaml.safe_load(f"{setting}: 0")
            assert read == setting, f"YAML reads the key `{setting}` as {read}; name it otherwise"

    def test_declarations_fit_together(self) -> None:
        """Declares nothing that contradicts the rest."""
        rule, needs = self.rule, self.rule.needs
        left_out = rule.requires - needs
        assert not left_out, f"`needs` leaves out what `requires` has: {', '.join(left_out)}"
        told = rule.knows_perturbation or rule.layer_by_layer
        assert not told or Capability.INJECT in needs, (
            "`knows_perturbation` and `layer_by_layer` need Capability.INJECT in `requires`"
        )
        assert not (rule.own_noise_only and told), "`own_noise_only` is for noise that is unknown"
        reads = rule.reads_activities or rule.reads_inputs or rule.reads_output_changes
        assert rule.perturbs or not (told or reads), (
            "without `perturbs` there is no second pass to read or to know of"
        )
        assert rule.backward != "transposed_read" or Capability.TRANSPOSED_READ in needs, (
            '`backward = "transposed_read"` needs Capability.TRANSPOSED_READ in `requires`'
        )
        assert rule.backward != "mirror" or rule.mirror_on is not None, (
            '`backward = "mirror"` needs mirrors: say in `mirror_on` where they are'
        )

    def test_needs(self) -> None:
        """Needs no more of a chip than it declares."""
        for network in NETWORKS:
            if Capability.LOSS_DERIVATIVE not in self.rule.needs:
                trial = replace(self._trials(network)[0], loss_gradient=_undeclared)
                made_of(self.rule, trial, follow(self.rule, [trial]))
            try:
                self._estimate_twice(network, cross_entropy)
            except CapabilityError as problem:
                raise AssertionError(f"{problem}, and the rule does not declare it") from problem

    def test_errors(self) -> None:
        """Gives finite errors for every node, in classes and regressions, one pass or several."""
        for network in NETWORKS:
            for loss in (cross_entropy, mean_squared_error):
                for resamples in (1, 3) if self.rule.perturbs else (1,):
                    errors = self._estimate_twice(network, loss, resamples)
                    for error, layout in zip(errors, network.layouts, strict=True):
                        given = (tuple(error.shape), error.dtype)
                        wanted = (shape_of(layout.shape, len(error)), torch.float32)
                        assert given == wanted, f"gave {given} instead of {wanted} ({network.name})"
                        assert error.isfinite().all(), (
                            f"gave infinite or undefined values ({network.name})"
                        )

    def test_reads(self) -> None:
        """Reads what it declares that it reads, and nothing else."""
        rule = self.rule
        for words, declared, fields in (
            ("reads_activities", rule.reads_activities, ("activity_changes",)),
            ("reads_inputs", rule.reads_inputs, ("input_changes", "pre_activations")),
            ("reads_output_changes", rule.reads_output_changes, ("output_changes",)),
            ("knows_perturbation", rule.knows_perturbation, ("perturbations", "sigma")),
            ("LOSS_DERIVATIVE", Capability.LOSS_DERIVATIVE in rule.needs, ("loss_gradient",)),
        ):
            if words == "reads_inputs" and not declared and rule.backward is not None:
                fields = ("input_changes",)
            first, trial = self._trials()
            state = follow(rule, [first])
            other = disturbed(trial, fields)
            made = made_of(rule, trial, follow(rule, [trial], state))
            made_of_other = made_of(rule, other, follow(rule, [other], state))
            depends = differing(made, made_of_other) is not None
            assert declared or not depends, f"reads what it does not declare: `{words}`"
            assert depends or not declared, f"declares what it does not read: `{words}`"

    def test_averages_errors(self) -> None:
        """Has errors that differ from trial to trial, or says that they do not."""
        if self.rule.averages_errors:
            raise SkipTest("errors are averaged, so they may differ")
        first, trial = self._trials()
        state = follow(self.rule, [first, trial])
        differ = differing(_errors(self.rule, first, state), _errors(self.rule, trial, state))
        assert differ is None, f"{differ} differs, and `averages_errors` says that none does"

    def test_leaves_alone(self) -> None:
        """Leaves observations and the state before as they were, and gives errors of their own."""
        for network in (DEEP, CONVOLUTION):
            first, trial = self._trials(network)
            state = follow(self.rule, [first])
            before = {name: value.clone() for name, value in state.items()}
            shown = {name: value.clone() for name, value in tensors_of(trial).items()}
            after = follow(self.rule, [trial], state)
            assert differing(before, state) is None, (
                f"remembering changed the state before in place: {differing(before, state)!r}"
            )
            remembered = {name: value.clone() for name, value in after.items()}
            made = made_of(self.rule, trial, after)
            changed = differing(shown, tensors_of(trial))
            assert changed is None, f"the observations were changed in place: {changed}"
            changed = differing(remembered, after)
            assert changed is None, f"giving errors changed the state in place: {changed!r}"
            kept = {value.untyped_storage().data_ptr() for value in after.values()}
            for name, value in made.items():
                assert value.untyped_storage().data_ptr() not in kept, (
                    f"the {name} shares memory with the state; give a clone"
                )

    def test_remembers(self) -> None:
        """Remembers tensors of which it makes something, and no more with every trial."""
        seen = self._trials(count=8)
        state = follow(self.rule, seen[:3])
        if not state:
            raise SkipTest("the rule remembers nothing")
        for name, value in state.items():
            assert isinstance(value, Tensor), f"{name!r} is no tensor, and cannot be saved"
            assert not value.requires_grad, f"{name!r} carries autograd's history"
        few, many = (sum(v.numel() for v in s.values()) for s in (state, follow(self.rule, seen)))
        assert many <= few, f"remembers {few} numbers after 3 trials, and {many} after 8"
        other = follow(self.rule, self._trials(count=3, seed=1))
        one, two = (made_of(self.rule, seen[3], each) for each in (state, other))
        assert differing(one, two) is not None, (
            "neither errors nor slopes nor requests follow from what it remembers"
        )

    def test_repeats_under_a_seed(self) -> None:
        """Repeats bitwise under a seed."""
        for network in NETWORKS:
            runs = []
            for _ in range(2):
                setup = set_up(self._afresh(), network, self.seed)
                errors = [setup.estimator.estimate(*self._batch(network)).errors for _ in range(3)]
                runs.append(_named(errors) | setup.estimator.state() | chip_state(setup.chip))
            differs = differing(*runs)
            assert differs is None, (
                f"another run with the same seed differs ({differs}); draw from trial.generator "
                "alone, and keep nothing outside the state"
            )

    def test_saves_and_restores(self) -> None:
        """Goes on bitwise from a saved state."""
        setup = set_up(self._afresh(), DEEP, self.seed)
        x, target = self._batch(DEEP)
        for _ in range(3):
            setup.estimator.estimate(x, target)
        saved, saved_chip = setup.estimator.state(), chip_state(setup.chip)
        wanted = [setup.estimator.estimate(x, target).errors for _ in range(2)]
        other = set_up(self._afresh(), DEEP, self.seed)
        other.estimator.restore(saved)
        restore_chip(other.chip, saved_chip)
        given = [other.estimator.estimate(x, target).errors for _ in range(2)]
        differs = differing(_named(wanted), _named(given))
        assert differs is None, f"does not go on as it did ({differs}); keep all of it in the state"

    def test_order_of_samples(self) -> None:
        """Gives every sample the same error, in whatever order the batch is."""
        for network in NETWORKS:
            first, trial = self._trials(network)
            state = follow(self.rule, [first, trial])
            other, order = permuted(trial)
            errors = _errors(self.rule, trial, state)
            others = _errors(self.rule, other, state)
            for name, error in errors.items():
                off = (others[name] - error[order]).abs().max()
                assert off <= 1e-4 * error.abs().max(), (
                    f"the {name} depends on the sample's place in the batch ({network.name})"
                )

    def test_without_perturbation(self) -> None:
        """Gives finite errors where nothing was perturbed and nothing changed."""
        for network in NETWORKS:
            first, trial = self._trials(network)
            for before in ([quiet(trial)] * 20, [first]):
                state = follow(self.rule, [*before, quiet(trial)])
                made = made_of(self.rule, quiet(trial), state)
                for name, value in ({**state, **made}).items():
                    assert value.isfinite().all(), f"the {name} is infinite or undefined"

    def test_one_layer(self) -> None:
        """Has the gradient as its expected error in one layer, or goes downhill."""
        self._check_expected(ONE_LAYER, unbiased=self.rule.unbiased_in is not None)

    def test_layers(self) -> None:
        """Goes downhill in every layer of a network; along the gradient, if it says so."""
        self._check_expected(DEEP, unbiased=self.rule.unbiased_in == "any network")

    def test_convolution(self) -> None:
        """Does so in a convolution, at every position."""
        self._check_expected(CONVOLUTION, unbiased=self.rule.unbiased_in == "any network")

    def test_cuda_device(self) -> None:
        """Runs on a CUDA device."""
        if not torch.cuda.is_available():
            raise SkipTest("torch finds no CUDA device here")
        setup = set_up(self.rule, DEEP, self.seed, device="cuda")
        x, target = self._batch(DEEP)
        for _ in range(2):
            estimate = setup.estimator.estimate(x.cuda(), target.cuda())
        assert all(error.is_cuda for error in estimate.errors), "gives errors on another device"

    def _afresh(self) -> Rule:
        return type(self.rule).model_validate(self.rule.model_dump())

    def _trials(self, network: SmallNetwork = DEEP, count: int = 2, seed: int = 0) -> list[Trial]:
        return trials_of(self.rule, network, 1000 * self.seed + seed, count)

    def _batch(self, network: SmallNetwork, loss: Loss = cross_entropy) -> tuple[Tensor, Tensor]:
        x = network.inputs(7, self.seed)
        target = torch.arange(7) % network.classes
        if loss is mean_squared_error:
            target = network.inputs(7 * network.classes, self.seed).flatten()
            target = target[: 7 * network.classes].view(7, -1)
        return x, target

    def _estimate_twice(
        self, network: SmallNetwork, loss: Loss, resamples: int = 1
    ) -> list[Tensor]:
        setup = set_up(self.rule, network, self.seed, loss=loss, resamples=resamples)
        x, target = self._batch(network, loss)
        setup.estimator.estimate(x, target)
        return setup.estimator.estimate(x, target).errors

    def _check_expected(self, network: SmallNetwork, *, unbiased: bool) -> None:
        errors = draw_errors(
            self.rule,
            network,
            self.seed,
            replicas=self.replicas,
            samples=self.samples,
            warm_up=self.warm_up,
        )
        along = [float(each.along.mean()) for each in errors]
        self.measured = f"{min(along):.3f} to {max(along):.3f} of the gradient, along it"
        assert_downhill(errors, self.false_alarm)
        if unbiased:
            assert_unbiased(errors, self.false_alarm)


def _errors(rule: Rule, trial: Trial, state: RuleState) -> dict[str, Tensor]:
    made = made_of(rule, trial, state)
    return {name: value for name, value in made.items() if name.startswith("error")}


def _named(errors: list[list[Tensor]]) -> dict[str, Tensor]:
    return {
        f"error of layer {layer} in mini-batch {batch}": error
        for batch, layers in enumerate(errors, start=1)
        for layer, error in enumerate(layers, start=1)
    }


def _undeclared() -> Tensor:
    raise AssertionError(
        "reads the loss's derivative, and does not declare Capability.LOSS_DERIVATIVE"
    )
