"""Shipped rules, each with a fault that the conformance kit has to find (`test_rule`)."""

import itertools
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from devices.interface import Capability, LayerUpdate, Outer
from learning.rules import RuleState, Trial
from learning.rules.activity_node_perturbation import ActivityNodePerturbation
from learning.rules.backpropagation import Backpropagation
from learning.rules.base import per_sample
from learning.rules.covariance_corrected_anp import CovarianceCorrectedANP
from learning.rules.iterative_node_perturbation import IterativeNodePerturbation
from learning.rules.node_perturbation import NodePerturbation
from learning.rules.observed_node_perturbation import ObservedNodePerturbation
from learning.rules.weight_mirror import WeightMirror

Errors = tuple[Tensor, ...]


class Uphill(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        return tuple(-error for error in super().errors(trial))


class UphillInTheFirstLayer(CovarianceCorrectedANP):
    def errors(self, trial: Trial) -> Errors:
        first, *others = super().errors(trial)
        return (-first, *others)


class WithoutTheNumberOfNodes(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        nodes = sum(shape.nodes for shape in trial.shapes)
        return tuple(error / nodes for error in super().errors(trial))


class DividesByTheDeviation(NodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        return tuple(error * trial.sigma for error in super().errors(trial))


class NormOfOnePosition(IterativeNodePerturbation):
    """Right in fully connected layers."""

    def errors(self, trial: Trial) -> Errors:
        errors = []
        for layer, error in enumerate(super().errors(trial)):
            perturbation = trial.perturbations[layer]
            assert perturbation is not None
            v = perturbation[layer]
            assert v is not None
            whole = v.flatten(1).square().sum(1)
            errors.append(error * per_sample(whole, v) / v.square().sum(-1, keepdim=True))
        return tuple(errors)


class BatchMean(NodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        (perturbation,) = trial.perturbations
        assert perturbation is not None
        scale = trial.loss_changes[0].mean().float() / trial.sigma**2
        return tuple(scale * epsilon for epsilon in perturbation if epsilon is not None)


class BatchMeanOfTheDerivative(Backpropagation):
    def errors(self, trial: Trial) -> Errors:
        (error,) = super().errors(trial)
        return (error.mean(0, keepdim=True).expand_as(error).clone(),)


class WrongLayer(NodePerturbation):
    """Takes a neighbour's error wherever the shape allows it."""

    def errors(self, trial: Trial) -> Errors:
        errors = list(super().errors(trial))
        for one, other in itertools.pairwise(range(len(errors))):
            if errors[one].shape == errors[other].shape:
                errors[one], errors[other] = errors[other], errors[one]
        return tuple(errors)


class ObservesThePerturbedPass(NodePerturbation):
    """Takes what the perturbed pass shows of a layer for what was injected there."""

    reads_activities: ClassVar[bool] = True

    def errors(self, trial: Trial) -> Errors:
        scale = trial.loss_changes[0] / trial.sigma**2
        return tuple(change * per_sample(scale, change) for change in trial.activity_changes)


class NormOfAnotherLayer(IterativeNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        errors = list(super().errors(trial))
        nodes = [shape.nodes for shape in trial.shapes]
        return tuple(
            e * n / m for e, n, m in zip(errors, nodes[1:] + nodes[:1], nodes, strict=True)
        )


class MirrorFleesItsMisfit(WeightMirror):
    def requests(self, trial: Trial, read_mirror: Any) -> Iterator[LayerUpdate]:
        for update in super().requests(trial, read_mirror):
            assert isinstance(update.mirror, Outer)
            flipped = Outer(update.mirror.x, -update.mirror.d, update.mirror.rate)
            yield LayerUpdate(update.layer, mirror=flipped)


class MirrorFollowsTheInputsOfAnotherSample(WeightMirror):
    def _regressor(self, layer: int, trial: Trial) -> Tensor:
        return super()._regressor(layer, trial).roll(1, 0)


class RemembersInPlace(CovarianceCorrectedANP):
    def remember(self, trial: Trial) -> RuleState:
        for name, value in super().remember(trial).items():
            if name not in trial.state:
                return super().remember(trial)
            trial.state[name].copy_(value)
        return trial.state


class ScalesObservationsInPlace(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        for change, error in zip(trial.activity_changes, super().errors(trial), strict=True):
            change.copy_(error)
        return trial.activity_changes


class GivesItsStateAway(CovarianceCorrectedANP):
    def remember(self, trial: Trial) -> RuleState:
        return {**super().remember(trial), "first": trial.activity_changes[0].clone()}

    def errors(self, trial: Trial) -> Errors:
        return (trial.state["first"], *super().errors(trial)[1:])


class Unseeded(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        return tuple(e * (1 + 0.1 * torch.rand(())) for e in super().errors(trial))


class CountsForItself(ActivityNodePerturbation):
    seen: ClassVar[list[int]] = [0]

    def errors(self, trial: Trial) -> Errors:
        self.seen[0] += 1
        return tuple(error * (1 + 1 / self.seen[0]) for error in super().errors(trial))


class StateIgnored(CovarianceCorrectedANP):
    def errors(self, trial: Trial) -> Errors:
        scale = trial.loss_changes[0].float()
        return tuple(change * per_sample(scale, change) for change in trial.activity_changes)


class RemembersEveryTrial(ObservedNodePerturbation):
    def remember(self, trial: Trial) -> RuleState:
        kept = {name: each for name, each in trial.state.items() if name.startswith("kept")}
        kept[f"kept {len(kept)}"] = trial.loss_changes[0]
        return {**super().remember(trial), **kept}


class LooksAtTheNextSample(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        ramp = torch.linspace(0.9, 1.1, len(trial.loss_changes[0]))
        return tuple(error * per_sample(ramp, error) for error in super().errors(trial))


class UndefinedWithoutChange(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        changes = trial.activity_changes
        norm = torch.stack([change.flatten(1).square().sum(1) for change in changes]).sum(0)
        scale = sum(shape.nodes for shape in trial.shapes) * trial.loss_changes[0] / norm
        return tuple(change * per_sample(scale, change) for change in changes)


class DoublePrecision(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        return tuple(error.double() for error in super().errors(trial))


class WithoutPositions(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        return tuple(error.flatten(1) for error in super().errors(trial))


class ClassesAlone(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        assert trial.target is not None
        weight = torch.ones(100)[trial.target]
        return tuple(error * per_sample(weight, error) for error in super().errors(trial))


class TakesTheDerivative(WeightMirror):
    @property
    def needs(self) -> frozenset[Capability]:
        return super().needs - {Capability.LOSS_DERIVATIVE}


class TakesTheSlope(WeightMirror):
    @property
    def needs(self) -> frozenset[Capability]:
        return super().needs - {Capability.ACTIVATION_DERIVATIVE}


class WantsMirrorsNowhere(WeightMirror):
    @property
    def mirror_on(self) -> Literal["digital", "crossbar"] | None:
        return None


class ReadsBackwards(Backpropagation):
    requires: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.ACTIVATION_DERIVATIVE, Capability.LOSS_DERIVATIVE}
    )


class KnowsWhatNobodyCan(NodePerturbation):
    requires: ClassVar[frozenset[Capability]] = frozenset({Capability.OBSERVE})


class ReadsInputsUnsaid(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        gain = 1 + trial.input_changes[-1].std() if trial.input_changes else 1.0
        return tuple(gain * error for error in super().errors(trial))


class GoesByTheSetSigma(ActivityNodePerturbation):
    def errors(self, trial: Trial) -> Errors:
        return tuple(error * (1 + trial.sigma) for error in super().errors(trial))


class HasInputsReadForNothing(ActivityNodePerturbation):
    reads_inputs: ClassVar[bool] = True


class SaysThatAllTrialsAgree(ActivityNodePerturbation):
    @property
    def averages_errors(self) -> bool:
        return False


class SaysThatItIsUnbiased(ActivityNodePerturbation):
    @property
    def unbiased_in(self) -> Literal["any network", "one layer"] | None:
        return "any network"


class Undescribed(ActivityNodePerturbation):
    gain: float = 1.0


class Unwritable(ActivityNodePerturbation):
    cut: float = Field(float("nan"), description="Compared with nothing.")


class CalledOn(ActivityNodePerturbation):
    on: bool = Field(True, description="A key that YAML takes for a truth value.")
